"""GPU samples are stored as they were read, and come back as a chart wants them."""

from datetime import timedelta

from storage.gpu_stats import GpuSample, GpuStats, sample_kept
from storage.postgres import Pool
from tests.storage.rows import NOON

FULL = GpuSample(0, "NVIDIA H200", 37.5, 1024, 143_771, 41.0, 215.5)
SILENT = GpuSample(1, "NVIDIA T400", None, None, None, None, None)
SECOND = timedelta(seconds=1)


async def test_every_gpus_figures_are_stored_and_what_it_does_not_tell_is_null(database: Pool) -> None:
    await GpuStats(database).add("head", [FULL, SILENT], NOON, 2.5)
    rows = await database.fetch(
        "SELECT recorded_at, node, gpu_index, gpu_name, utilization, memory_used, memory_total, temperature, "
        "power_usage, inference_fps FROM gpu_stats ORDER BY gpu_index"
    )
    assert [tuple(row) for row in rows] == [
        (NOON, "head", 0, "NVIDIA H200", 37.5, 1024, 143_771, 41.0, 215.5, 2.5),
        (NOON, "head", 1, "NVIDIA T400", None, None, None, None, None, 2.5),
    ]


async def test_a_sample_that_is_stored_twice_is_one(database: Pool) -> None:
    for _ in range(2):
        await GpuStats(database).add("head", [FULL], NOON)
    assert await database.fetchval("SELECT count(*) FROM gpu_stats") == 1


async def test_no_gpu_is_no_row(database: Pool) -> None:
    await GpuStats(database).add("head", [], NOON)
    assert await database.fetchval("SELECT count(*) FROM gpu_stats") == 0


async def test_the_newest_sample_of_each_gpu_comes_the_heads_first(database: Pool) -> None:
    stats = GpuStats(database)
    await stats.add("barn", [FULL], NOON)
    await stats.add("head", [FULL, SILENT], NOON - SECOND)
    await stats.add("head", [SILENT], NOON - 5 * SECOND)
    newest = await stats.newest(NOON, 30 * SECOND)
    assert [(one.node, one.gpu_index, one.recorded_at) for one in newest] == [
        ("head", 0, NOON - SECOND),
        ("head", 1, NOON - SECOND),
        ("barn", 0, NOON),
    ]


async def test_a_sample_that_is_too_old_is_none(database: Pool) -> None:
    await GpuStats(database).add("head", [FULL], NOON)
    assert await GpuStats(database).newest(NOON + 31 * SECOND, sample_kept(5)) == []
    assert len(await GpuStats(database).newest(NOON + 31 * SECOND, sample_kept(60))) == 1


async def test_history_is_gpu_0s_newest_samples_oldest_first(database: Pool) -> None:
    stats = GpuStats(database)
    assert await stats.history(None, 10) == []
    for number in range(5):
        await stats.add("head", [FULL, SILENT], NOON + number * SECOND)
        await stats.add("barn", [FULL], NOON + number * SECOND)
    found = await stats.history(None, 3)
    assert [one.recorded_at for one in found] == [NOON + number * SECOND for number in (2, 3, 4)]
    assert {(one.node, one.gpu_index) for one in found} == {("head", 0)}
    assert len(await stats.history(NOON + 4 * SECOND, 10)) == 1
