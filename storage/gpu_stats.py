"""GPU samples as NVML gave them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from storage.postgres import Pool, store_errors


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


class GpuStats:
    """The table `gpu_stats`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def add(self, node: str, samples: Sequence[GpuSample], at: datetime) -> None:
        await self._pool.executemany(
            """
            INSERT INTO gpu_stats (recorded_at, node, gpu_index, gpu_name, utilization, memory_used, memory_total,
                                   temperature, power_usage)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
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
                )
                for sample in samples
            ],
        )
