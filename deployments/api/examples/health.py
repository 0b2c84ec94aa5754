"""Examples of the health reports."""

from typing import Any

HEALTH: dict[str, Any] = {
    "status": "healthy",
    "services": {
        "database": {"status": "healthy", "message": "Database operational", "details": None},
        "redis": {"status": "healthy", "message": "Redis connected", "details": {"redis_version": "7.0.0"}},
        "ai": {
            "status": "healthy",
            "message": "AI services operational",
            "details": {"yolo26": "healthy", "nemotron": "not_configured", "checked_seconds_ago": 12.4},
        },
        "pipeline": {"status": "healthy", "message": "Pipeline workers running", "details": None},
    },
    "timestamp": "2025-12-23T10:30:00Z",
}

_NOT_CONFIGURED: dict[str, Any] = {"status": "not_configured", "loaded": False, "checked_seconds_ago": None}

FULL_HEALTH: dict[str, Any] = {
    "status": "healthy",
    "infrastructure": {
        "postgres": {"status": "healthy", "latency_ms": 5.2, "message": None},
        "redis": {"status": "healthy", "latency_ms": 1.1, "message": None},
    },
    "ai_services": {
        "yolo26": {"status": "healthy", "loaded": True, "message": None, "checked_seconds_ago": 12.4},
        "nemotron": {**_NOT_CONFIGURED, "message": "no language model is configured"},
        "florence": {**_NOT_CONFIGURED, "message": "it is switched off"},
        "clip": {
            "status": "healthy",
            "loaded": False,
            "message": "it is loaded at its first use",
            "checked_seconds_ago": None,
        },
        "enrichment": {"status": "healthy", "loaded": False, "message": None, "checked_seconds_ago": None},
    },
    "circuit_breakers": {
        "yolo26": {"state": "closed", "failures": 0},
        "nemotron": {"state": "not_configured", "failures": None},
    },
    "workers": {
        name: {"running": True, "message": None}
        for name in (
            "file_watcher",
            "detection_worker",
            "batch_aggregator",
            "analysis_worker",
            "alert_dispatcher",
            "gpu_monitor",
            "cleanup_service",
            "performance_monitor",
        )
    },
    "timestamp": "2025-12-23T10:30:00Z",
}

_CLOSED: dict[str, Any] = {"state": "closed", "failures": 0, "last_failure": None}

WEBSOCKET_HEALTH: dict[str, Any] = {
    "event_broadcaster": _CLOSED,
    "system_broadcaster": _CLOSED,
    "timestamp": "2025-12-23T10:30:00Z",
}
