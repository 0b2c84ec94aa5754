"""What an operator may change while the system runs; every worker reads it live."""

from pydantic import Field

from schemas.frozen import Frozen
from schemas.severity import SeverityBands

DEFAULT_CLASSES = ("person", "car", "truck", "bus", "motorcycle", "bicycle", "dog", "cat", "bird")


class RuntimeConfig(Frozen):
    retention_days: int = Field(default=30, ge=1, le=365)
    batch_window_seconds: int = Field(default=90, ge=1)
    batch_idle_timeout_seconds: int = Field(default=30, ge=1)
    detection_confidence_threshold: float = Field(default=0.5, ge=0, le=1)
    detection_classes: tuple[str, ...] = DEFAULT_CLASSES
    """Classes that are kept; empty keeps every class that the model knows."""
    urgent_classes: tuple[str, ...] = ()
    """Classes that close their batch at once."""
    severity: SeverityBands = SeverityBands()
    anomaly_threshold_stdev: float = Field(default=3.0, ge=0)
    anomaly_min_samples: int = Field(default=100, ge=1)
    anomaly_decay_factor: float = Field(default=0.1, gt=0, le=1)
    """Per day: a sighting t days old counts e^(-factor * t)."""
    anomaly_window_days: int = Field(default=30, ge=1)
