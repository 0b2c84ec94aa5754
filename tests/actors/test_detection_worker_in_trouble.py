"""The detection worker when something is amiss: hostile files, a detector, aggregator or database that is away."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from actors import detection_worker
from actors.ports import ActorAway
from schemas.breaker import BreakerState
from storage.errors import StoreUnavailable
from storage.postgres import Pool, connect_pool
from tests.actors.bench import Bench
from tests.eventually import eventually
from tests.storage.pieces import LEASE, TRIES, make_claimable
from tests.storage.rows import Rows
from tests.storage.wire import Wire
from tests.vision.pictures import jpeg, scene
from vision.errors import DetectorUnavailable, InferenceFailed


async def test_what_a_decoder_does_not_expect_costs_its_file_a_try_and_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = detection_worker.decode_media

    def tripping(file: Any, spec: Any) -> Any:
        if "hostile" in file.path:
            raise RuntimeError("a decoder's own fault")
        return decode(file, spec)

    monkeypatch.setattr(detection_worker, "decode_media", tripping)
    await bench.queued("hostile.jpg", "fine.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    await eventually(lambda: bench.states_are({"hostile.jpg": "queued"}))
    row = await bench.row("hostile.jpg")
    assert (row["attempts"], row["reason"]) == (1, "the file cannot be decoded (RuntimeError)")


async def test_a_disk_that_fails_for_a_moment_costs_a_try_and_the_file_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = detection_worker.decode_media
    fails = [OSError(5, "Input/output error")]

    def failing(file: Any, spec: Any) -> Any:
        if fails:
            raise fails.pop()
        return decode(file, spec)

    monkeypatch.setattr(detection_worker, "decode_media", failing)
    await bench.queued("a.jpg")
    await bench.worker.start()
    await eventually(lambda: bench.reason_is("a.jpg", "the file cannot be read: Input/output error"))
    assert (await bench.row("a.jpg"))["state"] == "queued"
    await make_claimable(bench.database, "media")
    await bench.hands_over(1)


async def test_while_the_detector_has_no_model_files_wait_untried(bench: Bench) -> None:
    bench.detector.loaded = False
    await bench.queued("a.jpg")
    await bench.worker.start()
    await eventually(lambda: bench.detector.described > 3)
    row = await bench.row("a.jpg")
    assert (row["state"], row["attempts"]) == ("queued", 0)
    health = await bench.worker.health()
    assert (health.healthy, health.message) == (True, "there are no weights at this path")
    bench.detector.loaded = True
    await bench.hands_over(1)
    assert (await bench.worker.health()).message is None


async def test_while_the_detector_does_not_answer_files_wait_untried(bench: Bench) -> None:
    bench.detector.loaded = ConnectionError("no replica")
    await bench.queued("a.jpg")
    await bench.worker.start()
    await eventually(lambda: bench.detector.described > 3)
    assert (await bench.row("a.jpg"))["attempts"] == 0
    assert (await bench.worker.health()).message == "the detector does not answer: no replica"
    bench.detector.loaded = True
    await bench.hands_over(1)


async def test_a_detector_that_goes_away_over_a_claim_costs_no_try(bench: Bench) -> None:
    bench.detector.raises.append(DetectorUnavailable("the detector is away"))
    await bench.queued("a.jpg", "b.jpg")
    await bench.worker.start()
    await eventually(lambda: not bench.detector.raises)
    await eventually(lambda: bench.states_are({"a.jpg": "queued", "b.jpg": "queued"}))
    assert [(await bench.row(name))["attempts"] for name in ("a.jpg", "b.jpg")] == [0, 0]
    await make_claimable(bench.database, "media")
    await bench.hands_over(2)


async def test_five_failures_open_the_breaker_and_files_wait_untried_until_it_lets_one_through(bench: Bench) -> None:
    bench.detector.raises.extend(DetectorUnavailable("away") for _ in range(5))
    await bench.queued("a.jpg")
    await bench.worker.start()
    await eventually(lambda: _opened(bench))
    await make_claimable(bench.database, "media")
    await eventually(lambda: _rejected(bench))
    await eventually(lambda: bench.waits_untried("a.jpg"))
    assert bench.aggregator.added == []
    bench.clock.advance(31)
    await make_claimable(bench.database, "media")
    await bench.hands_over(1)


async def _opened(bench: Bench) -> bool:
    await make_claimable(bench.database, "media")
    return await bench.breaker() is BreakerState.OPEN


async def _rejected(bench: Bench) -> bool:
    (status,) = await bench.breakers.status()
    return status.rejected_calls > 0


async def test_a_detector_that_fails_on_a_claim_costs_a_try_and_counts_for_the_breaker(bench: Bench) -> None:
    bench.detector.raises.append(InferenceFailed("out of memory"))
    await bench.queued("a.jpg")
    await bench.worker.start()
    await eventually(lambda: bench.reason_is("a.jpg", "detection failed: out of memory"))
    assert (await bench.row("a.jpg"))["attempts"] == 1
    await make_claimable(bench.database, "media")
    await bench.hands_over(1)


async def test_a_file_on_which_the_detector_fails_each_time_dies_and_the_others_do_not(bench: Bench) -> None:
    """The poison's companions are tried twice with it, and then each suspect is tried alone."""
    look = bench.detector.detect_stack
    poisonous = (180, 320)

    async def failing(stack: Any, sizes: Any, confidence: float) -> Any:
        if poisonous in sizes:
            raise InferenceFailed("this picture")
        return await look(stack, sizes, confidence)

    bench.detector.detect_stack = failing  # type: ignore[method-assign]
    (bench.folder / "poison.jpg").write_bytes(jpeg(scene(320, 180)))
    await bench.queued("a.jpg", "poison.jpg", "b.jpg")
    await bench.worker.start()
    await eventually(lambda: _finished(bench, 2), seconds=60)
    assert (await bench.row("poison.jpg"))["reason"] == "detection failed: this picture"
    assert (await bench.row("poison.jpg"))["attempts"] == TRIES


async def _finished(bench: Bench, handed_over: int) -> bool:
    """Time passes for rows and breaker, and what was handed over is committed."""
    bench.clock.advance(31)
    await make_claimable(bench.database, "media")
    await bench.commit()
    return len(bench.aggregator.added) == handed_over and (await bench.states())["poison.jpg"] == "dead"


@pytest.mark.parametrize("error", [ActorAway("batch_aggregator", "dead"), StoreUnavailable("PostgreSQL: refused")])
async def test_an_aggregator_that_is_away_for_a_moment_costs_no_second_look(
    bench: Bench, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_worker, "HAND_OVER_PAUSE_SECONDS", 0.01)
    bench.aggregator.raises.extend([error, error])
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    assert len(bench.detector.stacks) == 1
    assert (await bench.row("a.jpg"))["attempts"] == 1


async def test_a_result_that_the_aggregator_cannot_store_costs_a_try_and_is_tried_again(bench: Bench) -> None:
    bench.aggregator.raises.append(ValueError("poison"))
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    assert (await bench.row("a.jpg"))["attempts"] == 2


async def test_a_workers_late_result_is_harmless_when_its_lease_is_lost(bench: Bench) -> None:
    """It hands over what it found under the lease that it had; the aggregator's commit refuses that."""
    late = asyncio.Event()
    add = bench.aggregator.add

    async def waiting(results: Any) -> None:
        await late.wait()
        await add(results)

    bench.aggregator.add = waiting  # type: ignore[method-assign]
    await bench.queued("a.jpg")
    await bench.worker.start()
    await eventually(lambda: len(bench.detector.stacks) == 1)
    await bench.database.execute("UPDATE media SET lease = 'another/1', attempts = 2")
    late.set()
    await bench.hands_over(1)
    assert bench.aggregator.added[0].lease.startswith("detection_worker-")
    row = await bench.row("a.jpg")
    assert (row["lease"], row["state"]) == ("another/1", "detecting")


async def test_a_file_that_kills_its_workers_is_buried(bench: Bench) -> None:
    await bench.queued("a.jpg")
    for _ in range(TRIES):
        await bench.queue.claim("dead", 1, LEASE, TRIES)
        await bench.queue.release("dead")
    await bench.worker.start()
    await eventually(lambda: bench.states_are({"a.jpg": "dead"}))
    assert "the file kills its worker" in (await bench.row("a.jpg"))["reason"]


async def test_a_database_that_is_away_costs_no_try(
    database: Pool, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Rows(database).camera()
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 4, "tests")
        bench = Bench(pool, database, tmp_path)
        look = bench.detector.detect_stack

        async def cut_off(stack: Any, sizes: Any, confidence: float) -> Any:
            await wire.cut()
            bench.detector.detect_stack = look  # type: ignore[method-assign]
            raise DetectorUnavailable("both are away")

        bench.detector.detect_stack = cut_off  # type: ignore[method-assign]
        await bench.queued("a.jpg")
        await bench.worker.start()
        await eventually(lambda: _unwell(bench))
        assert (await bench.row("a.jpg"))["state"] == "detecting"
        await wire.mend()
        await bench.hands_over(1)
        assert (await bench.row("a.jpg"))["attempts"] == 1
        await bench.worker.stop()
        pool.terminate()


async def _unwell(bench: Bench) -> bool:
    return "StoreUnavailable" in ((await bench.worker.health()).message or "")
