"""What the supervisor writes down and tells of: a row a service, and live frames when a status changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from actors.supervised_service import SupervisedService
from domain.clock import Clock
from domain.degradation import Degradation, DegradationMode
from domain.supervision import Observation
from domain.watch import Watch
from schemas.frame import NewFrame
from schemas.frame_types import LegacyServiceStatus, ServiceStatusChanged, frame
from schemas.service import Health, Service, ServiceCategory, ServiceStatus

STATUS = {
    Observation.HEALTHY: ServiceStatus.RUNNING,
    Observation.STARTING: ServiceStatus.STARTING,
    Observation.FAILING: ServiceStatus.UNHEALTHY,
    Observation.DEAD: ServiceStatus.STOPPED,
}
_BAD_FIRST = (
    ServiceStatus.STOPPED,
    ServiceStatus.UNHEALTHY,
    ServiceStatus.STARTING,
    ServiceStatus.RUNNING,
    ServiceStatus.DISABLED,
    ServiceStatus.NOT_CONFIGURED,
    ServiceStatus.UNKNOWN,
)


def service_row(
    service: SupervisedService, watch: Watch, observed: Observation, health: Health, enabled: bool, clock: Clock
) -> Service:
    if service.status_when_idle is not None:
        status, message = service.status_when_idle, None
    elif not enabled:
        status, message = ServiceStatus.DISABLED, "switched off by hand; enable it to start it again"
    else:
        status, message = STATUS[observed], health.message
    now = clock.now()
    return Service(
        name=service.name,
        category=service.category,
        status=status,
        enabled=enabled,
        failure_count=watch.failure_count,
        last_restart=watch.last_restart,
        restarts=watch.restarts,
        next_restart_at=watch.next_restart_at(clock.monotonic(), now) if service.restart is not None else None,
        message=message,
        detail=health.detail,
        checked_at=now,
    )


def merged(name: str, rows: Sequence[Service]) -> Service:
    """Several workers as the one service that they are: as bad as the worst, counting what all of them did."""
    if len(rows) == 1:
        return rows[0].model_copy(update={"name": name})
    worst = min(rows, key=lambda row: _BAD_FIRST.index(row.status))
    messages = [f"{row.name}: {row.message}" for row in rows if row.message]
    return worst.model_copy(
        update={
            "name": name,
            "failure_count": sum(row.failure_count for row in rows),
            "restarts": sum(row.restarts for row in rows),
            "last_restart": max((row.last_restart for row in rows if row.last_restart), default=None),
            "next_restart_at": min((row.next_restart_at for row in rows if row.next_restart_at), default=None),
            "message": "; ".join(messages) or None,
            "detail": _summed([row.detail for row in rows]),
        }
    )


def _summed(details: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Numbers are added up; of anything else the first stays."""
    summed: dict[str, Any] = {}
    for detail in details:
        for field, value in detail.items():
            known = summed.get(field)
            numbers = isinstance(value, int | float) and isinstance(known, int | float)
            summed[field] = known + value if numbers else summed.get(field, value)
    return summed


def status_frames(before: Mapping[str, ServiceStatus], rows: Sequence[Service]) -> list[NewFrame]:
    """Of every service whose status is another than it was; none for one that is seen for the first time."""
    frames = []
    for row in rows:
        previous = before.get(row.name)
        if previous is None or previous is row.status:
            continue
        changed = ServiceStatusChanged(
            service=row.name, status=row.status, previous_status=previous, message=row.message
        )
        legacy = LegacyServiceStatus(service=row.name, status=row.status, message=row.message)
        frames += [frame(changed), frame(legacy)]
    return frames


def own_row(degradation: Degradation, in_memory: int, now: datetime) -> Service:
    return Service(
        name="supervisor",
        category=ServiceCategory.MONITORING,
        status=ServiceStatus.RUNNING,
        detail={"degradation": degradation_detail(degradation, in_memory)},
        checked_at=now,
    )


def degradation_detail(degradation: Degradation, in_memory: int) -> dict[str, Any]:
    """As GET /api/system/pipeline shows it."""
    return {
        "mode": degradation.mode.value,
        "is_degraded": degradation.mode is not DegradationMode.NORMAL,
        "redis_healthy": degradation.is_healthy("redis"),
        "memory_queue_size": in_memory,
        "fallback_queues": {},
        "services": [
            {
                "name": service.name,
                "status": service.status.value,
                "last_check": service.last_check.timestamp() if service.last_check else None,
                "consecutive_failures": service.consecutive_failures,
                "error_message": service.error_message,
            }
            for service in degradation.services
        ],
        "available_features": list(degradation.available_features),
    }
