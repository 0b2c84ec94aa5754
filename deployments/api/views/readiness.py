"""Whether the system can do its work: what the stores answer within 300 ms, and what the supervisor last saw.

database or a pipeline worker down   503 not_ready
Redis down                           503 degraded
only an AI service down              200 degraded, ready
else                                 200 ready
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from schemas.frozen import Frozen, UtcTime, utc_text
from schemas.service import Service, ServiceStatus

STALE_AFTER = timedelta(seconds=15)
PIPELINE_WORKERS = ("file_watcher", "detection_worker", "batch_aggregator", "analysis_worker", "alert_dispatcher")
OTHER_WORKERS = ("gpu_monitor", "cleanup_service", "performance_monitor")


class PartStatus(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class ReadyStatus(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not_ready"


class PartHealth(Frozen):
    status: PartStatus
    message: str | None
    details: dict[str, Any] | None


class WorkerHealth(Frozen):
    name: str
    running: bool
    message: str | None
    """Why it does not run; null when it does."""


class Readiness(Frozen):
    ready: bool
    status: ReadyStatus
    services: dict[str, PartHealth]
    """`database`, `redis` and `ai`."""
    workers: tuple[WorkerHealth, ...]
    timestamp: UtcTime


@dataclass(frozen=True)
class StoreAnswers:
    """What the probes brought: rows, or why there are none."""

    services: Sequence[Service] | None
    database_fault: str | None
    redis_version: str | None
    redis_fault: str | None


def judge(answers: StoreAnswers, now: datetime) -> Readiness:
    """The decision of the table above."""
    rows = {service.name: service for service in answers.services or ()}
    known = answers.services is not None
    workers = _workers(rows, known, now)
    database = _store("Database operational", answers.database_fault, None)
    redis = _store("Redis connected", answers.redis_fault, {"redis_version": answers.redis_version})
    ai = _ai(rows, known, now)
    down = database.status is PartStatus.UNHEALTHY or not all(w.running for w in workers if w.name in PIPELINE_WORKERS)
    if down:
        status = ReadyStatus.NOT_READY
    elif redis.status is not PartStatus.HEALTHY or ai.status is not PartStatus.HEALTHY:
        status = ReadyStatus.DEGRADED
    else:
        status = ReadyStatus.READY
    return Readiness(
        ready=not down and redis.status is PartStatus.HEALTHY,
        status=status,
        services={"database": database, "redis": redis, "ai": ai},
        workers=workers,
        timestamp=now,
    )


def is_stale(service: Service, now: datetime) -> bool:
    return now - service.checked_at > STALE_AFTER


def why_not_running(service: Service | None, now: datetime) -> str | None:
    """None for a service that runs and that the supervisor has seen lately."""
    if service is None:
        return "not running: the supervisor has not reported it yet"
    if is_stale(service, now):
        return f"not running: the supervisor has not reported since {utc_text(service.checked_at)}"
    if service.status is ServiceStatus.RUNNING:
        return None
    return f"{service.status.value}: {service.message}" if service.message else service.status.value


def _store(good: str, fault: str | None, details: dict[str, Any] | None) -> PartHealth:
    if fault is None:
        return PartHealth(status=PartStatus.HEALTHY, message=good, details=details)
    return PartHealth(status=PartStatus.UNHEALTHY, message=fault, details=None)


def _workers(rows: Mapping[str, Service], known: bool, now: datetime) -> tuple[WorkerHealth, ...]:
    names = [*PIPELINE_WORKERS, *(name for name in OTHER_WORKERS if name in rows)]
    away = None if known else "not known while the database is away"
    reasons = {name: away or why_not_running(rows.get(name), now) for name in names}
    return tuple(WorkerHealth(name=name, running=reason is None, message=reason) for name, reason in reasons.items())


def _ai(rows: Mapping[str, Service], known: bool, now: datetime) -> PartHealth:
    """A language model that is not configured is a choice, not a fault."""
    if not known:
        return PartHealth(
            status=PartStatus.UNHEALTHY, message="AI services are not known while the database is away", details=None
        )
    detector, analyzer = rows.get("yolo26"), rows.get("nemotron")
    reasons = {"yolo26": why_not_running(detector, now)}
    chosen = analyzer is not None and analyzer.status is not ServiceStatus.NOT_CONFIGURED
    if chosen:
        reasons["nemotron"] = why_not_running(analyzer, now)
    details: dict[str, Any] = {name: "unhealthy" if reason else "healthy" for name, reason in reasons.items()}
    details.setdefault("nemotron", "not_configured")
    faults = [f"{name} {reason}" for name, reason in reasons.items() if reason is not None]
    if not faults:
        return PartHealth(status=PartStatus.HEALTHY, message="AI services operational", details=details)
    status = PartStatus.UNHEALTHY if reasons["yolo26"] else PartStatus.DEGRADED
    return PartHealth(status=status, message="; ".join(faults), details=details)
