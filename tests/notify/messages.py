"""The alert that the tests of the channels send."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from notify.message import AlertMessage
from schemas.severity import Severity

# The smallest file that starts and ends as a JPEG does.
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8 + b"\xff\xd9"


def alert(**changes: Any) -> AlertMessage:
    """An alert with every field set, and `changes`."""
    fields: dict[str, Any] = {
        "idempotency_key": "7b0f1c9e:email:0",
        "alert_id": UUID("550e8400-e29b-41d4-a716-446655440000"),
        "severity": Severity.HIGH,
        "created_at": datetime(2025, 11, 22, 5, 30, 14, tzinfo=UTC),
        "event_id": 123,
        "started_at": datetime(2025, 11, 22, 5, 30, 12, tzinfo=UTC),
        "risk_score": 78,
        "risk_level": Severity.HIGH,
        "summary": "A person stands at the door",
        "reasoning": "One person at night.\nUnusual for this hour.",
        "object_types": ("person", "car"),
        "assessment": "provisional",
        "assessed_by": "deterministic",
        "camera_id": "front_door",
        "camera_name": "Front Door",
        "rule_id": UUID("550e8400-e29b-41d4-a716-446655440001"),
        "rule_name": "Person at night",
        "matched_conditions": {"risk_threshold": 75, "object_types": ["person"]},
        "timezone": "Europe/Berlin",
        "console_url": "https://home.example/events/123",
        "picture": PICTURE,
    }
    return AlertMessage(**(fields | changes))
