"""Examples of the log, and of what pages send to it."""

from typing import Any

LOG: dict[str, Any] = {
    "id": 1,
    "timestamp": "2025-12-23T10:30:00Z",
    "level": "ERROR",
    "component": "detection_worker",
    "message": "media 9001 of front_door is dead: the JPEG is cut off: its end is missing",
    "camera_id": "front_door",
    "request_id": None,
    "duration_ms": None,
    "extra": {"logger": "actors.detection_worker"},
    "source": "backend",
}

LOG_STATS: dict[str, Any] = {
    "total_today": 5000,
    "errors_today": 15,
    "warnings_today": 50,
    "by_component": {"detection_worker": 3200, "analysis_worker": 1800},
    "by_level": {"INFO": 4935, "WARNING": 50, "ERROR": 15},
    "top_component": "detection_worker",
}

TAKEN: dict[str, Any] = {"success": True, "count": 1, "message": "1 log entry stored"}
BATCH_TAKEN: dict[str, Any] = {"success": True, "count": 3, "message": "3 log entries stored"}
BATCH_REFUSED: dict[str, Any] = {
    "success": False,
    "count": 0,
    "message": "Batch must contain 1-100 entries",
    "errors": ["entries: Tuple should have at most 100 items after validation, not 101"],
}

METRICS = """\
# HELP http_requests_total HTTP requests answered, by the route's template.
# TYPE http_requests_total counter
http_requests_total{method="GET",endpoint="/api/events",status="200"} 1523.0
# HELP active_events_count Events of the last 24 hours that nobody has reviewed.
# TYPE active_events_count gauge
active_events_count 3.0
"""
