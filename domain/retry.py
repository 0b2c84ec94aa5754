"""When work that failed is tried again, and when it is given up."""

import math
from dataclasses import dataclass
from datetime import timedelta

from pydantic import Field

from schemas.frozen import Frozen


class RetryPolicy(Frozen):
    tries: int = Field(default=3, ge=1)
    """In all, the first one included."""
    first: timedelta = timedelta(seconds=1)
    """Before the second try; doubled before each one after it."""
    most: timedelta = timedelta(seconds=30)
    longest_asked: timedelta = timedelta(hours=1)
    """A receiver that asks for more patience than this is tried again after it."""


MEDIA = RetryPolicy(tries=5)
BATCHES = RetryPolicy(tries=5)
DELIVERIES = RetryPolicy(tries=3)
REASSESSMENTS = RetryPolicy(tries=3, first=timedelta(seconds=10))


@dataclass(frozen=True, slots=True)
class RetryIn:
    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    attempts: int
    """Tries that were made."""


def next_try(policy: RetryPolicy, attempts: int, random: float, retry_after: float | None = None) -> RetryIn | GiveUp:
    """What follows a failure, after `attempts` tries with this one.

    `random` in [0, 1) spreads the wait over half its length, so that work that failed together does not come back
    together. `retry_after` is the wait in seconds for which the receiver asked; it lengthens ours, never shortens it.
    """
    if attempts >= policy.tries:
        return GiveUp(attempts)
    most = policy.most.total_seconds()
    doubled = policy.first.total_seconds() * 2.0 ** min(max(attempts, 1) - 1, 64)
    shortest, longest = min(doubled, most / 1.5), min(doubled * 1.5, most)
    seconds = shortest + random * (longest - shortest)
    if retry_after is not None and not math.isnan(retry_after):
        seconds = max(seconds, min(retry_after, policy.longest_asked.total_seconds()))
    return RetryIn(seconds)
