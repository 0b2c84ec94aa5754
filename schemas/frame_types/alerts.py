"""Frames of the channel `alerts`."""

from typing import Any, ClassVar
from uuid import UUID

from schemas.alert import AlertStatus
from schemas.frame import LiveChannel
from schemas.frame_types.payload import Payload
from schemas.frozen import UtcTime
from schemas.severity import Severity

_ALERT = "6a1b7c3e-54cf-4f0e-9f51-3c5f0a3b2d10"
_RULE = "550e8400-e29b-41d4-a716-446655440000"


class AlertCreated(Payload):
    """A rule matched an event."""

    frame_type = "alert.created"
    channel = LiveChannel.ALERTS
    example: ClassVar[dict[str, Any]] = {
        "id": _ALERT,
        "event_id": 42,
        "rule_id": _RULE,
        "severity": "high",
        "status": "pending",
        "dedup_key": f"front_door:{_RULE}",
        "message": "Night intruder: a person at the front door at night",
        "created_at": "2025-12-23T02:14:12Z",
    }

    id: UUID
    event_id: int
    rule_id: UUID | None
    severity: Severity
    status: AlertStatus
    dedup_key: str
    message: str
    created_at: UtcTime


class AlertUpdated(Payload):
    """An alert took a step: delivered, acknowledged or dismissed."""

    frame_type = "alert.updated"
    channel = LiveChannel.ALERTS
    example: ClassVar[dict[str, Any]] = {
        "id": _ALERT,
        "event_id": 42,
        "rule_id": _RULE,
        "severity": "high",
        "status": "delivered",
        "updated_at": "2025-12-23T02:14:13Z",
    }

    id: UUID
    event_id: int
    rule_id: UUID | None
    """Null once the rule has been deleted."""
    severity: Severity
    status: AlertStatus
    updated_at: UtcTime


class AlertAcknowledged(Payload):
    """Somebody has taken the alert on."""

    frame_type = "alert.acknowledged"
    channel = LiveChannel.ALERTS
    example: ClassVar[dict[str, Any]] = {"id": _ALERT, "event_id": 42, "acknowledged_at": "2025-12-23T02:20:00Z"}

    id: UUID
    event_id: int
    acknowledged_at: UtcTime


class AlertResolved(Payload):
    """An alert that somebody had taken on is closed."""

    frame_type = "alert.resolved"
    channel = LiveChannel.ALERTS
    example: ClassVar[dict[str, Any]] = {"id": _ALERT, "event_id": 42, "resolved_at": "2025-12-23T02:31:00Z"}

    id: UUID
    event_id: int
    resolved_at: UtcTime


class AlertDismissed(Payload):
    """The alert is put aside."""

    frame_type = "alert.dismissed"
    channel = LiveChannel.ALERTS
    example: ClassVar[dict[str, Any]] = {
        "id": _ALERT,
        "event_id": 42,
        "dismissed_at": "2025-12-23T02:31:00Z",
        "reason": "the postman",
    }

    id: UUID
    event_id: int
    dismissed_at: UtcTime
    reason: str | None
