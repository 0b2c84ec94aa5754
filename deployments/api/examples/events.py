"""Examples of events counted, and of events as a file."""

from typing import Any

from deployments.api.examples.pipeline import EVENT

EVENT_STATS = {
    "total_events": 44,
    "events_by_risk_level": {"critical": 2, "high": 5, "medium": 12, "low": 25},
    "events_by_camera": [
        {"camera_id": "front_door", "camera_name": "Front Door", "event_count": 30},
        {"camera_id": "back_yard", "camera_name": "Back Yard", "event_count": 14},
    ],
    "reviewed_events": 20,
    "unreviewed_events": 24,
    "average_risk_score": 34.5,
}

EVENT_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "headers": {"Content-Disposition": {"description": "A name with the date.", "schema": {"type": "string"}}},
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}},
                "example": [EVENT],
            },
        },
    }
}
