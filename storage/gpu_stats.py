"""GPU samples as NVML gave them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.gpu import GpuSampleRow
from storage.postgres import Pool, store_errors

_COLUMNS = """recorded_at, node, gpu_index, gpu_name, utilization, memory_used, memory_total, temperature, power_usage,
    inference_fps"""
_FIRST = "ORDER BY node <> 'head', node, gpu_index"
"""GPU 0 is the first one of the head's; on a cluster whose head has none, of the first node that has."""


@dataclass(frozen=True)
class GpuSample:
    index: int
    name: str
    utilization: float | None
    """Percent."""
    memory_used_mb: int | None
    memory_total_mb: int | None
    temperature_celsius: float | None
    power_watts: float | None


def sample_kept(poll_seconds: float) -> timedelta:
    """An older sample of a GPU that is sampled so often says nothing of now."""
    return timedelta(seconds=max(30.0, 3 * poll_seconds))


class GpuStats:
    """The table `gpu_stats`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def add(
        self, node: str, samples: Sequence[GpuSample], at: datetime, inference_fps: float | None = None
    ) -> None:
        await self._pool.executemany(
            """
            INSERT INTO gpu_stats (recorded_at, node, gpu_index, gpu_name, utilization, memory_used, memory_total,
                                   temperature, power_usage, inference_fps)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING
            """,
            [
                (
                    at,
                    node,
                    sample.index,
                    sample.name,
                    sample.utilization,
                    sample.memory_used_mb,
                    sample.memory_total_mb,
                    sample.temperature_celsius,
                    sample.power_watts,
                    inference_fps,
                )
                for sample in samples
            ],
        )

    @store_errors()
    async def newest(self, now: datetime, oldest: timedelta) -> Sequence[GpuSampleRow]:
        """The newest sample of every GPU of every node that is not older than so, GPU 0 first."""
        rows = await self._pool.fetch(
            f"""
            SELECT * FROM (
                SELECT DISTINCT ON (node, gpu_index) {_COLUMNS} FROM gpu_stats WHERE recorded_at >= $1
                ORDER BY node, gpu_index, recorded_at DESC
            ) newest {_FIRST}
            """,
            now - oldest,
        )
        return [GpuSampleRow(**row) for row in rows]

    @store_errors()
    async def history(self, since: datetime | None, limit: int) -> Sequence[GpuSampleRow]:
        """The newest `limit` samples of GPU 0 from `since` on, oldest first."""
        rows = await self._pool.fetch(
            f"""
            WITH newest AS (SELECT max(recorded_at) AS at FROM gpu_stats), first AS (
                SELECT node, gpu_index FROM gpu_stats, newest
                WHERE recorded_at > newest.at - interval '30 seconds' {_FIRST} LIMIT 1
            )
            SELECT {_COLUMNS} FROM gpu_stats JOIN first USING (node, gpu_index)
            WHERE $1::timestamptz IS NULL OR recorded_at >= $1 ORDER BY recorded_at DESC LIMIT $2
            """,
            since,
            limit,
        )
        return [GpuSampleRow(**row) for row in reversed(rows)]
