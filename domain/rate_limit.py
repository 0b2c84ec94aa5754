"""How often a client may ask: a bucket of tokens that fills steadily, and a token a request.

A full bucket holds a minute's worth, so a page may load all at once and then goes on at the steady rate.
"""

from dataclasses import dataclass
from math import ceil, floor


@dataclass(frozen=True)
class Limit:
    per_minute: int

    @property
    def per_second(self) -> float:
        return self.per_minute / 60

    @property
    def share(self) -> int:
        """How many tokens a replica takes at once: a tenth of a second's worth, so small limits are exact."""
        return max(1, self.per_minute // 600)


@dataclass(frozen=True, slots=True)
class Verdict:
    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    """Until the bucket is full again."""
    retry_after_seconds: int
    """Until the next request is allowed; 0 when this one is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What came out of a bucket: `tokens` of those asked for, and what is left in it."""

    tokens: int
    left: float


class TokenBucket:
    """One bucket in memory; `now` is in seconds of any clock that only rises."""

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self._tokens = float(limit.per_minute)
        self._at = now

    def take(self, asked: int, now: float) -> Grant:
        """As many whole tokens as there are, at most those asked for."""
        risen = max(0.0, now - self._at) * self._limit.per_second
        self._tokens = min(float(self._limit.per_minute), self._tokens + risen)
        self._at = max(self._at, now)
        granted = min(asked, floor(self._tokens))
        self._tokens -= granted
        return Grant(granted, self._tokens)


def allowed(limit: Limit, left: float) -> Verdict:
    return Verdict(True, limit.per_minute, max(0, floor(left)), reset_seconds(limit, left), 0)


def refused(limit: Limit, left: float) -> Verdict:
    wait = (1 - left) / limit.per_second
    return Verdict(False, limit.per_minute, 0, reset_seconds(limit, left), max(1, ceil(wait)))


def reset_seconds(limit: Limit, left: float) -> int:
    return max(0, ceil((limit.per_minute - left) / limit.per_second))
