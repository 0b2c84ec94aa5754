"""Latency samples: exact figures of whole windows and of buckets, added by anybody, kept for a day."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from storage.latency import LatencySamples
from storage.postgres import Pool

NOW = datetime(2026, 3, 1, 12, 34, 56, 789_000, tzinfo=UTC)
MODEL = "model:yolo11-face"


def _spread(count: int, over: timedelta, seed: int = 7) -> list[tuple[datetime, float]]:
    random = Random(seed)
    return [(NOW - over * random.random(), random.lognormvariate(4, 1)) for _ in range(count)]


async def _by_postgres(pool: Pool, values: Sequence[float]) -> tuple[float, ...]:
    row = await pool.fetchrow(
        """
        SELECT avg(v), min(v), max(v), percentile_cont(0.5) WITHIN GROUP (ORDER BY v),
               percentile_cont(0.95) WITHIN GROUP (ORDER BY v), percentile_cont(0.99) WITHIN GROUP (ORDER BY v)
        FROM unnest($1::float8[]) AS v
        """,
        list(values),
    )
    assert row is not None
    return tuple(row.values())


async def test_figures_are_those_of_postgresql_to_a_tenth_of_a_millisecond(database: Pool) -> None:
    samples = LatencySamples(database)
    spread = _spread(5_000, timedelta(hours=2))
    await samples.add(MODEL, spread)
    since = NOW - timedelta(minutes=60)
    found = (await samples.figures([MODEL], since))[MODEL]
    inside = [milliseconds for ended, milliseconds in spread if ended > since]
    assert found is not None
    assert found.sample_count == len(inside)
    told = (found.avg_ms, found.min_ms, found.max_ms, found.p50_ms, found.p95_ms, found.p99_ms)
    wanted = await _by_postgres(database, inside)
    assert all(abs(one - other) <= 0.1 for one, other in zip(told, wanted, strict=True))


async def test_one_sample_is_every_figure(database: Pool) -> None:
    samples = LatencySamples(database)
    await samples.add(MODEL, [(NOW, 12.3)])
    found = (await samples.figures([MODEL], NOW - timedelta(minutes=1)))[MODEL]
    assert found is not None
    assert set(found.model_dump().values()) == {12.3, 1}


async def test_without_samples_there_is_no_figure(database: Pool) -> None:
    assert await LatencySamples(database).figures([MODEL, "detect"], NOW) == {MODEL: None, "detect": None}


async def test_a_window_cuts_through_its_first_minute(database: Pool) -> None:
    samples = LatencySamples(database)
    since = NOW - timedelta(minutes=1)
    await samples.add(MODEL, [(since - timedelta(milliseconds=5), 1.0), (since + timedelta(milliseconds=5), 2.0)])
    found = (await samples.figures([MODEL], since))[MODEL]
    assert found is not None
    assert (found.sample_count, found.max_ms) == (1, 2.0)


async def test_what_is_added_later_joins_its_minute(database: Pool) -> None:
    samples = LatencySamples(database)
    for milliseconds in (1.0, 3.0):
        await samples.add(MODEL, [(NOW, milliseconds), (NOW - timedelta(minutes=1), milliseconds)])
    found = (await samples.figures([MODEL], NOW - timedelta(hours=1)))[MODEL]
    assert found is not None
    assert (found.sample_count, found.avg_ms) == (4, 2.0)
    assert await database.fetchval("SELECT count(*) FROM latency_minutes") == 2


async def test_a_sample_longer_than_a_day_and_one_below_nothing_are_held_at_the_bounds(database: Pool) -> None:
    samples = LatencySamples(database)
    await samples.add(MODEL, [(NOW, 1e12), (NOW, -5.0)])
    found = (await samples.figures([MODEL], NOW - timedelta(hours=1)))[MODEL]
    assert found is not None
    assert found.min_ms == 0
    assert found.max_ms > timedelta(hours=29) / timedelta(milliseconds=1)


async def test_history_has_every_bucket_in_order_and_null_where_nothing_happened(database: Pool) -> None:
    samples = LatencySamples(database)
    await samples.add(MODEL, [(NOW - timedelta(minutes=3), 10.0), (NOW, 20.0), (NOW, 40.0)])
    until = NOW
    buckets = (await samples.history([MODEL], until - timedelta(minutes=5), until, 60))[MODEL]
    assert [bucket.timestamp.minute for bucket in buckets] == [29, 30, 31, 32, 33, 34]
    assert [bucket.figures and bucket.figures.sample_count for bucket in buckets] == [None, None, 1, None, None, 2]
    newest = buckets[-1].figures
    assert newest is not None
    assert (newest.avg_ms, newest.p50_ms, newest.p95_ms, newest.p99_ms) == (30.0, 30.0, 39.0, 39.8)


async def test_buckets_that_cut_minutes_apart_hold_each_sample_once(database: Pool) -> None:
    samples = LatencySamples(database)
    spread = _spread(3_000, timedelta(minutes=59))
    await samples.add(MODEL, spread)
    for seconds in (10, 37, 90, 3599):
        buckets = (await samples.history([MODEL], NOW - timedelta(hours=1), NOW, seconds))[MODEL]
        assert len(buckets) in (3600 // seconds + 1, 3600 // seconds + 2)
        starts = [bucket.timestamp for bucket in buckets]
        for bucket, start in zip(buckets, starts, strict=True):
            inside = [ms for ended, ms in spread if start <= ended < start + timedelta(seconds=seconds)]
            assert (bucket.figures.sample_count if bucket.figures else 0) == len(inside)
            if bucket.figures:
                assert abs(bucket.figures.avg_ms - sum(inside) / len(inside)) <= 0.1


async def test_what_no_window_reaches_is_dropped(database: Pool) -> None:
    samples = LatencySamples(database)
    await samples.add(MODEL, [(NOW - timedelta(hours=26), 1.0), (NOW - timedelta(hours=24), 2.0)])
    assert await samples.prune(NOW) == 1
    found = (await samples.figures([MODEL], NOW - timedelta(hours=100)))[MODEL]
    assert found is not None
    assert found.max_ms == 2.0
