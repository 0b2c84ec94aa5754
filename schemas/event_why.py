"""An event's why-chain, with where the event stands on its way to the language model."""

from schemas.assessment import AssessmentStanding
from schemas.frozen import Frozen, UtcTime
from schemas.reassessment import ReassessmentState
from schemas.severity import Severity
from schemas.why import Why


class ReassessmentProgress(Frozen):
    state: ReassessmentState
    attempts: int
    """Questions that were begun, an unanswered one included."""
    reason: str | None
    """Why the last attempt came to nothing."""
    queued_at: UtcTime
    finished_at: UtcTime | None
    """When the event was assessed again."""


class EventWhy(Frozen):
    event_id: int
    risk_score: int
    risk_level: Severity
    assessment: AssessmentStanding
    assessed_by: str
    why: Why
    reassessment: ReassessmentProgress | None
    """Null for an event that never waited for a language model."""
