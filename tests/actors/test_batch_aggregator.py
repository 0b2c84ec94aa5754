"""The one writer of batches, over real rows."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import redis.asyncio

from actors.batch_aggregator import AggregatorTools, BatchAggregator, placed
from domain.batching import BatchPolicy, OpenBatches
from schemas.detection import MediaDetections
from schemas.frame import LiveChannel
from schemas.media import ClaimedMedia, NewMedia
from schemas.runtime_config import RuntimeConfig
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.errors import StoreError
from storage.live_bus import LiveBus
from storage.postgres import Pool, connect_pool
from tests.actors.fakes import FakeClock
from tests.eventually import eventually
from tests.storage.pieces import claimed, expire_leases, found_in, later, new_media, seen
from tests.storage.rows import Rows
from tests.storage.wire import Wire


class CountingBatches(Batches):
    """Counts the transactions of its group commits."""

    commits = 0

    async def commit(self, *arguments: Any) -> Any:
        self.commits += 1
        return await super().commit(*arguments)


class Yard:
    """An aggregator over real rows; its time passes by hand."""

    def __init__(self, pool: Pool, database: Pool, client: redis.asyncio.Redis) -> None:
        self.database = database
        self.clock = FakeClock(later(0))
        self.batches = CountingBatches(pool)
        self.live = LiveBus(client)
        self.doorbells = Doorbells(client)
        configs = RuntimeConfigs(pool, RuntimeConfig())
        self.tools = AggregatorTools(self.batches, configs, self.live, self.doorbells, self.clock)
        self.aggregator = BatchAggregator(self.connect)

    async def connect(self) -> AggregatorTools:
        return self.tools

    async def files(self, count: int, seconds_apart: float = 1.0, **values: Any) -> list[ClaimedMedia]:
        """So many files, held by a worker, taken that far apart."""
        start = await self.database.fetchval("SELECT count(*) FROM media")
        wanted: list[NewMedia] = [
            new_media(f"{start + n}.jpg", captured_at=later(n * seconds_apart), **values) for n in range(count)
        ]
        return await claimed(self.database, *wanted)

    async def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.aggregator._called.set()

    async def rows(self) -> list[tuple[str, str | None, int]]:
        found = await self.database.fetch(
            "SELECT state, close_reason, detection_count FROM batches ORDER BY started_at, state"
        )
        return [tuple(row) for row in found]

    async def becomes(self, *expected: tuple[str, str | None, int]) -> None:
        await eventually(lambda: self._are(list(expected)))

    async def _are(self, expected: list[tuple[str, str | None, int]]) -> bool:
        return await self.rows() == expected

    async def change_config(self, **values: Any) -> None:
        await self.database.execute("INSERT INTO runtime_config (id, value) VALUES (1, $1)", values)


@pytest.fixture
async def yard(database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Yard]:
    for camera in ("front_door", "garden"):
        await Rows(database).camera(camera)
    made = Yard(database, database, redis_client)
    await made.aggregator.start()
    yield made
    await made.aggregator.stop()
    await made.doorbells.aclose()


async def test_add_returns_when_everything_is_committed(yard: Yard) -> None:
    first, second = await yard.files(2)
    await yard.aggregator.add([found_in(first, seen("person"), seen("dog")), found_in(second)])
    assert await yard.rows() == [("open", None, 2)]
    assert await yard.database.fetchval("SELECT count(*) FROM detections") == 2
    assert await yard.database.fetch("SELECT DISTINCT state FROM media") == [("detected",)]


async def test_files_of_one_camera_join_its_open_batch(yard: Yard) -> None:
    for file in await yard.files(3):
        await yard.aggregator.add([found_in(file, seen())])
    assert await yard.rows() == [("open", None, 3)]
    row = await yard.database.fetchrow("SELECT started_at, ended_at FROM batches")
    assert row is not None
    assert tuple(row) == (later(0), later(2))


async def test_each_camera_has_its_own_batch(yard: Yard) -> None:
    (front,) = await yard.files(1)
    (garden,) = await yard.files(1, camera_id="garden")
    await yard.aggregator.add([found_in(front, seen()), found_in(garden, seen())])
    assert await yard.rows() == [("open", None, 1), ("open", None, 1)]


async def test_many_adds_at_once_are_few_commits(yard: Yard) -> None:
    files = await yard.files(40, seconds_apart=0.5)
    await asyncio.gather(*(yard.aggregator.add([found_in(file, seen())]) for file in files))
    assert await yard.rows() == [("open", None, 40)]
    assert yard.batches.commits <= 5


async def test_a_backlog_of_hours_becomes_the_events_that_it_was_in_one_commit(yard: Yard) -> None:
    files = await yard.files(4, seconds_apart=3600)
    await yard.aggregator.add([found_in(file, seen()) for file in reversed(files)])
    assert yard.batches.commits == 1
    assert await yard.rows() == [("closed", "gap", 1)] * 3 + [("open", None, 1)]


async def test_a_batch_is_closed_when_nothing_more_comes_for_thirty_seconds(yard: Yard) -> None:
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, seen())])
    await yard.passes(29)
    await yard.passes(0.5)
    assert await yard.rows() == [("open", None, 1)]
    await yard.passes(0.5)
    await yard.becomes(("closed", "idle", 1))


async def test_a_batch_is_closed_ninety_seconds_after_its_start_though_more_comes(yard: Yard) -> None:
    files = await yard.files(10, seconds_apart=10)
    for file in files:
        await yard.aggregator.add([found_in(file, seen())])
        yard.clock.advance(10)
    await yard.becomes(("closed", "window", 9), ("open", None, 1))


async def test_a_closed_batch_is_told_and_the_next_worker_is_rung(
    yard: Yard, redis_client: redis.asyncio.Redis
) -> None:
    ears = Doorbells(redis_client)
    bell = ears.bell("batches")
    await eventually(lambda: ears.connected)
    await bell.wait(0)
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, seen())])
    await yard.passes(31)
    assert await bell.wait(10)
    await eventually(lambda: _told(yard, 2))
    frames, _ = await yard.live.replay(LiveChannel.DETECTIONS, 0)
    assert [frame.type for frame in frames] == ["detection.new", "detection.batch"]
    assert frames[1].data["close_reason"] == "idle"
    await ears.aclose()


async def _told(yard: Yard, count: int) -> bool:
    return await yard.live.last_sequence(LiveChannel.DETECTIONS) == count


async def test_an_urgent_class_closes_its_batch_at_once(yard: Yard) -> None:
    await yard.change_config(urgent_classes=["Knife"])
    calm, urgent = await yard.files(2)
    await yard.aggregator.add([found_in(calm, seen())])
    assert await yard.rows() == [("open", None, 1)]
    await yard.aggregator.add([found_in(urgent, seen("knife"))])
    assert await yard.rows() == [("closed", "urgent", 2)]


async def test_a_full_batch_is_closed(yard: Yard) -> None:
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, *[seen()] * 500)])
    assert await yard.rows() == [("closed", "size", 500)]


async def test_times_are_read_live(yard: Yard) -> None:
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, seen())])
    await yard.change_config(batch_idle_timeout_seconds=5)
    await yard.passes(6)
    await yard.becomes(("closed", "idle", 1))
    await eventually(lambda: _policy_is(yard, {"window_seconds": 90.0, "idle_seconds": 5.0}))


async def _policy_is(yard: Yard, expected: dict[str, float]) -> bool:
    return bool((await yard.aggregator.health()).detail["policy"] == expected)


async def test_its_health_tells_how_many_batches_are_open(yard: Yard) -> None:
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, seen())])
    health = await yard.aggregator.health()
    assert (health.healthy, health.detail["open_batches"]) == (True, 1)


async def test_its_successor_goes_on_with_the_open_batches(yard: Yard) -> None:
    first, second = await yard.files(2)
    await yard.aggregator.add([found_in(first, seen())])
    await yard.aggregator.stop()
    successor = BatchAggregator(yard.connect)
    await successor.start()
    await successor.add([found_in(second, seen())])
    assert await yard.rows() == [("open", None, 2)]
    await successor.stop()


async def test_a_result_under_a_lost_lease_is_left_out_and_its_worker_is_content(yard: Yard) -> None:
    (file,) = await yard.files(1)
    await expire_leases(yard.database, "media")
    await yard.database.execute("UPDATE media SET lease = 'another/1'")
    await yard.aggregator.add([found_in(file, seen())])
    assert await yard.rows() == []


async def test_an_add_that_comes_twice_counts_once(yard: Yard) -> None:
    (file,) = await yard.files(1)
    result = found_in(file, seen())
    await asyncio.gather(*(yard.aggregator.add([result]) for _ in range(3)))
    await yard.aggregator.add([result])
    assert await yard.rows() == [("open", None, 1)]
    assert await yard.database.fetchval("SELECT count(*) FROM detections") == 1


async def test_a_commit_that_fails_is_told_to_all_who_were_in_it_and_memory_is_read_again(yard: Yard) -> None:
    good, bad, next_one = await yard.files(3)
    await yard.aggregator.add([found_in(good, seen())])
    with pytest.raises(StoreError):
        await yard.aggregator.add([found_in(bad, seen("bad\x00class"))])
    await yard.aggregator.add([found_in(next_one, seen())])
    assert await yard.rows() == [("open", None, 2)]
    assert (await yard.database.fetchval("SELECT state FROM media WHERE id = $1", bad.id)) == "detecting"


async def test_a_batch_that_only_a_failed_commit_opened_is_forgotten(yard: Yard) -> None:
    (file,) = await yard.files(1)
    with pytest.raises(StoreError):
        await yard.aggregator.add([found_in(file, seen("bad\x00class"))])
    await eventually(lambda: _open_batches(yard, 0))
    await yard.aggregator.add([found_in(file, seen())])
    assert await yard.rows() == [("open", None, 1)]


async def _open_batches(yard: Yard, count: int) -> bool:
    return bool((await yard.aggregator.health()).detail["open_batches"] == count)


async def test_a_close_that_fails_is_done_again(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = await yard.files(1)
    await yard.aggregator.add([found_in(file, seen())])
    close = yard.batches.close
    failures = [StoreError("refused")]

    async def failing(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return await close(*arguments)

    monkeypatch.setattr(yard.batches, "close", failing)
    await yard.passes(31)
    await yard.becomes(("closed", "idle", 1))
    assert failures == []


async def test_while_the_database_is_away_an_add_waits_or_fails_and_nothing_is_lost(
    database: Pool, database_url: str, redis_client: redis.asyncio.Redis
) -> None:
    await Rows(database).camera()
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 4, "tests")
        yard = Yard(pool, database, redis_client)
        await yard.aggregator.start()
        first, second = await yard.files(2)
        await yard.aggregator.add([found_in(first, seen())])
        await wire.cut()
        adding = asyncio.create_task(_added_at_last(yard, found_in(second, seen())))
        await eventually(lambda: _unwell(yard))
        assert not adding.done()
        await wire.mend()
        await adding
        assert await yard.rows() == [("open", None, 2)]
        await yard.aggregator.stop()
        await yard.doorbells.aclose()
        pool.terminate()


async def _added_at_last(yard: Yard, result: MediaDetections) -> None:
    while True:
        try:
            return await yard.aggregator.add([result])
        except StoreError:
            await asyncio.sleep(0.01)


async def _unwell(yard: Yard) -> bool:
    return (await yard.aggregator.health()).message is not None


def test_what_one_commit_does_to_a_batch_is_told_once_as_its_final_state() -> None:
    ids = iter("ABC")
    batches = OpenBatches(BatchPolicy(idle=timedelta(seconds=30)), lambda: next(ids))
    files = [
        MediaDetections(
            media_id=number,
            camera_id="yard",
            lease="w/1",
            captured_at=later(at),
            width=1,
            height=1,
            frames=1,
            detections=(seen(),),
        )
        for number, at in enumerate((0, 10, 100, 110, 200))
    ]
    changes = placed(batches, files, later(300))
    told = [(c.batch.id, c.is_new, c.closed, c.batch.detection_count, len(c.media)) for c in changes]
    assert told == [("A", True, "gap", 2, 2), ("B", True, "gap", 2, 2), ("C", True, None, 1, 1)]
