"""What an operator may change while the system runs; every worker reads it live."""

from pydantic import Field

from schemas.frozen import Frozen
from schemas.severity import SeverityBands

MOST_BATCH_SECONDS = 86_400
"""A day: a batch is one happening, and a longer one would be no event any more."""
MOST_DEVIATIONS = 1_000_000
MOST_SAMPLES = 1_000_000_000
"""More than a camera ever has: from either of these on nothing is called unusual any more."""

DEFAULT_CLASSES = ("person", "car", "truck", "bus", "motorcycle", "bicycle", "dog", "cat", "bird")


class RuntimeConfig(Frozen):
    retention_days: int = Field(default=30, ge=1, le=365)
    batch_window_seconds: int = Field(default=90, ge=1, le=MOST_BATCH_SECONDS)
    batch_idle_timeout_seconds: int = Field(default=30, ge=1, le=MOST_BATCH_SECONDS)
    detection_confidence_threshold: float = Field(default=0.5, ge=0, le=1)
    detection_classes: tuple[str, ...] = DEFAULT_CLASSES
    """Classes that are kept; empty keeps every class that the model knows."""
    urgent_classes: tuple[str, ...] = ()
    """Classes that close their batch at once."""
    severity: SeverityBands = SeverityBands()
    anomaly_threshold_stdev: float = Field(default=3.0, ge=0, le=MOST_DEVIATIONS)
    anomaly_min_samples: int = Field(default=100, ge=1, le=MOST_SAMPLES)
    anomaly_decay_factor: float = Field(default=0.1, gt=0, le=1)
    """Per day: a sighting t days old counts e^(-factor * t)."""
    anomaly_window_days: int = Field(default=30, ge=1)


SYSTEM_FIELDS = (
    "retention_days",
    "batch_window_seconds",
    "batch_idle_timeout_seconds",
    "detection_confidence_threshold",
)
"""What is changed by the system's configuration."""
ANOMALY_FIELDS = {"anomaly_threshold_stdev": "threshold_stdev", "anomaly_min_samples": "min_samples"}
"""What is changed by the anomaly configuration, and the names by which it is known there."""
