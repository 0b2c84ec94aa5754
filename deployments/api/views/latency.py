"""How long each stage of the pipeline takes: over a window, and bucket by bucket."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import Field

from domain.clock import Clock
from schemas.frozen import Frozen, UtcTime
from schemas.latency import BucketFigures, LatencyBucket, LatencyFigures, Stage
from storage.latency import LatencySamples

SHOWN = (
    Stage.WATCH_TO_DETECT,
    Stage.DETECT_TO_BATCH,
    Stage.BATCH_TO_ANALYZE,
    Stage.TOTAL_PIPELINE,
    Stage.ANALYZE,
    Stage.EVENT_TO_DELIVERY,
)


class PipelineLatency(Frozen):
    """A stage without samples is null."""

    watch_to_detect: LatencyFigures | None = Field(description="From a file's row to its claim by a detection worker.")
    detect_to_batch: LatencyFigures | None = Field(
        description="From the detector's answer to the commit of detections and batch."
    )
    batch_to_analyze: LatencyFigures | None = Field(description="From a batch's close to its claim for assessment.")
    total_pipeline: LatencyFigures | None = Field(
        description="From the row of a batch's first file to the stored event."
    )
    analyze: LatencyFigures | None = Field(description="From the claim of a batch to the stored event.")
    event_to_delivery: LatencyFigures | None = Field(
        description="From the stored event to the first notification that was delivered."
    )
    window_minutes: int
    timestamp: UtcTime


class StageBuckets(Frozen):
    """A stage without samples in this bucket is null."""

    watch_to_detect: BucketFigures | None
    detect_to_batch: BucketFigures | None
    batch_to_analyze: BucketFigures | None
    total_pipeline: BucketFigures | None
    analyze: BucketFigures | None
    event_to_delivery: BucketFigures | None


class LatencySnapshot(Frozen):
    timestamp: UtcTime
    """When the bucket begins: a multiple of its length since 1970."""
    stages: StageBuckets


class LatencyHistory(Frozen):
    snapshots: tuple[LatencySnapshot, ...]
    """Every bucket of the window, oldest first, the empty ones too."""
    count: int
    window_minutes: int
    bucket_seconds: int
    timestamp: UtcTime


class LatencyView:
    """Of one replica; numbers are computed in threads, so that other requests go on meanwhile."""

    def __init__(self, samples: LatencySamples, clock: Clock) -> None:
        self._samples = samples
        self._clock = clock

    async def figures(self, window_minutes: int) -> PipelineLatency:
        now = self._clock.now()
        found = await self._samples.figures(SHOWN, now - timedelta(minutes=window_minutes))
        stages = {stage.value: found[stage] for stage in SHOWN}
        return PipelineLatency.model_validate(stages | {"window_minutes": window_minutes, "timestamp": now})

    async def history(self, since_minutes: int, bucket_seconds: int) -> bytes:
        """A LatencyHistory as JSON: up to 8,641 buckets, written beside the loop that serves the other requests."""
        now = self._clock.now()
        since = now - timedelta(minutes=since_minutes)
        found = await self._samples.history(SHOWN, since, now, bucket_seconds)

        def written() -> bytes:
            snapshots = tuple(_snapshots(found))
            return (
                LatencyHistory.model_construct(
                    snapshots=snapshots,
                    count=len(snapshots),
                    window_minutes=since_minutes,
                    bucket_seconds=bucket_seconds,
                    timestamp=now,
                )
                .model_dump_json()
                .encode()
            )

        return await asyncio.to_thread(written)


def _snapshots(found: Mapping[str, Sequence[LatencyBucket]]) -> Sequence[LatencySnapshot]:
    return [
        LatencySnapshot.model_construct(
            timestamp=buckets[0].timestamp,
            stages=StageBuckets.model_construct(
                **{stage.value: bucket.figures for stage, bucket in zip(SHOWN, buckets, strict=True)}
            ),
        )
        for buckets in zip(*(found[stage] for stage in SHOWN), strict=True)
    ]
