"""What a camera usually sees at an hour of the week, and how far the present is from it.

An appearance is one event in which a class occurs. Each hour of the week (Monday 00-01 ... Sunday 23-24 by the house's
clock) keeps, for each class, a decayed count W: an appearance that is t days old counts e^(-λt). The hour itself has
been watched for E decayed hours: every weekly occurrence since the camera is known, weighed by the same e^(-λt). Then
W / E estimates the appearances an hour: under a constant rate r (a Poisson process) the mean of W is r·E, whatever λ
and however new the camera is. Counts are compared with that mean on its own scale, since a Poisson variable's variance
is its mean: deviation = (n - mean) / sqrt(mean).

This is the exponentially weighted average of forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay: A
Practical Time Decay Model for Streaming Systems", ICDE 2009), with the time that was watched in the denominator and not
the number of appearances: an average over appearances alone is one, whatever happens.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from schemas.assessment import Unusualness
from schemas.runtime_config import RuntimeConfig

LEAST_VARIANCE = 0.1
"""Of appearances in an hour: without it, the first one ever would be infinitely unusual. With 0.1 the first one lies
3.2 deviations off, above the default threshold of 3, and what comes in one of twenty such hours just reaches it."""

_ONE_HOUR = timedelta(hours=1)
_SECONDS_A_DAY = 86_400.0
_HOURS_A_DAY = 24.0
_NEGLIGIBLE = 1e-9
_LEAST_HOURS_WATCHED = 1 / 60


class HourOfWeek(NamedTuple):
    weekday: int
    """Monday is 0."""
    hour: int


@dataclass(frozen=True, slots=True)
class BaselineSlot:
    """One class in one hour of the week at one camera."""

    object_type: str
    weight: float
    """Decayed number of appearances as of `updated_at`."""
    samples: int
    """Appearances ever."""
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CameraBaseline:
    """What a camera has on record for one hour of the week, before the appearance that is to be judged."""

    known_since: datetime
    total_samples: int
    """Appearances ever, of all classes at all hours."""
    slots: tuple[BaselineSlot, ...]
    this_hour: Mapping[str, int]
    """Appearances by class since the current hour began."""


class Watched(NamedTuple):
    """How long a camera has watched one hour of the week."""

    decayed_hours: float
    whole_hours_before: int
    """Occurrences within the window that were watched from beginning to end, the current one not counted."""


def hour_of_week(moment: datetime, timezone: str) -> HourOfWeek:
    local = moment.astimezone(ZoneInfo(timezone))
    return HourOfWeek(local.weekday(), local.hour)


def decayed(weight: float, updated_at: datetime, now: datetime, decay_per_day: float) -> float:
    """What a decayed count has become; it never grows when `now` lies before the newest appearance in it."""
    return weight * math.exp(-decay_per_day * max(0.0, _days(updated_at, now)))


def after_appearance(slot: BaselineSlot, seen_at: datetime, decay_per_day: float) -> BaselineSlot:
    """The slot with one appearance more, which may be older than the newest one in it."""
    newest = max(slot.updated_at, seen_at)
    weight = decayed(slot.weight, slot.updated_at, newest, decay_per_day) + decayed(1, seen_at, newest, decay_per_day)
    return BaselineSlot(slot.object_type, weight, slot.samples + 1, newest)


def watched(known_since: datetime, now: datetime, timezone: str, decay_per_day: float, window_days: int) -> Watched:
    """How long the hour of the week in which `now` lies has been watched, its present occurrence as far as it has come.

    Decayed hours are the sum over occurrences of the integral of e^(-λ·age) over what was watched of each. An
    occurrence is an hour by the clock on the wall: two hours long when the clock is set back in it, none when the
    clock leaps over it.
    """
    zone = ZoneInfo(timezone)
    top = now.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    total, whole, week = 0.0, 0, 0
    while True:
        local = top - timedelta(weeks=week)
        began, ended = _in_utc(local, zone), _in_utc(local + _ONE_HOUR, zone)
        total += _decayed_hours(max(began, known_since), min(ended, now), now, decay_per_day)
        oldest = began <= known_since or math.exp(-decay_per_day * _days(began, now)) < _NEGLIGIBLE
        if week > 0 and known_since <= began < ended and _days(began, now) <= window_days:
            whole += 1
        if oldest:
            return Watched(total, whole)
        week += 1


def unusualness(
    baseline: CameraBaseline, object_types: Iterable[str], now: datetime, config: RuntimeConfig, timezone: str
) -> tuple[Unusualness, ...]:
    """How unusual one more appearance of each class is at `now`, by name.

    A slot to which nothing was added within the window counts as empty. The figures are reliable once the camera has
    enough appearances on record and has watched this hour of the week at least once from beginning to end: what was
    never looked at cannot be called unusual.
    """
    decay = config.anomaly_decay_factor
    seen = watched(baseline.known_since, now, timezone, decay, config.anomaly_window_days)
    slots = {slot.object_type: slot for slot in baseline.slots}
    reliable = baseline.total_samples >= config.anomaly_min_samples and seen.whole_hours_before > 0
    facts = []
    for object_type in sorted(set(object_types)):
        slot = slots.get(object_type)
        weight = 0.0
        if slot is not None and _days(slot.updated_at, now) <= config.anomaly_window_days:
            weight = decayed(slot.weight, slot.updated_at, now, decay)
        expected = weight / max(seen.decayed_hours, _LEAST_HOURS_WATCHED)
        count = baseline.this_hour.get(object_type, 0) + 1
        facts.append(
            Unusualness(
                object_type=object_type,
                expected_per_hour=expected,
                probability=-math.expm1(-expected),
                sample_count=baseline.total_samples,
                slot_count=slot.samples if slot else 0,
                reliable=reliable,
                deviation=(count - expected) / math.sqrt(max(expected, LEAST_VARIANCE)),
            )
        )
    return tuple(facts)


def is_unusual(fact: Unusualness, config: RuntimeConfig) -> bool:
    """Whether it may be called unusual: more than is expected, by the configured number of deviations, and reliable."""
    return fact.reliable and fact.deviation >= config.anomaly_threshold_stdev and fact.deviation > 0


def _days(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() / _SECONDS_A_DAY


def _in_utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)


def _decayed_hours(since: datetime, until: datetime, now: datetime, decay_per_day: float) -> float:
    """The integral of e^(-λ·age) from `since` to `until`, in hours."""
    if until <= since:
        return 0.0
    length = -math.expm1(-decay_per_day * _days(since, until)) / decay_per_day * _HOURS_A_DAY
    return length * math.exp(-decay_per_day * _days(until, now))
