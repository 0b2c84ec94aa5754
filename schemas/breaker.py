"""A circuit breaker's state, as it is kept and shown."""

from enum import StrEnum

from schemas.frozen import Frozen, UtcTime


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerPolicy(Frozen):
    failure_threshold: int = 5
    recovery_timeout: float = 30.0
    """Seconds from opening to the first trial call."""
    half_open_max_calls: int = 3
    success_threshold: int = 2


class Breaker(Frozen):
    name: str
    state: BreakerState
    failure_count: int
    """Consecutive failures."""
    success_count: int
    total_calls: int
    rejected_calls: int
    last_failure: UtcTime | None
    opened_at: UtcTime | None
    last_state_change: UtcTime | None
    config: BreakerPolicy


class BreakerReset(Frozen):
    """A breaker before and after it was closed by hand."""

    before: Breaker
    after: Breaker
