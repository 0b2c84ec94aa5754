"""Frames of the channel `events`."""

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from schemas.assessment import AssessmentStanding
from schemas.frame import LiveChannel
from schemas.frame_types.payload import Payload
from schemas.frozen import UtcTime
from schemas.scene_change import SceneChangeType
from schemas.severity import Severity


class EventCreated(Payload):
    """A batch was assessed: a new security event."""

    frame_type = "event.created"
    channel = LiveChannel.EVENTS
    example: ClassVar[dict[str, Any]] = {
        "id": 42,
        "batch_id": "2f1e8f64-6c0e-4d53-9a4e-0b7f2f4f5a10",
        "camera_id": "front_door",
        "risk_score": 72,
        "risk_level": "high",
        "summary": "A person at the front door at night",
        "reasoning": "A person (0.91) was seen for 36 s at 02:13, when this camera hardly ever sees one.",
        "started_at": "2025-12-23T02:13:05Z",
        "assessment": "final",
    }

    id: int
    batch_id: str
    camera_id: str
    risk_score: int = Field(ge=0, le=100)
    risk_level: Severity
    summary: str
    reasoning: str
    started_at: UtcTime
    assessment: AssessmentStanding
    """`provisional` where the deterministic assessor stood in for the model, which will score it again."""


class LegacyEvent(EventCreated):
    """A new security event, as it was told before `event.created`; sent beside it."""

    frame_type = "event"
    replacement = "event.created"


class EventUpdated(Payload):
    """An event was reviewed, annotated or assessed again."""

    frame_type = "event.updated"
    channel = LiveChannel.EVENTS
    example: ClassVar[dict[str, Any]] = {
        "id": 42,
        "updated_fields": ["reviewed"],
        "risk_score": 72,
        "risk_level": "high",
    }

    id: int
    updated_fields: tuple[str, ...]
    """The names of the fields whose values changed."""
    risk_score: int = Field(ge=0, le=100)
    risk_level: Severity


class EventDeleted(Payload):
    """An event is gone, with its detections and alerts."""

    frame_type = "event.deleted"
    channel = LiveChannel.EVENTS
    example: ClassVar[dict[str, Any]] = {"id": 42, "reason": "retention"}

    id: int
    reason: str
    """`retention` for one that grew older than the days for which events are kept."""


class SceneChangeDetected(Payload):
    """What a camera shows is no longer what it used to show, and stays so: it was moved, covered or blinded."""

    frame_type = "scene_change.detected"
    channel = LiveChannel.EVENTS
    example: ClassVar[dict[str, Any]] = {
        "id": "0b3a0a52-8d0e-4d13-9b43-7a2f6a3f6a77",
        "camera_id": "front_door",
        "detected_at": "2025-12-23T10:31:12Z",
        "change_type": "view_changed",
        "similarity_score": 0.12,
    }

    id: UUID
    camera_id: str
    detected_at: UtcTime
    """When the camera took the picture that settled it."""
    change_type: SceneChangeType
    similarity_score: float = Field(ge=0, le=1)
    """How much that picture is like the camera's usual view: 1 the same, 0 nothing in common."""
