"""What the documented answers are made of, and what one documented endpoint is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.system.documented.shapes import (
    ANYTHING,
    BOOLEAN,
    COUNT,
    NAME,
    NUMBER,
    PERCENT,
    SIZE,
    TEXT,
    TIME,
    UUID_TEXT,
    Fields,
    ListOf,
    Nullable,
    Number,
    OneOf,
    Shape,
    Text,
)


@dataclass(frozen=True)
class Documented:
    section: str
    """Where it is documented: A is the guide to system operations, B the system API's reference, C our contract."""
    method: str
    path: str
    answer: Shape
    status: tuple[int, ...] = (200,)
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


PART = Fields({"status": OneOf("healthy", "degraded", "unhealthy"), "message": Nullable(TEXT), "details": ANYTHING})
WORKERS = ("gpu_monitor", "cleanup_service", "detection_worker", "analysis_worker")
BROADCASTER = Fields({"state": OneOf("closed", "open", "half_open"), "failures": COUNT, "last_failure": Nullable(TIME)})
GPU = {
    "gpu_name": Nullable(NAME),
    "utilization": Nullable(PERCENT),
    "memory_used": Nullable(COUNT),
    "memory_total": Nullable(COUNT),
    "temperature": Nullable(NUMBER),
    "power_usage": Nullable(SIZE),
    "inference_fps": Nullable(SIZE),
}
CONFIG = Fields(
    {
        "app_name": OneOf("Home Security Intelligence"),
        "version": Text(r"\d+\.\d+\.\d+"),
        "retention_days": Number(1, 365, whole=True),
        "batch_window_seconds": Number(1, whole=True),
        "batch_idle_timeout_seconds": Number(1, whole=True),
        "detection_confidence_threshold": Number(0, 1),
    }
)
HISTORY_STAGE = Fields(
    {"avg_ms": SIZE, "p50_ms": SIZE, "p95_ms": SIZE, "p99_ms": SIZE, "sample_count": Number(1, whole=True)}
)
STAGE = HISTORY_STAGE.and_also(min_ms=SIZE, max_ms=SIZE)
STAGES = ("watch_to_detect", "detect_to_batch", "batch_to_analyze", "total_pipeline", "analyze", "event_to_delivery")
FILES = Fields({"file_count": COUNT, "size_bytes": COUNT})
ORPHANS = Fields({"orphaned_count": COUNT, "orphaned_size_bytes": COUNT, "files": ListOf(NAME)})
LEVEL = OneOf("low", "medium", "high", "critical")
SEVERITY = Fields(
    {
        "definitions": ListOf(
            Fields(
                {
                    "severity": LEVEL,
                    "label": NAME,
                    "description": NAME,
                    "color": Text(r"#[0-9a-f]{6}"),
                    "priority": Number(0, 3, whole=True),
                    "min_score": Number(0, 100, whole=True),
                    "max_score": Number(0, 100, whole=True),
                }
            ),
            least=4,
        ),
        "thresholds": Fields(
            {
                "low_max": Number(1, 98, whole=True),
                "medium_max": Number(2, 99, whole=True),
                "high_max": Number(3, 99, whole=True),
            }
        ),
    }
)
DAY = OneOf("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RULE = Fields(
    {
        "id": UUID_TEXT,
        "name": NAME,
        "enabled": BOOLEAN,
        "severity": LEVEL,
        "risk_threshold": Nullable(Number(0, 100, whole=True)),
        "object_types": Nullable(ListOf(NAME)),
        "camera_ids": Nullable(ListOf(NAME)),
        "schedule": Nullable(
            Fields({"days": ListOf(DAY), "start_time": Text(r"\d\d:\d\d"), "end_time": Text(r"\d\d:\d\d")})
        ),
        "cooldown_seconds": COUNT,
        "channels": ListOf(OneOf("email", "webhook", "push")),
    }
)
STEPPED_ALERT = Fields({"id": UUID_TEXT, "rule_id": Nullable(UUID_TEXT), "event_id": COUNT, "created_at": TIME})
LOG_LEVEL = OneOf("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG = Fields(
    {
        "id": COUNT,
        "timestamp": TIME,
        "level": LOG_LEVEL,
        "component": Nullable(NAME),
        "message": TEXT,
        "camera_id": Nullable(NAME),
        "request_id": Nullable(NAME),
        "duration_ms": Nullable(SIZE),
        "extra": ANYTHING,
        "source": OneOf("backend", "frontend"),
    }
)
PREFERENCES = Fields(
    {
        "id": OneOf(1),
        "enabled": BOOLEAN,
        "sound": OneOf("none", "default", "alert", "chime", "urgent"),
        "risk_filters": ListOf(LEVEL),
    }
)
CAMERA_SETTING = Fields(
    {"id": COUNT, "camera_id": NAME, "enabled": BOOLEAN, "risk_threshold": Number(0, 100, whole=True)}
)
WEEKDAY = OneOf("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
QUIET = Fields(
    {
        "id": COUNT,
        "label": NAME,
        "start_time": Text(r"\d\d:\d\d(:\d\d)?"),
        "end_time": Text(r"\d\d:\d\d(:\d\d)?"),
        "days": ListOf(WEEKDAY),
    }
)
SERVICE = Fields(
    {
        "name": NAME,
        "category": OneOf("infrastructure", "ai", "monitoring"),
        "status": NAME,
        "enabled": BOOLEAN,
        "failure_count": COUNT,
        "last_restart": Nullable(TIME),
    }
)
SUMMARY = Fields({"total": COUNT, "healthy": COUNT, "unhealthy": COUNT})
MODEL_STATUS = OneOf("loaded", "unloaded", "loading", "disabled", "error")
MODEL = Fields(
    {
        "name": NAME,
        "category": NAME,
        "status": MODEL_STATUS,
        "vram_mb": SIZE,
        "last_used": Nullable(TIME),
        "enabled": BOOLEAN,
        "display_name": NAME,
        "device": Nullable(NAME),
        "path": Nullable(TEXT),
        "load_count": COUNT,
    }
)
BREAKER = Fields(
    {
        "name": NAME,
        "state": OneOf("closed", "open", "half_open"),
        "failure_count": COUNT,
        "success_count": COUNT,
        "total_calls": COUNT,
        "rejected_calls": COUNT,
        "last_failure_time": Nullable(TIME),
        "opened_at": Nullable(TIME),
        "last_failure": Nullable(TIME),
        "last_state_change": Nullable(TIME),
        "config": Fields(
            {
                "failure_threshold": OneOf(5),
                "recovery_timeout": OneOf(30.0),
                "half_open_max_calls": OneOf(3),
                "success_threshold": OneOf(2),
            }
        ),
    }
)
ANOMALY = Fields(
    {
        "threshold_stdev": SIZE,
        "min_samples": Number(1, whole=True),
        "decay_factor": OneOf(0.1),
        "window_days": OneOf(30),
    }
)
FRONTEND_LOG = {
    "level": "ERROR",
    "message": "Failed to load component",
    "timestamp": "2024-01-21T12:00:00Z",
    "component": "Dashboard",
    "context": {"userId": "123", "action": "load"},
    "url": "/dashboard",
    "user_agent": "Mozilla/5.0...",
}
