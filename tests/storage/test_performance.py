"""Snapshots are kept, thinned evenly and dropped; what goes into them is what the stores say."""

from datetime import datetime, timedelta

import redis.asyncio

from deployments.api.examples.performance import PERFORMANCE_HISTORY
from schemas.performance import PerformanceSnapshot
from storage.performance import KEPT, PerformanceRows, redis_use
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows


def _snapshot(at: datetime) -> PerformanceSnapshot:
    return PerformanceSnapshot.model_validate(PERFORMANCE_HISTORY["snapshots"][0] | {"timestamp": at})


async def test_a_snapshot_comes_back_as_it_was(database: Pool) -> None:
    rows = PerformanceRows(database)
    assert await rows.newest() is None
    await rows.add(_snapshot(NOON))
    await rows.add(_snapshot(NOON))
    assert await rows.newest() == _snapshot(NOON)
    assert await rows.history(NOON - timedelta(minutes=5), timedelta(seconds=5)) == [_snapshot(NOON)]


async def test_history_is_thinned_to_the_newest_of_each_span(database: Pool) -> None:
    rows = PerformanceRows(database)
    for number in range(24):
        await rows.add(_snapshot(NOON + timedelta(seconds=5 * number + 1)))
    found = await rows.history(NOON, timedelta(seconds=30))
    assert [one.timestamp for one in found] == [NOON + timedelta(seconds=s) for s in (26, 56, 86, 116)]


async def test_what_no_range_reaches_is_dropped(database: Pool) -> None:
    rows = PerformanceRows(database)
    await rows.add(_snapshot(NOON - KEPT - timedelta(seconds=1)))
    await rows.add(_snapshot(NOON))
    await rows.prune(NOON)
    assert await rows.history(NOON - timedelta(hours=9), timedelta(seconds=5)) == [_snapshot(NOON)]


async def test_frames_a_second_count_frames_of_the_last_minute_not_detections(database: Pool) -> None:
    rows, performance = Rows(database), PerformanceRows(database)
    await rows.camera()
    assert await performance.frames_per_second() == 0.0
    now = await database.fetchval("SELECT now()")
    await rows.media(frames=20, detected_at=now - timedelta(seconds=30))
    await rows.media(frames=10, detected_at=now)
    await rows.media(frames=1000, detected_at=now - timedelta(seconds=70))
    await rows.media(frames=1000, state="detecting")
    assert await performance.frames_per_second() == 0.5


async def test_the_database_says_how_many_connections_are_open(database: Pool) -> None:
    use = await PerformanceRows(database).database_use()
    assert 1 <= use.connections < use.most_connections


async def test_redis_says_how_much_memory_it_uses(redis_client: redis.asyncio.Redis) -> None:
    use = await redis_use(redis_client)
    assert use.memory_mb is not None
    assert use.memory_mb > 0
