"""The services as a person sees and handles them: what the supervisor last reported, and wishes handed to it."""

import re
from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from actors.ports import SupervisorPort
from deployments.api.errors import BadRequest
from deployments.api.views.readiness import is_stale
from domain.clock import Clock
from schemas.audit import Caller
from schemas.frozen import Frozen, UtcTime, utc_text
from schemas.service import Service, ServiceAction, ServiceCategory, ServiceStatus
from storage.services import Services as ServiceRows

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HIDDEN = "supervisor"
_CHOSEN = (ServiceStatus.DISABLED, ServiceStatus.NOT_CONFIGURED)


class ServiceView(Frozen):
    name: str
    category: ServiceCategory
    status: ServiceStatus
    """`unknown` when the supervisor has not reported for 15 s."""
    enabled: bool
    """False: switched off by hand, and started by nobody until it is enabled."""
    failure_count: int
    """Failed looks in a row, and restarts since it was last trusted."""
    last_restart: UtcTime | None
    restarts: int
    """Restarts by the supervisor since the service was last trusted; each doubles the wait before the next."""
    next_restart_at: UtcTime | None
    """When the supervisor starts it again if it keeps failing; null while it does not fail."""
    message: str | None
    """Why it does not run, or what is odd about it."""
    checked_at: UtcTime
    """When the supervisor last looked."""


class CategorySummary(Frozen):
    total: int
    healthy: int
    """Running."""
    unhealthy: int
    """Meant to run and not running: stopped, unhealthy, starting or unknown."""
    disabled: int
    """Switched off by hand: neither healthy nor unhealthy."""
    not_configured: int
    """A choice that was not made: neither healthy nor unhealthy."""


class ServiceList(Frozen):
    services: tuple[ServiceView, ...]
    summaries: dict[ServiceCategory, CategorySummary]
    """For each category, whatever the filter."""
    count: int
    timestamp: UtcTime


class ServiceActionAnswer(Frozen):
    action: ServiceAction
    service: str
    success: bool
    """False when it was tried and did not work; `message` says so."""
    message: str = Field(examples=["Service gpu_monitor restarted successfully"])
    service_info: ServiceView


class ServiceBoard:
    """Lists from rows; hands wishes to the supervisor, who alone starts and ends."""

    def __init__(self, rows: ServiceRows, supervisor: SupervisorPort, clock: Clock) -> None:
        self._rows = rows
        self._supervisor = supervisor
        self._clock = clock

    async def list(self, category: ServiceCategory | None = None) -> ServiceList:
        now = self._clock.now()
        views = [_view(row, now) for row in await self._rows.list() if row.name != _HIDDEN]
        shown = tuple(view for view in views if category in (None, view.category))
        return ServiceList(
            services=shown,
            summaries={one: _summary([view for view in views if view.category is one]) for one in ServiceCategory},
            count=len(shown),
            timestamp=now,
        )

    async def act(self, action: ServiceAction, name: str, caller: Caller) -> ServiceActionAnswer:
        """Raises BadRequest, NotFound, ServiceRefused, Conflict, ActorAway."""
        done = await self._supervisor.act(action, checked_name(name), caller)
        return ServiceActionAnswer(
            action=done.action,
            service=done.service,
            success=done.success,
            message=done.message,
            service_info=_view(done.service_info, self._clock.now()),
        )


def checked_name(name: str) -> str:
    """The name of a service or a circuit breaker. Raises BadRequest."""
    if _NAME.fullmatch(name) is None:
        raise BadRequest("name", "a name has 1 to 64 letters, digits, hyphens and underscores")
    return name


def _view(row: Service, now: datetime) -> ServiceView:
    values = {field: getattr(row, field) for field in ServiceView.model_fields}
    if is_stale(row, now) and row.status not in _CHOSEN:
        values["status"] = ServiceStatus.UNKNOWN
        values["message"] = (
            f"the supervisor has not reported since {utc_text(row.checked_at)}; it was {row.status.value}"
        )
    return ServiceView(**values)


def _summary(views: Sequence[ServiceView]) -> CategorySummary:
    statuses = [view.status for view in views]
    chosen = {status: statuses.count(status) for status in _CHOSEN}
    healthy = statuses.count(ServiceStatus.RUNNING)
    return CategorySummary(
        total=len(views),
        healthy=healthy,
        unhealthy=len(views) - healthy - sum(chosen.values()),
        disabled=chosen[ServiceStatus.DISABLED],
        not_configured=chosen[ServiceStatus.NOT_CONFIGURED],
    )
