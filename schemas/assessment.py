"""An assessment: how risky a batch is and why, whoever said so; and the evidence it was made from."""

from enum import StrEnum

from pydantic import Field

from schemas.batch import ClaimedBatch
from schemas.detection import Detection
from schemas.frozen import Frozen, UtcTime
from schemas.prompt_facts import PromptFacts


class AssessmentStanding(StrEnum):
    PROVISIONAL = "provisional"
    """The model was away: the deterministic assessor scored it, and the model will later."""
    FINAL = "final"


class Factor(Frozen):
    """One term of a score: points and the fact behind them."""

    name: str
    points: float
    because: str


class Unusualness(Frozen):
    """How one class of object compares with what this camera sees at this hour of this weekday."""

    object_type: str
    expected_per_hour: float
    """Decayed mean number of appearances in this hour of the week."""
    probability: float
    """Of seeing at least one in such an hour, by that mean."""
    sample_count: int
    """Appearances this camera has on record, all classes and hours: how much the figure is worth."""
    slot_count: int
    """Appearances of this class in this hour of the week."""
    reliable: bool
    """Whether `sample_count` has reached the configured minimum."""
    deviation: float
    """(this hour's appearances, this one included, minus expected) / standard deviation."""


class RecentEvent(Frozen):
    """An event that came before, at this camera or another."""

    event_id: int
    camera_id: str
    camera_name: str
    started_at: UtcTime
    risk_score: int
    object_types: tuple[str, ...]


class Evidence(Frozen):
    """The facts of one batch, all of them rows: what any assessor gets to see."""

    batch: ClaimedBatch
    detections: tuple[Detection, ...]
    unusual: tuple[Unusualness, ...]
    timezone: str
    """IANA name of the house's zone; the hour of day is told in it."""
    recent: tuple[RecentEvent, ...] = ()
    """Newest first."""
    quiet_hours: bool = False
    """Whether the batch began in one of the household's quiet periods."""
    urgent: bool = False
    """Whether it was closed early, for a class that must not wait."""


class Attempt(Frozen):
    """One question to the model and what came of it."""

    temperature: float
    text: str | None
    """The raw answer."""
    finish_reason: str | None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    fault: str | None
    """Why it was no answer; None for one that was taken."""


class KeyPicture(Frozen):
    """A picture that went along with a question."""

    detection_id: int
    sha256: str
    """Of the JPEG that was sent."""


class ModelTrace(Frozen):
    """What a language model was told and what it said: enough to render the same prompt again, byte for byte."""

    prompt_version: str
    prompt_sha256: str
    """Of the system text, a zero byte, and the user text, in UTF-8."""
    facts: PromptFacts
    model: str | None
    """None where none answered."""
    fingerprint: str | None
    attempts: tuple[Attempt, ...]
    """Empty where it was not asked in the end: it was busy for too long, or its circuit breaker was open."""
    pictures: tuple[KeyPicture, ...] = ()


class Assessment(Frozen):
    risk_score: int = Field(ge=0, le=100)
    summary: str
    reasoning: str
    assessed_by: str
    """`deterministic`, or the model's name."""
    standing: AssessmentStanding
    factors: tuple[Factor, ...] = ()
    because: str | None = None
    """Why it is provisional; None for a final one."""
    trace: ModelTrace | None = None
    """None where there is no language model."""
