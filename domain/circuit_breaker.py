"""A circuit breaker: after repeated failures calls are refused for a while, then a few are let through as a trial.

           5 failures in a row                 30 s, at the next call
CLOSED ──────────────────────────▶ OPEN ────────────────────────────────▶ HALF_OPEN
  ▲                                  ▲                                      │    │
  │                                  └────────── any failure ───────────────┘    │
  └───────────────────── 2 successes (or a reset, from anywhere) ────────────────┘
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schemas.breaker import Breaker, BreakerPolicy, BreakerState


class _Happening(StrEnum):
    FAILED_TOO_OFTEN = "failed too often"
    RECOVERY_TIME_OVER = "recovery time over"
    TRIAL_FAILED = "trial failed"
    TRIALS_SUCCEEDED = "trials succeeded"
    RESET = "reset"


_TRANSITIONS = {
    (BreakerState.CLOSED, _Happening.FAILED_TOO_OFTEN): BreakerState.OPEN,
    (BreakerState.OPEN, _Happening.RECOVERY_TIME_OVER): BreakerState.HALF_OPEN,
    (BreakerState.HALF_OPEN, _Happening.TRIAL_FAILED): BreakerState.OPEN,
    (BreakerState.HALF_OPEN, _Happening.TRIALS_SUCCEEDED): BreakerState.CLOSED,
    (BreakerState.CLOSED, _Happening.RESET): BreakerState.CLOSED,
    (BreakerState.OPEN, _Happening.RESET): BreakerState.CLOSED,
    (BreakerState.HALF_OPEN, _Happening.RESET): BreakerState.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call may be made; hand this back with its result."""

    call: int
    generation: int
    """The state's number: a result counts only while the state in which its call was admitted lasts."""


@dataclass(frozen=True, slots=True)
class Rejected:
    retry_in: float
    """Seconds until a call may be admitted."""


class CircuitBreaker:
    """One breaker. Times are the wall clock's; `total_calls` counts the rejected ones too, `success_count` the
    successes since the last change of state, `failure_count` the failures in a row."""

    def __init__(self, name: str, policy: BreakerPolicy | None = None) -> None:
        self.name = name
        self.policy = policy or BreakerPolicy()
        self._state = BreakerState.CLOSED
        self._generation = 0
        self._calls = 0
        self._rejected = 0
        self._failures = 0
        self._successes = 0
        self._trials: dict[int, datetime] = {}
        self._last_failure: datetime | None = None
        self._opened_at: datetime | None = None
        self._changed_at: datetime | None = None

    def admit(self, now: datetime) -> Admitted | Rejected:
        """May a call be made? Every admitted one ends in `succeed`, `fail` or `release`."""
        self._calls += 1
        wait = self._wait(now)
        if wait > 0:
            self._rejected += 1
            return Rejected(wait)
        if self._state is BreakerState.OPEN:
            self._move(_Happening.RECOVERY_TIME_OVER, now)
        if self._state is BreakerState.HALF_OPEN:
            self._trials[self._calls] = now
        return Admitted(self._calls, self._generation)

    def succeed(self, admitted: Admitted, now: datetime) -> None:
        if self._is_stale(admitted):
            return
        self._failures = 0
        self._successes += 1
        if self._state is BreakerState.HALF_OPEN and self._successes >= self.policy.success_threshold:
            self._move(_Happening.TRIALS_SUCCEEDED, now)

    def fail(self, admitted: Admitted, now: datetime) -> None:
        self._last_failure = now
        if self._is_stale(admitted):
            return
        self._failures += 1
        if self._state is BreakerState.HALF_OPEN:
            self._move(_Happening.TRIAL_FAILED, now)
        elif self._failures >= self.policy.failure_threshold:
            self._move(_Happening.FAILED_TOO_OFTEN, now)

    def release(self, admitted: Admitted) -> None:
        """The call ended and says nothing about the service: cancelled, or the caller's own mistake."""
        self._is_stale(admitted)

    def reset(self, now: datetime) -> BreakerState:
        """Close it by hand, whatever is known; returns the state before."""
        previous = self._state
        self._move(_Happening.RESET, now)
        return previous

    def status(self) -> Breaker:
        return Breaker(
            name=self.name,
            state=self._state,
            failure_count=self._failures,
            success_count=self._successes,
            total_calls=self._calls,
            rejected_calls=self._rejected,
            last_failure=self._last_failure,
            opened_at=self._opened_at,
            last_state_change=self._changed_at,
            config=self.policy,
        )

    def _is_stale(self, admitted: Admitted) -> bool:
        """Whether the result comes from an earlier state and says nothing about this one; frees the trial's place."""
        self._trials.pop(admitted.call, None)
        return self._state is BreakerState.OPEN or admitted.generation != self._generation

    def _wait(self, now: datetime) -> float:
        """Seconds until a call may be admitted; 0 when it may be now."""
        if self._state is BreakerState.CLOSED:
            return 0.0
        if self._state is BreakerState.OPEN:
            if self._opened_at is None or now < self._opened_at:
                self._opened_at = now  # the clock was set back: wait once more, not until it has caught up
            return self._remaining(self._opened_at, now)
        # A trial whose caller died never reports: after the recovery time another one may take its place.
        self._trials = {call: began for call, began in self._trials.items() if self._is_pending(began, now)}
        places = max(self.policy.half_open_max_calls, self.policy.success_threshold)
        if len(self._trials) + self._successes < places:
            return 0.0
        return min(self._remaining(began, now) for began in self._trials.values())

    def _is_pending(self, began: datetime, now: datetime) -> bool:
        return began <= now and self._remaining(began, now) > 0

    def _remaining(self, since: datetime, now: datetime) -> float:
        return (since + timedelta(seconds=self.policy.recovery_timeout) - now).total_seconds()

    def _move(self, happening: _Happening, now: datetime) -> None:
        previous, self._state = self._state, _TRANSITIONS[self._state, happening]
        self._generation += 1
        self._successes = 0
        self._trials.clear()
        if self._state is not previous:
            self._changed_at = now
        if self._state is BreakerState.OPEN:
            self._opened_at = now
        elif self._state is BreakerState.CLOSED:
            self._failures = 0
            self._opened_at = None


def lets_through(breaker: Breaker, now: datetime) -> bool:
    """Whether it is worth asking for admission: not while it is open and its recovery time runs."""
    if breaker.state is not BreakerState.OPEN or breaker.opened_at is None:
        return True
    if now < breaker.opened_at:
        return True  # the clock was set back: whoever asks has the breaker wait once more from now on
    return now >= breaker.opened_at + timedelta(seconds=breaker.config.recovery_timeout)
