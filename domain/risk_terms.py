"""The terms of one class of object in the deterministic score: points, each with the fact behind it."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from domain.baseline import is_unusual
from domain.labels import normalised
from domain.risk_weights import CARRIED_OFF, ClassWeight, night_share, weight_of
from domain.sightings import Sighting
from schemas.assessment import RecentEvent, Unusualness
from schemas.runtime_config import RuntimeConfig

_MOST_FOR_NUMBER = 25.0
_DWELL_SECONDS = 45.0
"""After so long 63 % of the points for staying are given, after twice as long 86 %."""
_DWELL_BY_DAY = 0.45
_LEAST_CERTAINTY = 0.55
"""What is left of the points at confidence 0; all of them at 1."""
_UNUSUAL_SHARE, _MOST_FOR_UNUSUAL = 0.2, 8.0
"""Of the points for presence: added when it is unusual. What is dangerous anyway needs no more for being rare."""
_USUAL_SHARE = 0.6
"""Of the points for presence and night: taken off when it comes in every such hour."""
_FAR_HEIGHT, _FAR_SHARE = 0.25, 0.8
"""A person whose boxes take up less than this share of the picture's height is far off; with no height at all, that
share of what presence, number and night have given is taken off again."""
_QUIET_SHARE = 0.1
"""Of the points for presence: added in quiet hours."""
_BACK_WITHIN, _BACK_SHARE = timedelta(minutes=30), 0.12
_AROUND_WITHIN, _AROUND_SHARE = timedelta(minutes=10), 0.2
"""Of the points for presence, in full night: added for each earlier event here, and for each other camera
but one: whoever comes home passes two."""
_MOST_TIMES = 3
"""So many of them count."""
_BESIDE = 8.0


@dataclass(frozen=True, slots=True)
class Term:
    name: str
    points: float
    because: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for every class in a batch."""

    began_at: datetime
    clock: time
    """By the house."""
    camera_id: str
    recent: tuple[RecentEvent, ...]
    quiet_hours: bool

    @property
    def night(self) -> float:
        return night_share(self.clock)


def terms(seen: Sighting, around: Circumstances, fact: Unusualness | None, config: RuntimeConfig) -> tuple[Term, ...]:
    """In all never less for one more, a surer detector, a longer stay, a larger box or a darker hour."""
    weight, night = weight_of(seen.object_type), around.night
    hour = "it is night" if night == 1 else "it is getting dark or light, by the clock"
    staying = 1 - math.exp(-seen.seconds / _DWELL_SECONDS)
    by_day = weight.number_by_day
    number = min(_MOST_FOR_NUMBER, weight.number * math.log2(seen.number) * (by_day + (1 - by_day) * night))
    at_stake = weight.presence + weight.night * night
    usual = _baseline_term(fact, weight, at_stake, config)
    left = at_stake + number + min(0.0, sum(term.points for term in usual))
    gains = (
        Term("presence", weight.presence, f"{seen} {'was' if seen.number == 1 else 'were'} seen"),
        Term("number", number, f"{seen.number} at once"),
        Term("night", weight.night * night, f"{hour} ({around.clock:%H:%M})"),
        Term(
            "dwell",
            weight.dwell * staying * (_DWELL_BY_DAY + (1 - _DWELL_BY_DAY) * night),
            f"in view over {duration(seen.seconds)}",
        ),
        *usual,
        *_distance_term(seen, left),
        *_earlier_terms(seen, weight, around),
    )
    doubt = (_certainty(seen) - 1) * sum(term.points for term in gains)
    return (*gains, Term("confidence", doubt, f"the detector was {seen.confidence:.0%} sure"))


def beside_term(seen: Collection[Sighting]) -> Term:
    """What it adds that somebody is with something that can be carried off, whoever it belongs to."""
    things = [one for one in seen if one.object_type in CARRIED_OFF]
    surest = max(things, key=lambda one: (one.confidence, one.object_type), default=None)
    if surest is None or not any(one.object_type == "person" for one in seen):
        return Term("beside", 0.0, "")
    return Term("beside", _BESIDE * _certainty(surest), f"somebody and {surest}, which can be carried off")


def duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"


def _baseline_term(
    fact: Unusualness | None, weight: ClassWeight, at_stake: float, config: RuntimeConfig
) -> tuple[Term, ...]:
    if fact is None or not fact.reliable:
        return ()
    known = f"{fact.expected_per_hour:.2g} are expected in this hour of the week, by {fact.sample_count} on record"
    if is_unusual(fact, config):
        threshold = config.anomaly_threshold_stdev
        degree = min(1.0, 0.5 + 0.5 * (fact.deviation - threshold) / max(threshold, 1.0))
        points = degree * min(_MOST_FOR_UNUSUAL, _UNUSUAL_SHARE * weight.presence)
        return (Term("unusual", points, f"unusual for this hour: {known}"),)
    return (Term("usual", -_USUAL_SHARE * fact.probability * at_stake, f"usual for this hour: {known}"),)


def _distance_term(seen: Sighting, at_stake: float) -> tuple[Term, ...]:
    if seen.object_type != "person" or seen.height is None or seen.height >= _FAR_HEIGHT:
        return ()
    share = _FAR_SHARE * (1 - seen.height / _FAR_HEIGHT)
    return (Term("distance", -share * at_stake, f"far off: {seen.height:.0%} of the picture's height at most"),)


def _certainty(seen: Sighting) -> float:
    return _LEAST_CERTAINTY + (1 - _LEAST_CERTAINTY) * seen.confidence


def _earlier_terms(seen: Sighting, weight: ClassWeight, around: Circumstances) -> tuple[Term, ...]:
    """What it adds that the household sleeps, and at night that one was here, or at its other cameras, just before."""
    at_stake = weight.presence * around.night
    here = sum(one.camera_id == around.camera_id for one in _with(seen, around, _BACK_WITHIN))
    others = len({one.camera_id for one in _with(seen, around, _AROUND_WITHIN)} - {around.camera_id})
    back = f"in {here} more event{'' if here == 1 else 's'} here within {duration(_BACK_WITHIN.total_seconds())}"
    moved = f"at {others} other camera{'' if others == 1 else 's'} within {duration(_AROUND_WITHIN.total_seconds())}"
    return (
        Term("quiet_hours", _QUIET_SHARE * weight.presence * around.quiet_hours, "the household wants quiet now"),
        Term("again", _BACK_SHARE * min(here, _MOST_TIMES) * at_stake, f"the same class was {back} before"),
        Term(
            "around",
            _AROUND_SHARE * min(max(0, others - 1), _MOST_TIMES) * at_stake,
            f"the same class was {moved} before",
        ),
    )


def _with(seen: Sighting, around: Circumstances, within: timedelta) -> Iterable[RecentEvent]:
    return (
        one
        for one in around.recent
        if timedelta(0) <= around.began_at - one.started_at <= within
        and seen.object_type in map(normalised, one.object_types)
    )
