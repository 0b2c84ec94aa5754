"""The facts that a prompt states: all of them computed from rows, kept with the event, enough to render it again."""

from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen
from schemas.severity import SeverityBands


class Movement(StrEnum):
    """How a track's box moved and grew in the picture."""

    ONCE = "seen once"
    STILL = "staying in place"
    ACROSS = "moving across"
    CLOSER = "coming closer"
    AWAY = "going away"


class Track(Frozen):
    """Detections of one class that follow one another as one object does."""

    object_type: str
    first_seen_seconds: float
    """After the batch's first picture."""
    last_seen_seconds: float
    sightings: int
    confidence_mean: float
    confidence_max: float
    movement: Movement
    from_place: str
    """Of nine: `upper left`, `upper middle` … `lower right`."""
    to_place: str
    largest_percent: float
    """Of the picture's area that its largest box covers."""


class UsualFact(Frozen):
    """How one class compares with what this camera sees at this hour of the week."""

    object_type: str
    expected_per_hour: float
    deviation: float
    """In standard deviations; above 0 is more than usual."""
    sample_count: int
    reliable: bool


class RecentFact(Frozen):
    """An earlier event of this camera or another."""

    event_id: int
    camera: str
    same_camera: bool
    minutes_before: float
    risk_score: int
    object_types: tuple[str, ...]


class PromptFacts(Frozen):
    """What one prompt says of one batch; strings from outside are as they came, rendering quotes them."""

    case: str = Field(pattern="^[0-9a-f]{8}$")
    """Names the case: the answer must carry it back."""
    camera: str
    local_time: str
    """`Saturday 2026-11-21 02:13`, by the house's clock."""
    timezone: str
    part_of_day: str
    """`night`, `day`, `dusk or dawn`, by the clock."""
    quiet_hours: bool
    """Whether the household wants quiet then."""
    seconds: float
    """From the first picture to the last."""
    detection_count: int
    tracks: tuple[Track, ...]
    tracks_left_out: int
    unusual: tuple[UsualFact, ...]
    recent: tuple[RecentFact, ...]
    bands: SeverityBands
    pictures: int = 0
    """How many key pictures go along."""
