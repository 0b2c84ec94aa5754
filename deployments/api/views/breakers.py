"""The circuit breakers as they are shown, and their reset with its audit entry."""

from typing import Any

from pydantic import Field

from actors.ports import BreakersPort
from deployments.api.views.services import checked_name
from domain.clock import Clock
from schemas.audit import AuditAction, Caller, NewAuditEntry, changes
from schemas.breaker import Breaker, BreakerPolicy, BreakerState
from schemas.frozen import Frozen, UtcTime
from storage.audit import Audit


class BreakerView(Frozen):
    name: str
    state: BreakerState
    failure_count: int
    """Consecutive failures."""
    success_count: int
    """Successes since the last change of state."""
    total_calls: int
    """Rejected ones too; counted since the breakers' process was started."""
    rejected_calls: int
    last_failure_time: UtcTime | None
    opened_at: UtcTime | None
    """Null while it is closed."""
    last_failure: UtcTime | None
    """As `last_failure_time`."""
    last_state_change: UtcTime | None
    config: BreakerPolicy


class BreakerList(Frozen):
    circuit_breakers: dict[str, BreakerView]
    total_count: int
    open_count: int
    """How many are open; a half-open one is not."""
    timestamp: UtcTime


class BreakerResetAnswer(Frozen):
    name: str
    previous_state: BreakerState
    new_state: BreakerState
    message: str = Field(examples=["Circuit breaker 'yolo26' reset successfully from open to closed"])
    timestamp: UtcTime


class BreakerBoard:
    """Asks the one actor that has every breaker's state."""

    def __init__(self, breakers: BreakersPort, audit: Audit, clock: Clock) -> None:
        self._breakers = breakers
        self._audit = audit
        self._clock = clock

    async def list(self) -> BreakerList:
        """Raises ActorAway."""
        views = {breaker.name: _view(breaker) for breaker in await self._breakers.status()}
        return BreakerList(
            circuit_breakers=views,
            total_count=len(views),
            open_count=sum(view.state is BreakerState.OPEN for view in views.values()),
            timestamp=self._clock.now(),
        )

    async def reset(self, name: str, caller: Caller) -> BreakerResetAnswer:
        """Raises BadRequest, NotFound, ActorAway."""
        done = await self._breakers.reset(checked_name(name))
        changed = changes(_state(done.before), _state(done.after))
        if changed:
            await self._audit.record(
                NewAuditEntry(
                    action=AuditAction.BREAKER_RESET,
                    resource_type="circuit_breaker",
                    resource_id=name,
                    caller=caller,
                    details={"changes": changed},
                )
            )
        before, after = done.before.state, done.after.state
        return BreakerResetAnswer(
            name=name,
            previous_state=before,
            new_state=after,
            message=f"Circuit breaker '{name}' reset successfully from {before.value} to {after.value}",
            timestamp=self._clock.now(),
        )


def _state(breaker: Breaker) -> dict[str, Any]:
    return {"state": breaker.state.value, "failure_count": breaker.failure_count}


def _view(breaker: Breaker) -> BreakerView:
    return BreakerView(last_failure_time=breaker.last_failure, **dict(breaker))
