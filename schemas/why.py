"""Why an event has its score and its alerts: the whole chain, kept with the event."""

from enum import StrEnum
from uuid import UUID

from schemas.assessment import AssessmentStanding, Factor, ModelTrace, Unusualness
from schemas.frozen import Frozen, UtcTime
from schemas.severity import Severity, SeverityBands


class RuleOutcome(StrEnum):
    RAISED = "raised"
    """An alert was raised."""
    COOLDOWN = "cooldown"
    """It matched, and an alert under the same key was too recent."""
    RAISED_BEFORE = "raised_before"
    """It matched, and this event has its alert by this rule already."""
    NO_MATCH = "no_match"


class RuleVerdict(Frozen):
    """What one enabled rule said of an event."""

    rule_id: UUID
    rule_name: str
    outcome: RuleOutcome
    because: str
    """The conditions that matched, or the one that did not."""
    suppressed: tuple[str, ...] = ()
    """Why deliveries of the alert were not sent, each once."""


class EarlierAssessment(Frozen):
    """What stood before a later assessment took its place."""

    risk_score: int
    risk_level: Severity
    summary: str
    reasoning: str
    assessed_by: str
    assessment: AssessmentStanding
    because: str | None
    """Why it was provisional."""
    factors: tuple[Factor, ...] = ()
    model: ModelTrace | None = None
    rules: tuple[RuleVerdict, ...] = ()
    replaced_at: UtcTime


class Why(Frozen):
    """The chain from the rows to the score, and from the score to the alerts."""

    factors: tuple[Factor, ...] = ()
    """Of the deterministic assessor, and floors."""
    unusual: tuple[Unusualness, ...] = ()
    severity_bands: SeverityBands
    """In force when the level was derived."""
    timezone: str
    because: str | None = None
    """Why the assessment is provisional; None for a final one."""
    model: ModelTrace | None = None
    """What was asked of the language model and what it said; None where there is none."""
    rules: tuple[RuleVerdict, ...] = ()
    earlier: tuple[EarlierAssessment, ...] = ()
    """Oldest first."""
