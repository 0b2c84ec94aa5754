"""Latencies: what the samples of one stage say, over a window or in each bucket of it."""

from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class Stage(StrEnum):
    """A stage of the pipeline; what each is computed from stands in storage/stage_latency.py."""

    WATCH = "watch"
    DETECT = "detect"
    BATCH = "batch"
    ANALYZE = "analyze"
    WATCH_TO_DETECT = "watch_to_detect"
    DETECT_TO_BATCH = "detect_to_batch"
    BATCH_TO_ANALYZE = "batch_to_analyze"
    TOTAL_PIPELINE = "total_pipeline"
    EVENT_TO_DELIVERY = "event_to_delivery"


class LatencyFigures(Frozen):
    """Exact figures of all samples. Percentiles are interpolated between the two nearest samples."""

    avg_ms: float = Field(ge=0)
    min_ms: float = Field(ge=0)
    max_ms: float = Field(ge=0)
    p50_ms: float = Field(ge=0)
    p95_ms: float = Field(ge=0)
    p99_ms: float = Field(ge=0)
    sample_count: int = Field(ge=1)


class BucketFigures(Frozen):
    """What a chart shows of one bucket."""

    avg_ms: float = Field(ge=0)
    p50_ms: float = Field(ge=0)
    p95_ms: float = Field(ge=0)
    p99_ms: float = Field(ge=0)
    sample_count: int = Field(ge=1)


class LatencyBucket(Frozen):
    """One bucket of one series."""

    timestamp: UtcTime
    """When it begins."""
    figures: BucketFigures | None
    """Null without samples."""
