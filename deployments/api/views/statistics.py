"""Figures from rows: totals, GPUs, what waits, and how long each stage takes."""

import asyncio
from datetime import datetime, timedelta

from pydantic import Field

from deployments.api.views.kept import Kept
from domain.clock import Clock
from schemas.frozen import Frozen, UtcTime
from schemas.gpu import NO_GPU, GpuReading, GpuSampleRow
from schemas.latency import LatencyFigures, Stage
from storage.gpu_stats import GpuStats
from storage.latency import LatencySamples
from storage.stats import QueueDepths, Stats, Totals

TELEMETRY_OVER = timedelta(minutes=60)
_STAGES = (Stage.WATCH, Stage.DETECT, Stage.BATCH, Stage.ANALYZE)


class SystemStats(Frozen):
    total_cameras: int
    total_events: int
    total_detections: int
    uptime_seconds: float
    """Since the system came up, whichever replica is asked."""


class GpuFigure(GpuReading):
    """GPU 0's figures; all null without a GPU, or without a sample of late."""

    recorded_at: UtcTime | None
    gpus: tuple[GpuSampleRow, ...]
    """Every GPU of every node, GPU 0 first."""


class GpuHistory(Frozen):
    samples: tuple[GpuSampleRow, ...]
    """GPU 0's, oldest first."""
    count: int
    limit: int


class QueueFigures(Frozen):
    """What waits or is in work."""

    detection_queue: int
    analysis_queue: int
    notification_queue: int
    reassessment_queue: int = Field(description="Provisional events that wait for the language model.")


class StageFigures(Frozen):
    """Null without a sample in the window."""

    watch: LatencyFigures | None = Field(description="From a complete file to its row.")
    detect: LatencyFigures | None = Field(description="From the claim of a file to the detector's answer.")
    batch: LatencyFigures | None = Field(description="From the opening of a batch to its close.")
    analyze: LatencyFigures | None = Field(description="From the claim of a batch to the stored event.")


class Telemetry(Frozen):
    queues: QueueFigures
    latencies: StageFigures
    window_minutes: int
    timestamp: UtcTime


class StatisticsView:
    """Of one replica. Counts are exact and up to a second old, so that a million rows are counted once a second."""

    def __init__(
        self, stats: Stats, gpus: GpuStats, latencies: LatencySamples, gpu_sample_kept: timedelta, clock: Clock
    ) -> None:
        self._totals: Kept[Totals] = Kept(stats.totals, clock)
        self._queues: Kept[QueueDepths] = Kept(stats.queues, clock)
        self._started: Kept[datetime | None] = Kept(lambda: stats.started_at(clock.now()), clock)
        self._gpus = gpus
        self._latencies = latencies
        self._gpu_sample_kept = gpu_sample_kept
        self._clock = clock
        self._opened_at = clock.now()

    async def stats(self) -> SystemStats:
        totals, started_at = await asyncio.gather(self._totals(), self._started())
        # Until the system's own start is reported, this replica's is as near as anybody knows.
        since = started_at or self._opened_at
        return SystemStats(
            total_cameras=totals.cameras,
            total_events=totals.events,
            total_detections=totals.detections,
            uptime_seconds=round(max(0.0, (self._clock.now() - since).total_seconds()), 3),
        )

    async def gpu(self) -> GpuFigure:
        gpus = await self._gpus.newest(self._clock.now(), self._gpu_sample_kept)
        first = gpus[0].model_dump(include=set(GpuReading.model_fields)) if gpus else NO_GPU.model_dump()
        return GpuFigure(**first, recorded_at=gpus[0].recorded_at if gpus else None, gpus=tuple(gpus))

    async def gpu_history(self, since: datetime | None, limit: int) -> GpuHistory:
        samples = await self._gpus.history(since, limit)
        return GpuHistory(samples=tuple(samples), count=len(samples), limit=limit)

    async def telemetry(self) -> Telemetry:
        now = self._clock.now()
        queues, latencies = await asyncio.gather(self._queues(), self._latencies.figures(_STAGES, now - TELEMETRY_OVER))
        return Telemetry(
            queues=QueueFigures(
                detection_queue=queues.detection,
                analysis_queue=queues.analysis,
                notification_queue=queues.notification,
                reassessment_queue=queues.reassessment,
            ),
            latencies=StageFigures.model_validate({stage.value: latencies[stage] for stage in _STAGES}),
            window_minutes=TELEMETRY_OVER // timedelta(minutes=1),
            timestamp=now,
        )

    def close(self) -> None:
        for kept in (self._totals, self._queues, self._started):
            kept.close()
