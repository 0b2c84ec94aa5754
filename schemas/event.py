"""An event: one assessed batch, explained and scored."""

from pydantic import Field

from schemas.assessment import AssessmentStanding
from schemas.frozen import Frozen, UtcTime
from schemas.severity import Severity


class Event(Frozen):
    id: int
    batch_id: str
    camera_id: str
    started_at: UtcTime
    ended_at: UtcTime
    risk_score: int
    risk_level: Severity
    """Always derived from `risk_score` and the bands in force when it was stored."""
    summary: str
    reasoning: str
    assessment: AssessmentStanding
    assessed_by: str
    reviewed: bool
    notes: str | None
    object_types: tuple[str, ...]
    detection_count: int
    detection_ids: tuple[int, ...] = ()


class EventUpdate(Frozen):
    reviewed: bool | None = None
    notes: str | None = Field(default=None, max_length=10_000)
