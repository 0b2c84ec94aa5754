"""Retention: what is old enough to go, when the next run is, and how gently it goes about it."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

RETRY_AFTER_FAILURE = timedelta(minutes=15)
ORPHAN_AGE = timedelta(hours=24)
"""A younger file is never an orphan: what refers to it may not be written yet."""


@dataclass(frozen=True)
class Cutoffs:
    """What began or was written before these moments goes."""

    rows: datetime
    logs: datetime


def cutoffs(now: datetime, retention_days: int, log_retention_days: int) -> Cutoffs:
    return Cutoffs(now - timedelta(days=retention_days), now - timedelta(days=log_retention_days))


def clock_time(text: str) -> time:
    """`HH:MM`, 00:00 to 23:59; raises ValueError."""
    hours, colon, minutes = text.partition(":")
    digits = (hours + minutes).isascii() and (hours + minutes).isdigit()
    if not (colon and digits and len(hours) == len(minutes) == 2 and int(hours) < 24 and int(minutes) < 60):
        raise ValueError("write a time of day as HH:MM, from 00:00 to 23:59")
    return time(int(hours), int(minutes))


def next_run(after: datetime, at: time, timezone: str) -> datetime:
    """The first moment after `after` at which the house's clock shows this time, in UTC.

    A time that the clocks jump over comes as much later as they jump (02:30 becomes 03:30); of one that they show
    twice the first counts, so that each day has one run.
    """
    zone = ZoneInfo(timezone)
    day = after.astimezone(zone).date()
    while (moment := datetime.combine(day, at, zone).astimezone(UTC)) <= after:
        day += timedelta(days=1)
    return moment


@dataclass(frozen=True)
class PastRuns:
    """When the schedule was last served, and when it last failed."""

    served: datetime
    """The start of the last run that ended well; before the first, when the database was brought up to date."""
    failed: datetime | None = None
    """The start of the last run that did not."""


def due(past: PastRuns, at: time, timezone: str) -> datetime:
    """When to run: at the next time of day after the last run, however long ago that was; later after a failure."""
    moment = next_run(past.served, at, timezone)
    return moment if past.failed is None else max(moment, past.failed + RETRY_AFTER_FAILURE)


@dataclass(frozen=True)
class Step:
    """How many rows to delete at once, and how long to rest before."""

    rows: int
    rest_seconds: float = 0.0


@dataclass(frozen=True)
class Pace:
    """Keeps every transaction short and leaves most of the time to others.

    A step takes as many rows as fit into `step_seconds`, judged by how long the one before took, and the rest
    after it is `rests` times as long as it was: a busy machine slows the clean-up down, not the other way round.
    """

    step_seconds: float = 0.05
    rests: float = 1.0
    smallest: int = 25
    """Where a step takes long because the machine is busy, and not because of its rows, fewer would gain nothing."""
    largest: int = 5000
    longest_rest_seconds: float = 2.0

    def next(self, step: Step, took_seconds: float) -> Step:
        fitting = step.rows * self.step_seconds / max(took_seconds, 1e-4)
        rows = min(max(fitting, step.rows / 2), step.rows * 2)  # one slow step, or one quick one, is no measure
        rest = min(took_seconds * self.rests, self.longest_rest_seconds)
        return Step(min(max(round(rows), self.smallest), self.largest), rest)
