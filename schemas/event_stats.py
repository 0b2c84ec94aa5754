"""How many events there were, by level, by camera, and looked at or not."""

from pydantic import Field

from schemas.frozen import Frozen


class EventsByLevel(Frozen):
    critical: int = Field(default=0, ge=0)
    high: int = Field(default=0, ge=0)
    medium: int = Field(default=0, ge=0)
    low: int = Field(default=0, ge=0)


class CameraEvents(Frozen):
    camera_id: str
    camera_name: str
    event_count: int = Field(ge=1)


class EventStats(Frozen):
    total_events: int = Field(ge=0)
    events_by_risk_level: EventsByLevel
    events_by_camera: tuple[CameraEvents, ...]
    """Cameras with events, deleted ones too; most events first."""
    reviewed_events: int = Field(ge=0)
    unreviewed_events: int = Field(ge=0)
    average_risk_score: float | None
    """Null without events."""
