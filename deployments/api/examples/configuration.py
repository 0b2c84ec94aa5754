"""Examples of the configuration, the severity levels and the anomaly configuration."""

from typing import Any

from domain.severity import definitions
from schemas.severity import SeverityBands

SYSTEM_CONFIG: dict[str, Any] = {
    "app_name": "Home Security Intelligence",
    "version": "0.1.0",
    "retention_days": 30,
    "batch_window_seconds": 90,
    "batch_idle_timeout_seconds": 30,
    "detection_confidence_threshold": 0.5,
}

SEVERITY: dict[str, Any] = {
    "definitions": [definition.model_dump(mode="json") for definition in definitions(SeverityBands())],
    "thresholds": {"low_max": 29, "medium_max": 59, "high_max": 84},
}

ANOMALY_CONFIG: dict[str, Any] = {"threshold_stdev": 3.0, "min_samples": 100, "decay_factor": 0.1, "window_days": 30}
