"""An assessment: how risky a batch is and why, whoever said so; and the evidence it was made from."""

from enum import StrEnum

from pydantic import Field

from schemas.batch import ClaimedBatch
from schemas.detection import Detection
from schemas.frozen import Frozen


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


class Evidence(Frozen):
    """The facts of one batch, all of them rows: what any assessor gets to see."""

    batch: ClaimedBatch
    detections: tuple[Detection, ...]
    unusual: tuple[Unusualness, ...]
    timezone: str
    """IANA name of the house's zone; the hour of day is told in it."""


class Assessment(Frozen):
    risk_score: int = Field(ge=0, le=100)
    summary: str
    reasoning: str
    assessed_by: str
    """`deterministic`, or the model's name."""
    standing: AssessmentStanding
    factors: tuple[Factor, ...] = ()
