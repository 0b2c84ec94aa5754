"""The facts that a prompt states: all of them computed from rows, kept with the event, enough to render it again."""

from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen
from schemas.severity import SeverityBands


class Movement(StrEnum):
    """How a track's box moved and grew in the picture."""

    ONCE = "seen once"
    STILL = "staying in place"
    AROUND = "moving to and fro"
    ACROSS = "moving across"
    CLOSER = "coming closer"
    AWAY = "going away"


class Place(StrEnum):
    """A ninth of the picture."""

    UPPER_LEFT = "upper left"
    UPPER_MIDDLE = "upper middle"
    UPPER_RIGHT = "upper right"
    MIDDLE_LEFT = "middle left"
    MIDDLE = "middle"
    MIDDLE_RIGHT = "middle right"
    LOWER_LEFT = "lower left"
    LOWER_MIDDLE = "lower middle"
    LOWER_RIGHT = "lower right"


class PartOfDay(StrEnum):
    """By the clock, as the night's share of the score is."""

    NIGHT = "night"
    EARLY_MORNING = "early morning"
    DAY = "day"
    EVENING = "evening"


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
    from_place: Place | None
    """Where its first box's centre lies; None where the picture's size is not on record."""
    to_place: Place | None
    largest_percent: float | None
    """Of the picture's area that its largest box covers."""
    largest_box: tuple[int, int, int, int] | None
    """Left, top, right and bottom of that box in percent of the picture."""


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
    """What one prompt says of one batch; strings from outside are one bounded line each, rendering quotes them."""

    case: str = Field(pattern="^[0-9a-f]{8}$")
    """Names the case: the answer must carry it back."""
    camera: str
    local_time: str = Field(pattern=r"^[A-Z][a-z]{2,5}day [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$")
    """`Saturday 2026-11-21 02:13`, by the house's clock."""
    timezone: str
    part_of_day: PartOfDay
    quiet_hours: bool
    """Whether the household wants quiet then."""
    seconds: float
    """From the first picture to the last."""
    detection_count: int
    tracks: tuple[Track, ...]
    """Oldest first."""
    tracks_left_out: int
    """Of lesser importance, for want of room."""
    unusual: tuple[UsualFact, ...]
    recent: tuple[RecentFact, ...]
    """Newest first."""
    bands: SeverityBands
    pictures: int = 0
    """How many key pictures go along."""
