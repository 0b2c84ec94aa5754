"""What the deterministic score is made of: the points of each class of object, and when it is night.

The figures are judgements: they were set so that one person scores about 30 by day and 61 in the middle of the night,
several who stay there 85 and more, and a car or an animal by day stays low; then on made-up labelled scenes, of which
one half was tuned on (docs/judgement.md).
"""

from dataclasses import dataclass
from datetime import time

from domain.labels import GROUPS


@dataclass(frozen=True, slots=True)
class ClassWeight:
    """Points for one class of object."""

    presence: float
    """For being there at all."""
    night: float
    """On top, in full night."""
    number: float
    """On top, for each doubling of how many are in view at once."""
    dwell: float
    """On top, for staying as long as a batch lasts, at night; not half of it by day."""
    number_by_day: float = 1.0
    """What is left by day of the points for number."""


_PERSON = ClassWeight(34, 30, 10, 22, number_by_day=0.3)
_CAR = ClassWeight(10, 14, 3, 4)
_TRUCK = ClassWeight(12, 15, 3, 4)
_BAG = ClassWeight(8, 6, 2, 4)
_WEAPON = ClassWeight(68, 14, 6, 4)
_SMALL_ANIMAL = ClassWeight(3, 2, 1, 1)
_ANIMAL = ClassWeight(6, 4, 2, 2)
_UNKNOWN = ClassWeight(9, 8, 2, 3)

WEAPONS = frozenset(
    (
        "knife",
        "machete",
        "sword",
        "axe",
        "gun",
        "handgun",
        "pistol",
        "revolver",
        "rifle",
        "shotgun",
        "firearm",
        "weapon",
    )
)
"""Their events are high at least."""

CARRIED_OFF = frozenset(("package", "parcel", "suitcase"))
"""What is left at doors; detectors without a class for packages take them for suitcases."""

_WEIGHTS = {
    "person": _PERSON,
    "truck": _TRUCK,
    "van": _TRUCK,
    "bus": ClassWeight(8, 9, 2, 2),
    "motorcycle": ClassWeight(13, 15, 4, 5),
    "motorbike": ClassWeight(13, 15, 4, 5),
    "bicycle": ClassWeight(10, 12, 3, 4),
    "train": ClassWeight(1, 1, 0, 0),
    "airplane": ClassWeight(1, 1, 0, 0),
    "dog": ClassWeight(7, 5, 16, 3),
    "cat": _SMALL_ANIMAL,
    "bird": ClassWeight(2, 1, 1, 1),
    "rabbit": _SMALL_ANIMAL,
    "bear": ClassWeight(72, 8, 6, 8),
    "package": ClassWeight(11, 5, 2, 1),
    "backpack": _BAG,
    "handbag": _BAG,
    "suitcase": _BAG,
    "fire": ClassWeight(64, 4, 0, 14),
    "smoke": ClassWeight(54, 6, 0, 14),
} | dict.fromkeys(WEAPONS, _WEAPON)


def weight_of(object_type: str) -> ClassWeight:
    """The points of a normalised class name."""
    if object_type in _WEIGHTS:
        return _WEIGHTS[object_type]
    if object_type == "vehicle" or object_type in GROUPS["vehicle"]:
        return _CAR
    if object_type == "animal" or object_type in GROUPS["animal"]:
        return _ANIMAL
    return _UNKNOWN


_DUSK, _NIGHT, _DAWN, _DAY = 20.0, 23.5, 4.0, 7.5


def night_share(local: time) -> float:
    """How much of a night the time of day is: 1 from 23:30 to 04:00, 0 from 07:30 to 20:00, smooth in between.

    By the clock: the system does not know where the house stands, so it does not know when the sun sets.
    """
    hour = local.hour + local.minute / 60 + local.second / 3600
    if _DAY <= hour <= _DUSK:
        return 0.0
    if hour > _DUSK:
        return _smooth((hour - _DUSK) / (_NIGHT - _DUSK))
    return _smooth((_DAY - hour) / (_DAY - _DAWN))


def _smooth(share: float) -> float:
    """From 0 to 1, level at both ends and slow at first: the cubic that is, squared, since dusk is no night yet."""
    bounded = min(1.0, max(0.0, share))
    return (bounded * bounded * (3 - 2 * bounded)) ** 2
