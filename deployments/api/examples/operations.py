"""Examples of the system by hand: services, circuit breakers, dead letters."""

from typing import Any

SERVICE: dict[str, Any] = {
    "name": "detection_worker",
    "category": "infrastructure",
    "status": "running",
    "enabled": True,
    "failure_count": 0,
    "last_restart": "2025-12-23T10:12:44Z",
    "restarts": 0,
    "next_restart_at": None,
    "message": None,
    "checked_at": "2025-12-23T10:29:59Z",
}

_NONE_OFF = {"disabled": 0, "not_configured": 0}
SERVICES: dict[str, Any] = {
    "services": [SERVICE],
    "summaries": {
        "infrastructure": {"total": 9, "healthy": 9, "unhealthy": 0, **_NONE_OFF},
        "ai": {"total": 3, "healthy": 2, "unhealthy": 0, "disabled": 0, "not_configured": 1},
        "monitoring": {"total": 2, "healthy": 2, "unhealthy": 0, **_NONE_OFF},
    },
    "count": 1,
    "timestamp": "2025-12-23T10:30:00Z",
}


def service_action(action: str, said: str, **changed: Any) -> dict[str, Any]:
    return {
        "action": action,
        "service": SERVICE["name"],
        "success": True,
        "message": said,
        "service_info": SERVICE | changed,
    }


SERVICE_RESTART = service_action("restart", "Service detection_worker restarted successfully")
SERVICE_START = service_action("start", "Service detection_worker started successfully")
SERVICE_ENABLE = service_action("enable", "Service detection_worker enabled successfully")
SERVICE_DISABLE = service_action(
    "disable",
    "Service detection_worker disabled; it stays down until it is enabled",
    enabled=False,
    status="disabled",
    message="switched off by hand; enable it to start it again",
)

BREAKERS: dict[str, Any] = {
    "circuit_breakers": {
        "yolo26": {
            "name": "yolo26",
            "state": "closed",
            "failure_count": 0,
            "success_count": 150,
            "total_calls": 150,
            "rejected_calls": 0,
            "last_failure_time": None,
            "opened_at": None,
            "last_failure": None,
            "last_state_change": "2025-12-23T08:00:00Z",
            "config": {
                "failure_threshold": 5,
                "recovery_timeout": 30.0,
                "half_open_max_calls": 3,
                "success_threshold": 2,
            },
        }
    },
    "total_count": 1,
    "open_count": 0,
    "timestamp": "2025-12-23T10:30:00Z",
}

BREAKER_RESET: dict[str, Any] = {
    "name": "yolo26",
    "previous_state": "open",
    "new_state": "closed",
    "message": "Circuit breaker 'yolo26' reset successfully from open to closed",
    "timestamp": "2025-12-23T10:30:00Z",
}

DEAD_LETTER_COUNTS: dict[str, Any] = {
    "detection_queue_count": 3,
    "analysis_queue_count": 0,
    "notification_queue_count": 1,
    "total_count": 4,
}

DEAD_LETTER: dict[str, Any] = {
    "id": "4711",
    "queue": "detection_queue",
    "reason": "the picture ends in the middle",
    "attempts": 1,
    "queued_at": "2025-12-23T10:28:01Z",
    "failed_at": "2025-12-23T10:28:03Z",
    "camera_id": "front_door",
    "file_path": "/srv/cameras/Front Door/20251223_102800.jpg",
    "media_type": "image",
    "started_at": None,
    "detection_count": None,
    "alert_id": None,
    "channel": None,
    "recipient": None,
}

REQUEUED: dict[str, Any] = {"queue": "detection_queue", "requeued": 1, "duplicates": 0, "ids": ["4711"]}

CLEARED: dict[str, Any] = {"queue": "detection_queue", "cleared": 3}
