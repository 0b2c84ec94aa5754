"""GPU samples are stored as they were read."""

from storage.gpu_stats import GpuSample, GpuStats
from storage.postgres import Pool
from tests.storage.rows import NOON

FULL = GpuSample(0, "NVIDIA H200", 37.5, 1024, 143_771, 41.0, 215.5)
SILENT = GpuSample(1, "NVIDIA T400", None, None, None, None, None)


async def test_every_gpus_figures_are_stored_and_what_it_does_not_tell_is_null(database: Pool) -> None:
    await GpuStats(database).add("head", [FULL, SILENT], NOON)
    rows = await database.fetch(
        "SELECT recorded_at, node, gpu_index, gpu_name, utilization, memory_used, memory_total, temperature, "
        "power_usage, inference_fps FROM gpu_stats ORDER BY gpu_index"
    )
    assert [tuple(row) for row in rows] == [
        (NOON, "head", 0, "NVIDIA H200", 37.5, 1024, 143_771, 41.0, 215.5, None),
        (NOON, "head", 1, "NVIDIA T400", None, None, None, None, None, None),
    ]


async def test_a_sample_that_is_stored_twice_is_one(database: Pool) -> None:
    for _ in range(2):
        await GpuStats(database).add("head", [FULL], NOON)
    assert await database.fetchval("SELECT count(*) FROM gpu_stats") == 1


async def test_no_gpu_is_no_row(database: Pool) -> None:
    await GpuStats(database).add("head", [], NOON)
    assert await database.fetchval("SELECT count(*) FROM gpu_stats") == 0
