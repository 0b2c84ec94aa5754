"""The figures of `system.status`, from rows: GPU 0, the cameras, what waits for the detector."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.frame_types import CameraFigures, GpuFigures, QueueFigures
from storage.postgres import Pool, store_errors

GPU_SAMPLE_KEPT = timedelta(seconds=30)
"""An older sample says nothing of now."""
NO_GPU = GpuFigures(utilization=None, memory_used=None, memory_total=None, temperature=None, inference_fps=None)


@dataclass(frozen=True)
class SystemFigures:
    gpu: GpuFigures
    cameras: CameraFigures
    queue: QueueFigures


NOT_KNOWN = SystemFigures(NO_GPU, CameraFigures(active=None, total=None), QueueFigures(pending=None, processing=None))


class SystemRows:
    """What the system's rows say of it at this moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def figures(self, now: datetime) -> SystemFigures:
        counts = await self._pool.fetchrow(
            """
            SELECT
                (SELECT count(*) FROM cameras WHERE deleted_at IS NULL) AS cameras,
                (SELECT count(*) FROM cameras WHERE deleted_at IS NULL AND enabled AND status = 'online') AS active,
                (SELECT count(*) FROM media WHERE state = 'queued') AS pending,
                (SELECT count(*) FROM media WHERE state = 'detecting') AS processing
            """
        )
        gpu = await self._pool.fetchrow(
            """
            SELECT utilization, memory_used, memory_total, temperature, inference_fps FROM gpu_stats
            WHERE recorded_at > $1 AND gpu_index = 0 ORDER BY recorded_at DESC, node LIMIT 1
            """,
            now - GPU_SAMPLE_KEPT,
        )
        assert counts is not None  # counts are always one row
        return SystemFigures(
            gpu=GpuFigures(**gpu) if gpu else NO_GPU,
            cameras=CameraFigures(active=counts["active"], total=counts["cameras"]),
            queue=QueueFigures(pending=counts["pending"], processing=counts["processing"]),
        )
