"""The documented endpoints, a row each: the section that documents it, what is asked and what must come back.

`{rule}`, `{alert}` and the like in a path stand for what the test has made in the running system.
"""

from collections.abc import Iterator, Mapping
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
    MapOf,
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


def _health() -> Iterator[Documented]:
    yield Documented("A Liveness Probe; B GET /health", "GET", "/health", Fields({"status": OneOf("alive")}))
    yield Documented(
        "A Fast Liveness Probe; C 2",
        "GET",
        "/api/system/health/live",
        Fields({"status": OneOf("alive"), "timestamp": TIME}),
    )
    yield Documented(
        "A Simple Readiness Probe; C 2", "GET", "/ready", Fields({"ready": OneOf(True), "status": OneOf("ready")})
    )
    yield Documented(
        "A Detailed Health Check; B GET /api/system/health",
        "GET",
        "/api/system/health",
        Fields(
            {
                "status": OneOf("healthy"),
                "services": Fields({"database": PART, "redis": PART, "ai": PART}),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Readiness Probe; B GET /api/system/health/ready",
        "GET",
        "/api/system/health/ready",
        Fields(
            {
                "ready": OneOf(True),
                "status": OneOf("ready"),
                "services": Fields({"database": PART, "redis": PART, "ai": PART}),
                "workers": ListOf(Fields({"name": NAME, "running": OneOf(True), "message": Nullable(TEXT)}), least=4),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Full Health Check",
        "GET",
        "/api/system/health/full",
        Fields(
            {
                "status": OneOf("healthy", "degraded"),
                "infrastructure": MapOf(Fields({"status": NAME, "latency_ms": SIZE}), has=("postgres", "redis")),
                "ai_services": MapOf(
                    Fields({"status": NAME}), has=("yolo26", "nemotron", "florence", "clip", "enrichment")
                ),
                "circuit_breakers": MapOf(Fields({"state": NAME, "failures": COUNT}), has=("yolo26",)),
                "workers": MapOf(Fields({"running": BOOLEAN}), has=WORKERS),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A WebSocket Health",
        "GET",
        "/api/system/health/websocket",
        Fields({"event_broadcaster": BROADCASTER, "system_broadcaster": BROADCASTER, "timestamp": TIME}),
    )


def _figures() -> Iterator[Documented]:
    yield Documented("A Current GPU Stats; B GET /api/system/gpu", "GET", "/api/system/gpu", Fields(GPU))
    yield Documented(
        "A GPU History; B GET /api/system/gpu/history",
        "GET",
        "/api/system/gpu/history",
        Fields({"samples": ListOf(Fields({**GPU, "recorded_at": TIME})), "count": COUNT, "limit": OneOf(300)}),
    )
    yield Documented(
        "A System Statistics; B GET /api/system/stats",
        "GET",
        "/api/system/stats",
        Fields({"total_cameras": COUNT, "total_events": COUNT, "total_detections": COUNT, "uptime_seconds": SIZE}),
    )
    yield Documented(
        "A Storage Statistics; B GET /api/system/storage",
        "GET",
        "/api/system/storage",
        Fields(
            {
                "disk_used_bytes": COUNT,
                "disk_total_bytes": COUNT,
                "disk_free_bytes": COUNT,
                "disk_usage_percent": PERCENT,
                "thumbnails": FILES,
                "images": FILES,
                "clips": FILES,
                "events_count": COUNT,
                "detections_count": COUNT,
                "gpu_stats_count": COUNT,
                "logs_count": COUNT,
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Pipeline Telemetry; B GET /api/system/telemetry; C 1",
        "GET",
        "/api/system/telemetry",
        Fields(
            {
                "queues": MapOf(COUNT, has=("detection_queue", "analysis_queue")),
                "latencies": MapOf(Nullable(STAGE), has=("watch", "detect", "batch", "analyze")),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Pipeline status; B GET /api/system/pipeline",
        "GET",
        "/api/system/pipeline",
        Fields(
            {
                "file_watcher": Nullable(
                    Fields(
                        {
                            "running": BOOLEAN,
                            "camera_root": NAME,
                            "pending_tasks": COUNT,
                            "observer_type": OneOf("native", "polling"),
                        }
                    )
                ),
                "batch_aggregator": Nullable(
                    Fields(
                        {
                            "active_batches": COUNT,
                            "batches": ListOf(
                                Fields(
                                    {
                                        "batch_id": NAME,
                                        "camera_id": NAME,
                                        "detection_count": COUNT,
                                        "started_at": NUMBER,
                                        "age_seconds": SIZE,
                                        "last_activity_seconds": SIZE,
                                    }
                                )
                            ),
                            "batch_window_seconds": COUNT,
                            "idle_timeout_seconds": COUNT,
                        }
                    )
                ),
                "degradation": Nullable(
                    Fields(
                        {
                            "mode": OneOf("normal", "degraded", "minimal", "offline"),
                            "is_degraded": BOOLEAN,
                            "redis_healthy": BOOLEAN,
                            "memory_queue_size": COUNT,
                            "fallback_queues": MapOf(COUNT),
                            "services": ListOf(
                                Fields(
                                    {
                                        "name": NAME,
                                        "status": NAME,
                                        "last_check": Nullable(NUMBER),
                                        "consecutive_failures": COUNT,
                                        "error_message": Nullable(TEXT),
                                    }
                                )
                            ),
                            "available_features": ListOf(NAME),
                        }
                    )
                ),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Performance Metrics",
        "GET",
        "/api/system/performance",
        Fields(
            {
                "gpu": Nullable(
                    Fields(
                        {
                            "utilization": Nullable(PERCENT),
                            "memory_used_mb": Nullable(COUNT),
                            "memory_total_mb": Nullable(COUNT),
                            "temperature_c": Nullable(NUMBER),
                            "power_watts": Nullable(SIZE),
                        }
                    )
                ),
                "ai_models": MapOf(Fields({"status": NAME, "vram_mb": Nullable(SIZE)}), has=("yolo26", "nemotron")),
                "inference": Fields(
                    {
                        "avg_latency_ms": Nullable(SIZE),
                        "p95_latency_ms": Nullable(SIZE),
                        "throughput_fps": Nullable(SIZE),
                    }
                ),
                "databases": Fields(
                    {
                        "postgres": Fields({"status": OneOf("healthy"), "connections": COUNT}),
                        "redis": Fields({"status": OneOf("healthy"), "memory_mb": SIZE}),
                    }
                ),
                "host": Fields({"cpu_percent": PERCENT, "ram_percent": PERCENT, "disk_percent": PERCENT}),
                "containers": ListOf(Fields({"name": NAME, "status": NAME}), least=1),
                "alerts": ListOf(ANYTHING),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Performance History",
        "GET",
        "/api/system/performance/history",
        Fields({"snapshots": ListOf(Fields({"timestamp": TIME}), least=1), "time_range": OneOf("5m"), "count": COUNT}),
    )
    yield Documented(
        "A Pipeline Latency; B GET /api/system/pipeline-latency; C 1",
        "GET",
        "/api/system/pipeline-latency",
        Fields({**{stage: Nullable(STAGE) for stage in STAGES}, "window_minutes": OneOf(60), "timestamp": TIME}),
    )
    yield Documented(
        "A Pipeline Latency History; B GET /api/system/pipeline-latency/history; C 1",
        "GET",
        "/api/system/pipeline-latency/history",
        Fields(
            {
                "snapshots": ListOf(
                    Fields({"timestamp": TIME, "stages": MapOf(Nullable(HISTORY_STAGE), has=STAGES[:4])})
                ),
                "window_minutes": OneOf(60),
                "bucket_seconds": OneOf(60),
                "count": COUNT,
                "timestamp": TIME,
            }
        ),
    )


def _configuration() -> Iterator[Documented]:
    yield Documented("A Get Configuration; B GET /api/system/config", "GET", "/api/system/config", CONFIG)
    yield Documented(
        "A Update Configuration; B PATCH /api/system/config",
        "PATCH",
        "/api/system/config",
        CONFIG.and_also(retention_days=OneOf(14)),
        body={"retention_days": 14},
    )
    yield Documented("A Get Severity Definitions; B GET /api/system/severity", "GET", "/api/system/severity", SEVERITY)
    yield Documented(
        "A Update Severity Thresholds; B PUT /api/system/severity",
        "PUT",
        "/api/system/severity",
        SEVERITY,
        body={"low_max": 29, "medium_max": 59, "high_max": 84},
    )
    yield Documented("A Get Anomaly Config; C 2", "GET", "/api/system/anomaly-config", ANOMALY)
    yield Documented(
        "A Update Anomaly Config; C 2",
        "PATCH",
        "/api/system/anomaly-config",
        ANOMALY.and_also(threshold_stdev=OneOf(2.5), min_samples=OneOf(50)),
        body={"threshold_stdev": 2.5, "min_samples": 50},
    )


def _cleanup() -> Iterator[Documented]:
    yield Documented(
        "A Cleanup Status; B GET /api/system/cleanup/status",
        "GET",
        "/api/system/cleanup/status",
        Fields(
            {
                "running": OneOf(True),
                "retention_days": Number(1, 365, whole=True),
                "cleanup_time": Text(r"\d\d:\d\d"),
                "delete_images": OneOf(False),
                "next_cleanup": Nullable(TIME),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Trigger Cleanup; B POST /api/system/cleanup",
        "POST",
        "/api/system/cleanup",
        Fields(
            {
                **{
                    f"{what}_deleted": COUNT
                    for what in ("events", "detections", "gpu_stats", "logs", "thumbnails", "images")
                },
                "space_reclaimed": COUNT,
                "retention_days": Number(1, 365, whole=True),
                "dry_run": OneOf(True),
                "timestamp": TIME,
            }
        ),
        query={"dry_run": "true"},
    )
    yield Documented(
        "A Orphaned File Cleanup",
        "POST",
        "/api/system/cleanup/orphaned-files",
        Fields(
            {
                "thumbnails": ORPHANS,
                "clips": ORPHANS,
                "total_orphaned_files": COUNT,
                "total_size_bytes": COUNT,
                "dry_run": OneOf(True),
                "timestamp": TIME,
            }
        ),
    )


def _alerts() -> Iterator[Documented]:
    yield Documented(
        "A List Alert Rules", "GET", "/api/alerts/rules", Fields({"rules": ListOf(RULE, least=1), "count": COUNT})
    )
    yield Documented(
        "A Create Alert Rule",
        "POST",
        "/api/alerts/rules",
        RULE,
        status=(201,),
        body={
            "name": "Critical Person Detection",
            "severity": "critical",
            "risk_threshold": 85,
            "object_types": ["person"],
            "schedule": {
                "days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
                "start_time": "00:00",
                "end_time": "06:00",
            },
            "cooldown_seconds": 600,
            "channels": ["email", "webhook"],
        },
    )
    yield Documented("A Alert Rules", "GET", "/api/alerts/rules/{rule}", RULE)
    yield Documented("A Alert Rules; C 2", "PUT", "/api/alerts/rules/{rule}", RULE, body={"description": "of a test"})
    yield Documented(
        "A Test Alert Rule; C 2",
        "POST",
        "/api/alerts/rules/{rule}/test",
        Fields(
            {
                "rule_id": UUID_TEXT,
                "rule_name": NAME,
                "events_tested": COUNT,
                "events_matched": COUNT,
                "match_rate": Number(0, 1),
                "results": ListOf(
                    Fields(
                        {
                            "event_id": COUNT,
                            "camera_id": NAME,
                            "risk_score": Number(0, 100, whole=True),
                            "object_types": ListOf(NAME),
                            "matches": BOOLEAN,
                            "matched_conditions": ANYTHING,
                            "started_at": TIME,
                        }
                    ),
                    least=1,
                ),
            }
        ),
        body={"test_time": "2025-12-23T03:00:00Z", "limit": 50},
    )
    yield Documented(
        "A Acknowledge Alert",
        "POST",
        "/api/alerts/{alert}/acknowledge",
        STEPPED_ALERT.and_also(status=OneOf("acknowledged"), acknowledged_at=TIME),
    )
    yield Documented(
        "A Dismiss Alert",
        "POST",
        "/api/alerts/{alert}/dismiss",
        STEPPED_ALERT.and_also(status=OneOf("dismissed"), dismissed_at=TIME),
    )
    yield Documented("A Alert Rules; C 2", "DELETE", "/api/alerts/rules/{spare_rule}", ANYTHING, status=(204,))


def _logs() -> Iterator[Documented]:
    said = Fields({"success": OneOf(True), "count": OneOf(1), "message": NAME})
    yield Documented("A Submit Frontend Log; C 2", "POST", "/api/logs/frontend", said, status=(201,), body=FRONTEND_LOG)
    yield Documented(
        "A Batch Log Entries; C 2",
        "POST",
        "/api/logs/frontend/batch",
        said.and_also(count=OneOf(2)),
        status=(201,),
        body={"entries": [FRONTEND_LOG, {"level": "INFO", "message": "Page loaded successfully", "component": "App"}]},
    )
    yield Documented("A List Logs", "GET", "/api/logs", Fields({"logs": ListOf(LOG, least=1), "count": COUNT}))
    yield Documented(
        "A Log Statistics",
        "GET",
        "/api/logs/stats",
        Fields(
            {
                "total_today": COUNT,
                "errors_today": COUNT,
                "warnings_today": COUNT,
                "by_component": MapOf(COUNT),
                "by_level": MapOf(COUNT),
                "top_component": Nullable(NAME),
            }
        ),
    )
    yield Documented("A Logs", "GET", "/api/logs/{log}", LOG)


def _notifications() -> Iterator[Documented]:
    base = "/api/notification-preferences"
    yield Documented("A Global Preferences; C 2", "GET", base, PREFERENCES)
    yield Documented(
        "A Update Global Preferences",
        "PUT",
        base,
        PREFERENCES.and_also(sound=OneOf("alert")),
        body={"enabled": True, "sound": "alert", "risk_filters": ["critical", "high"]},
    )
    yield Documented(
        "A Camera-Specific Settings",
        "PUT",
        base + "/cameras/{camera}",
        CAMERA_SETTING.and_also(risk_threshold=OneOf(75)),
        body={"enabled": True, "risk_threshold": 75},
    )
    yield Documented(
        "A Notification Preferences; C 2",
        "GET",
        base + "/cameras",
        Fields({"settings": ListOf(CAMERA_SETTING, least=1), "count": COUNT}),
    )
    yield Documented("A Notification Preferences; C 2", "GET", base + "/cameras/{camera}", CAMERA_SETTING)
    yield Documented(
        "A Quiet Hours",
        "POST",
        base + "/quiet-hours",
        QUIET,
        status=(201,),
        body={
            "label": "Night Hours",
            "start_time": "22:00:00",
            "end_time": "23:59:00",
            "days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
        },
    )
    yield Documented(
        "A Quiet Hours; C 2", "GET", base + "/quiet-hours", Fields({"periods": ListOf(QUIET, least=1), "count": COUNT})
    )
    yield Documented("A Quiet Hours; C 2", "DELETE", base + "/quiet-hours/{period}", ANYTHING, status=(204,))
    yield Documented(
        "A Get Notification Configuration",
        "GET",
        "/api/notification/config",
        Fields(
            {
                "notification_enabled": BOOLEAN,
                "email_configured": OneOf(True),
                "webhook_configured": OneOf(True),
                "push_configured": OneOf(False),
                "available_channels": ListOf(OneOf("email", "webhook"), least=2),
                "smtp_host": NAME,
                "smtp_port": Number(1, 65535, whole=True),
                "smtp_from_address": NAME,
            }
        ),
    )
    yield Documented(
        "A Test Notification",
        "POST",
        "/api/notification/test",
        Fields({"channel": OneOf("email"), "success": OneOf(True), "message": NAME}),
        body={"channel": "email", "email_recipients": ["owner@example.org"]},
    )


def _services() -> Iterator[Documented]:
    def action(name: str) -> Fields:
        return Fields(
            {
                "action": OneOf(name),
                "service": OneOf("gpu_monitor"),
                "success": OneOf(True),
                "message": NAME,
                "service_info": Fields(
                    {"name": OneOf("gpu_monitor"), "status": NAME, "enabled": BOOLEAN, "failure_count": COUNT}
                ),
            }
        )

    yield Documented(
        "A List Services",
        "GET",
        "/api/system/services",
        Fields(
            {
                "services": ListOf(SERVICE, least=14),
                "summaries": MapOf(SUMMARY, has=("infrastructure", "ai", "monitoring")),
            }
        ),
    )
    for name in ("restart", "disable", "enable"):
        path = "/api/system/services/gpu_monitor/" + name
        yield Documented(f"A {name.title()} Service", "POST", path, action(name))
    yield Documented(
        "A Start Service", "POST", "/api/system/services/gpu_monitor/start", ANYTHING, status=(400,)
    )  # it runs already


def _models() -> Iterator[Documented]:
    yield Documented(
        "A Get Model Registry; C 7",
        "GET",
        "/api/system/models",
        Fields(
            {
                "vram_budget_mb": OneOf(1650),
                "vram_used_mb": SIZE,
                "vram_available_mb": SIZE,
                "models": ListOf(MODEL, least=18),
            }
        ),
    )
    yield Documented(
        "A Get Model Status",
        "GET",
        "/api/system/models/yolo11-license-plate",
        MODEL.and_also(load_time_ms=Nullable(SIZE), inference_count=COUNT),
    )
    yield Documented(
        "A Model Zoo Status",
        "GET",
        "/api/system/model-zoo/status",
        Fields(
            {
                "models": ListOf(
                    Fields({"name": NAME, "category": NAME, "status": MODEL_STATUS, "vram_mb": SIZE}), least=18
                ),
                "categories": MapOf(Fields({"loaded": COUNT, "total": COUNT}), has=("detection", "ocr", "embedding")),
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Model Latency History",
        "GET",
        "/api/system/model-zoo/latency/history",
        Fields(
            {"model": OneOf("yolo11-license-plate"), "snapshots": ListOf(Fields({"timestamp": TIME})), "count": COUNT}
        ),
        query={"model": "yolo11-license-plate"},
    )


def _rest() -> Iterator[Documented]:
    yield Documented(
        "B GET /api/system/circuit-breakers; C 1",
        "GET",
        "/api/system/circuit-breakers",
        Fields(
            {
                "circuit_breakers": MapOf(BREAKER, has=("yolo26",)),
                "total_count": COUNT,
                "open_count": COUNT,
                "timestamp": TIME,
            }
        ),
    )
    yield Documented(
        "A Reset Circuit Breaker; B POST /api/system/circuit-breakers/{name}/reset; C 1",
        "POST",
        "/api/system/circuit-breakers/yolo26/reset",
        Fields(
            {
                "name": OneOf("yolo26"),
                "previous_state": OneOf("closed", "open", "half_open"),
                "new_state": OneOf("closed"),
                "message": NAME,
                "timestamp": TIME,
            }
        ),
    )
    yield Documented("A Get Metrics", "GET", "/api/metrics", ANYTHING)
    yield Documented(
        "A List WebSocket Event Types; C 6",
        "GET",
        "/api/system/websocket/events",
        Fields(
            {
                "event_types": ListOf(
                    Fields(
                        {
                            "type": NAME,
                            "channel": OneOf("detections", "events", "alerts", "cameras", "jobs", "system"),
                            "description": NAME,
                            "deprecated": BOOLEAN,
                            "payload_schema": MapOf(ANYTHING, has=("properties",)),
                            "example": MapOf(ANYTHING),
                        }
                    ),
                    least=24,
                ),
                "channels": ListOf(NAME, least=6),
                "total_count": OneOf(24),
                "deprecated_count": OneOf(2),
            }
        ),
    )


DOCUMENTED: tuple[Documented, ...] = (
    *_health(),
    *_figures(),
    *_configuration(),
    *_cleanup(),
    *_alerts(),
    *_logs(),
    *_notifications(),
    *_services(),
    *_models(),
    *_rest(),
)

REFUSED: tuple[tuple[str, str, dict[str, Any], Any, int], ...] = (
    # method, path, query, body, status: the documented ranges, one step beyond each end, and the documented errors
    ("GET", "/api/system/gpu/history", {"limit": 5001}, None, 422),
    ("GET", "/api/system/gpu/history", {"limit": 0}, None, 422),
    ("GET", "/api/system/gpu/history", {"since": "yesterday"}, None, 422),
    ("GET", "/api/system/performance/history", {"time_range": "7m"}, None, 422),
    ("GET", "/api/system/pipeline-latency", {"window_minutes": 0}, None, 422),
    ("GET", "/api/system/pipeline-latency", {"window_minutes": 1441}, None, 422),
    ("GET", "/api/system/pipeline-latency/history", {"since": 0}, None, 422),
    ("GET", "/api/system/pipeline-latency/history", {"since": 1441}, None, 422),
    ("GET", "/api/system/pipeline-latency/history", {"bucket_seconds": 9}, None, 422),
    ("GET", "/api/system/pipeline-latency/history", {"bucket_seconds": 3601}, None, 422),
    ("GET", "/api/system/model-zoo/latency/history", {}, None, 422),
    ("GET", "/api/system/model-zoo/latency/history", {"model": "no-such-model"}, None, 404),
    ("GET", "/api/system/model-zoo/latency/history", {"model": "yolo11-face", "bucket_seconds": 9}, None, 422),
    ("GET", "/api/system/models/no-such-model", {}, None, 404),
    ("PATCH", "/api/system/config", {}, {"retention_days": 0}, 422),
    ("PATCH", "/api/system/config", {}, {"retention_days": 366}, 422),
    ("PATCH", "/api/system/config", {}, {"batch_window_seconds": 0}, 422),
    ("PATCH", "/api/system/config", {}, {"batch_idle_timeout_seconds": 0}, 422),
    ("PATCH", "/api/system/config", {}, {"detection_confidence_threshold": 1.01}, 422),
    ("PATCH", "/api/system/config", {}, {"detection_confidence_threshold": -0.01}, 422),
    ("PATCH", "/api/system/config", {}, {"app_name": "Mine"}, 422),
    ("PATCH", "/api/system/config", {}, {"no_such_field": 1}, 422),
    ("PUT", "/api/system/severity", {}, {"low_max": 59, "medium_max": 59, "high_max": 84}, 400),
    ("PUT", "/api/system/severity", {}, {"low_max": 0, "medium_max": 59, "high_max": 84}, 422),
    ("PUT", "/api/system/severity", {}, {"low_max": 29, "medium_max": 59, "high_max": 100}, 422),
    ("PUT", "/api/system/severity", {}, {"low_max": 29, "medium_max": 59}, 422),
    ("PATCH", "/api/system/anomaly-config", {}, {"threshold_stdev": -1}, 422),
    ("PATCH", "/api/system/anomaly-config", {}, {"min_samples": 0}, 422),
    ("PATCH", "/api/system/anomaly-config", {}, {"decay_factor": 0.2}, 422),
    ("PATCH", "/api/system/anomaly-config", {}, {"window_days": 7}, 422),
    ("POST", "/api/alerts/rules", {}, {"severity": "critical"}, 422),
    ("GET", "/api/alerts/rules/550e8400-e29b-41d4-a716-446655440000", {}, None, 404),
    ("POST", "/api/alerts/550e8400-e29b-41d4-a716-446655440000/acknowledge", {}, None, 404),
    ("POST", "/api/alerts/550e8400-e29b-41d4-a716-446655440000/dismiss", {}, None, 404),
    ("POST", "/api/alerts/{alert}/acknowledge", {}, None, 409),
    ("POST", "/api/alerts/{alert}/dismiss", {}, None, 409),
    ("GET", "/api/logs", {"limit": 1001}, None, 422),
    ("GET", "/api/logs", {"level": "LOUD"}, None, 422),
    ("GET", "/api/logs/9000000000000", {}, None, 404),
    ("POST", "/api/logs/frontend", {}, {"message": "no level"}, 422),
    ("POST", "/api/logs/frontend/batch", {}, {"entries": []}, 422),
    ("POST", "/api/logs/frontend/batch", {}, {"entries": [FRONTEND_LOG] * 101}, 422),
    ("PUT", "/api/notification-preferences", {}, {"sound": "siren"}, 400),
    ("PUT", "/api/notification-preferences", {}, {"risk_filters": ["extreme"]}, 400),
    ("GET", "/api/notification-preferences/cameras/no_such_camera", {}, None, 404),
    ("PUT", "/api/notification-preferences/cameras/no_such_camera", {}, {"enabled": True}, 404),
    ("PUT", "/api/notification-preferences/cameras/{camera}", {}, {"risk_threshold": 101}, 422),
    (
        "POST",
        "/api/notification-preferences/quiet-hours",
        {},
        {"label": "Never", "start_time": "22:00", "end_time": "22:00", "days": ["monday"]},
        400,
    ),
    ("DELETE", "/api/notification-preferences/quiet-hours/{period}", {}, None, 404),
    ("POST", "/api/notification/test", {}, {"channel": "pigeon"}, 422),
    ("GET", "/api/system/services", {"category": "kitchen"}, None, 422),
    ("POST", "/api/system/services/no_such_service/restart", {}, None, 404),
    ("POST", "/api/system/services/no_such_service/start", {}, None, 404),
    ("POST", "/api/system/services/no_such_service/enable", {}, None, 404),
    ("POST", "/api/system/services/no_such_service/disable", {}, None, 404),
    ("POST", "/api/system/circuit-breakers/no_such_breaker/reset", {}, None, 404),
    ("POST", "/api/system/circuit-breakers/bad%20name/reset", {}, None, 400),
    ("POST", f"/api/system/circuit-breakers/{'a' * 65}/reset", {}, None, 400),
    ("GET", "/api/dlq/jobs/no_such_queue", {}, None, 422),
)
