"""From queued rows over real files to what the aggregator is given."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from actors import detection_worker
from actors.circuit_breakers import CircuitBreakers
from actors.detection_worker import DetectionTools, DetectionWorker
from actors.ref import ActorAway
from schemas.breaker import BreakerState
from schemas.media import MediaType, NewMedia
from schemas.runtime_config import RuntimeConfig
from storage.config import RuntimeConfigs
from storage.errors import StoreUnavailable
from storage.media import MediaQueue
from storage.postgres import Pool, connect_pool
from tests.actors.fakes import FakeAggregator, FakeClock, FakeDetector
from tests.eventually import eventually
from tests.storage.pieces import LEASE, TRIES, make_claimable
from tests.storage.rows import Rows
from tests.storage.wire import Wire
from tests.vision.pictures import jpeg, scene, write_clip
from vision.errors import DetectorUnavailable, InferenceFailed, WrongFrameShape


class Bench:
    """A worker with fakes around it, a real queue and real files; it works only between `start` and `stop`."""

    def __init__(self, pool: Pool, database: Pool, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.clock = FakeClock(datetime.now(UTC))
        self.queue = MediaQueue(pool)
        self.detector = FakeDetector()
        self.aggregator = FakeAggregator()
        self.breakers = CircuitBreakers(self.clock, ("yolo26",))
        self.rung = asyncio.Event()
        self.tools = DetectionTools(
            queue=self.queue,
            configs=RuntimeConfigs(pool, RuntimeConfig(detection_confidence_threshold=0.5)),
            detector=self.detector,
            aggregator=self.aggregator,
            breakers=self.breakers,
            wait=self.wait,
            random=lambda: 0.5,
        )
        self.worker = DetectionWorker("detection_worker", self.connect)

    async def connect(self) -> DetectionTools:
        return self.tools

    async def wait(self, _seconds: float) -> None:
        """Returns soon, so that a test need not ring."""
        await asyncio.sleep(0.01)

    async def queued(self, *names: str, content: bytes | None = None) -> None:
        """Real pictures, as rows that wait."""
        for name in names:
            path = self.folder / name
            if not path.exists():
                path.write_bytes(jpeg(scene(180, 320)) + name.encode() if content is None else content)
            await self.queue.add([new_row(path)])

    async def states(self) -> dict[str, str]:
        found = await self.database.fetch("SELECT path, state FROM media")
        return {Path(row["path"].decode()).name: row["state"] for row in found}

    async def row(self, name: str) -> dict[str, Any]:
        path = str(self.folder / name).encode()
        return dict(await self.database.fetchrow("SELECT * FROM media WHERE path = $1", path) or {})

    async def commit(self) -> None:
        """What the aggregator was given, committed as the real one would."""
        ids = [result.media_id for result in self.aggregator.added]
        await self.database.execute("UPDATE media SET state = 'detected', lease = NULL WHERE id = ANY($1)", ids)

    async def hands_over(self, count: int) -> None:
        await eventually(lambda: len(self.aggregator.added) == count)

    def names(self) -> list[int]:
        return [result.media_id for result in self.aggregator.added]

    async def breaker(self) -> BreakerState:
        (status,) = await self.breakers.status()
        return status.state


def new_row(path: Path) -> NewMedia:
    status = path.stat()
    return NewMedia(
        camera_id="front_door",
        path=str(path),
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        content_hash=path.name.encode().rjust(32),
        media_type=MediaType.VIDEO if path.suffix == ".mp4" else MediaType.IMAGE,
        captured_at=datetime(2025, 12, 23, 12, 0, tzinfo=UTC),
    )


@pytest.fixture
async def bench(database: Pool, tmp_path: Path) -> AsyncIterator[Bench]:
    await Rows(database).camera()
    made = Bench(database, database, tmp_path)
    yield made
    await made.worker.stop()


async def test_what_is_found_goes_to_the_aggregator_in_the_pictures_own_pixels(bench: Bench) -> None:
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    (result,) = bench.aggregator.added
    assert (result.width, result.height, result.frames, result.camera_id) == (320, 180, 1, "front_door")
    assert result.captured_at == datetime(2025, 12, 23, 12, 0, tzinfo=UTC)
    assert result.lease == (await bench.row("a.jpg"))["lease"]
    (found,) = result.detections
    assert (found.object_type, found.confidence) == ("person", 0.9)
    assert (found.bbox.x, found.bbox.y, found.bbox.width, found.bbox.height) == (10.0, 20.0, 30.0, 40.0)


async def test_a_picture_without_anything_in_it_is_handed_over_too(bench: Bench) -> None:
    bench.detector.found = []
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    assert bench.aggregator.added[0].detections == ()


async def test_pictures_of_one_shape_are_looked_at_together(bench: Bench) -> None:
    await bench.queued(*(f"{n}.jpg" for n in range(8)))
    await bench.worker.start()
    await bench.hands_over(8)
    assert bench.detector.stacks == [(8, 192, 320, 3)]


async def test_pictures_of_several_shapes_are_each_given_their_own_boxes(bench: Bench) -> None:
    (bench.folder / "tall.jpg").write_bytes(jpeg(scene(320, 180)))
    await bench.queued("wide.jpg", "tall.jpg", "wide too.jpg")
    await bench.worker.start()
    await bench.hands_over(3)
    assert sorted(bench.detector.stacks) == [(1, 320, 192, 3), (2, 192, 320, 3)]
    assert [(one.width, one.height) for one in bench.aggregator.added] == [(320, 180), (180, 320), (320, 180)]


async def test_a_clip_is_handed_over_with_the_moment_of_each_detection(bench: Bench) -> None:
    write_clip(bench.folder / "a.mp4", seconds=10)
    await bench.queued("a.mp4")
    await bench.worker.start()
    await bench.hands_over(1)
    (result,) = bench.aggregator.added
    assert result.frames == 3
    offsets = [found.frame_offset_seconds for found in result.detections]
    assert offsets == pytest.approx([0, 4, 8], abs=0.5)
    assert result.length_seconds == offsets[-1]


async def test_unreadable_files_die_with_their_reason_and_the_others_of_the_claim_are_detected(bench: Bench) -> None:
    await bench.queued("cut.jpg", content=jpeg()[:-2_000])
    await bench.queued("text.jpg", content=b"no picture" * 2_000)
    await bench.queued("gone.jpg", "fine.jpg")
    (bench.folder / "gone.jpg").unlink()
    await bench.worker.start()
    await bench.hands_over(1)
    await bench.commit()
    await eventually(lambda: _states_are(bench, {"cut.jpg": "dead", "text.jpg": "dead", "gone.jpg": "dead"}))
    assert (await bench.states())["fine.jpg"] == "detected"
    assert "cut off" in (await bench.row("cut.jpg"))["reason"]
    assert (await bench.row("gone.jpg"))["reason"] == "the file is no longer there"
    assert (await bench.row("text.jpg"))["reason"]


async def _states_are(bench: Bench, expected: dict[str, str]) -> bool:
    return expected.items() <= (await bench.states()).items()


async def test_an_overwritten_file_dies_with_that_reason(bench: Bench) -> None:
    await bench.queued("a.jpg")
    (bench.folder / "a.jpg").write_bytes(jpeg(scene(90, 160)))
    await bench.worker.start()
    await eventually(lambda: _states_are(bench, {"a.jpg": "dead"}))
    assert "overwritten" in (await bench.row("a.jpg"))["reason"]


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
    await eventually(lambda: _states_are(bench, {"hostile.jpg": "queued"}))
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
    await eventually(lambda: _reason_is(bench, "a.jpg", "the file cannot be read: Input/output error"))
    assert (await bench.row("a.jpg"))["state"] == "queued"
    await make_claimable(bench.database, "media")
    await bench.hands_over(1)


async def test_unreadable_files_alone_say_nothing_of_the_detector(bench: Bench) -> None:
    await bench.queued(*(f"{n}.jpg" for n in range(5)), content=b"no picture" * 2_000)
    await bench.worker.start()
    await eventually(lambda: _states_are(bench, dict.fromkeys((f"{n}.jpg" for n in range(5)), "dead")))
    (status,) = await bench.breakers.status()
    assert (status.success_count, status.failure_count) == (0, 0)
    assert bench.detector.stacks == []


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
    await eventually(lambda: _states_are(bench, {"a.jpg": "queued", "b.jpg": "queued"}))
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
    await eventually(lambda: _waits_untried(bench, "a.jpg"))
    assert bench.aggregator.added == []
    bench.clock.advance(31)
    await make_claimable(bench.database, "media")
    await bench.hands_over(1)


async def _waits_untried(bench: Bench, name: str) -> bool:
    row = await bench.row(name)
    return (row["state"], row["attempts"]) == ("queued", 0)


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
    await eventually(lambda: _reason_is(bench, "a.jpg", "detection failed: out of memory"))
    assert (await bench.row("a.jpg"))["attempts"] == 1
    await make_claimable(bench.database, "media")
    await bench.hands_over(1)


async def _reason_is(bench: Bench, name: str, reason: str) -> bool:
    return bool((await bench.row(name))["reason"] == reason)


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


async def test_after_another_model_was_loaded_it_asks_for_the_new_shape(bench: Bench) -> None:
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    bench.detector.long_side = 160
    bench.detector.raises.append(WrongFrameShape((96, 160), (192, 320)))
    await bench.queued("b.jpg")
    await bench.hands_over(2)
    assert bench.detector.stacks[-1] == (1, 96, 160, 3)
    assert (await bench.row("b.jpg"))["attempts"] == 1
    (status,) = await bench.breakers.status()
    assert status.failure_count == 0


async def change_config(bench: Bench, **values: Any) -> None:
    await bench.database.execute(
        "INSERT INTO runtime_config (id, value) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET value = $1", values
    )


async def test_the_threshold_is_read_live(bench: Bench) -> None:
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    await change_config(bench, detection_confidence_threshold=0.95)
    await bench.queued("b.jpg")
    await bench.hands_over(2)
    assert bench.detector.confidences == [0.5, 0.95]
    assert [len(result.detections) for result in bench.aggregator.added] == [1, 0]


@pytest.mark.parametrize(
    ("classes", "kept"),
    [
        (["person"], ["person"]),
        (["vehicle"], ["car"]),
        (["Person", "toothbrush"], ["person", "toothbrush"]),
        ([], ["person", "car", "toothbrush"]),
    ],
)
async def test_the_classes_that_are_kept_are_read_live(bench: Bench, classes: list[str], kept: list[str]) -> None:
    bench.detector.found = [(name, 0.9, 0.0, 0.0, 1.0, 1.0) for name in ("person", "car", "toothbrush")]
    await change_config(bench, detection_classes=classes)
    await bench.queued("a.jpg")
    await bench.worker.start()
    await bench.hands_over(1)
    assert [found.object_type for found in bench.aggregator.added[0].detections] == kept


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


async def test_at_start_it_takes_up_what_its_earlier_life_held(bench: Bench) -> None:
    await bench.queued("a.jpg", "b.jpg")
    await bench.queue.claim("detection_worker-1", 1, LEASE, TRIES)
    await bench.queue.claim("detection_worker_2-1", 1, LEASE, TRIES)
    await bench.worker.start()
    await bench.hands_over(1)
    assert (await bench.row("a.jpg"))["attempts"] == 2
    assert (await bench.row("b.jpg"))["lease"].startswith("detection_worker_2-1/")


async def test_a_file_that_kills_its_workers_is_buried(bench: Bench) -> None:
    await bench.queued("a.jpg")
    for _ in range(TRIES):
        await bench.queue.claim("dead", 1, LEASE, TRIES)
        await bench.queue.release("dead")
    await bench.worker.start()
    await eventually(lambda: _states_are(bench, {"a.jpg": "dead"}))
    assert "the file kills its worker" in (await bench.row("a.jpg"))["reason"]


async def test_a_backlog_is_worked_off_to_the_end_without_a_doorbell(bench: Bench) -> None:
    await bench.queued(*(f"{n}.jpg" for n in range(40)))
    await bench.worker.start()
    await bench.hands_over(40)
    assert len(set(bench.names())) == 40
    assert (await bench.worker.health()).detail == {"files_done": 40}


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


async def test_stop_waits_until_what_is_in_hand_is_handed_over(bench: Bench) -> None:
    go_on = asyncio.Event()
    look: Callable[..., Any] = bench.detector.detect_stack
    looking = asyncio.Event()

    async def slow(*arguments: Any) -> Any:
        looking.set()
        await go_on.wait()
        return await look(*arguments)

    bench.detector.detect_stack = slow  # type: ignore[method-assign]
    await bench.queued("a.jpg")
    await bench.worker.start()
    await looking.wait()
    stopping = asyncio.create_task(bench.worker.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping
    assert len(bench.aggregator.added) == 1
