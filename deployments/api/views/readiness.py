"""Whether the system can do its work: what the stores answer within 300 ms, and what the supervisor last saw.

database or a pipeline worker down   503 not_ready
Redis down                           503 degraded
only an AI service down              200 degraded, ready
else                                 200 ready
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.health import OTHER_WORKERS, PIPELINE_WORKERS, ai_faults, is_stale, seconds_since_check, why_not_running
from schemas.frozen import Frozen, UtcTime
from schemas.service import Service

__all__ = ["PIPELINE_WORKERS", "is_stale", "judge", "why_not_running"]


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
    database_ms: float | None = None
    redis_ms: float | None = None

    @property
    def rows(self) -> dict[str, Service] | None:
        return None if self.services is None else {service.name: service for service in self.services}


def judge(answers: StoreAnswers, now: datetime) -> Readiness:
    """The decision of the table above."""
    workers = worker_healths(answers.rows, now)
    parts = part_healths(answers, now)
    database, redis, ai = parts["database"], parts["redis"], parts["ai"]
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
        services=parts,
        workers=workers,
        timestamp=now,
    )


def part_healths(answers: StoreAnswers, now: datetime) -> dict[str, PartHealth]:
    """`database`, `redis` and `ai`."""
    return {
        "database": _store("Database operational", answers.database_fault, None),
        "redis": _store("Redis connected", answers.redis_fault, {"redis_version": answers.redis_version}),
        "ai": _ai(answers.rows, now),
    }


def _store(good: str, fault: str | None, details: dict[str, Any] | None) -> PartHealth:
    if fault is None:
        return PartHealth(status=PartStatus.HEALTHY, message=good, details=details)
    return PartHealth(status=PartStatus.UNHEALTHY, message=fault, details=None)


def worker_healths(rows: Mapping[str, Service] | None, now: datetime) -> tuple[WorkerHealth, ...]:
    """The pipeline's workers, and those that may be away without a picture being late."""
    away = None if rows is not None else "not known while the database is away"
    reasons = {
        name: away or why_not_running((rows or {}).get(name), now) for name in (*PIPELINE_WORKERS, *OTHER_WORKERS)
    }
    return tuple(WorkerHealth(name=name, running=reason is None, message=reason) for name, reason in reasons.items())


def _ai(rows: Mapping[str, Service] | None, now: datetime) -> PartHealth:
    if rows is None:
        return PartHealth(
            status=PartStatus.UNHEALTHY, message="AI services are not known while the database is away", details=None
        )
    reasons = ai_faults(rows, now)
    details: dict[str, Any] = {name: "unhealthy" if reason else "healthy" for name, reason in reasons.items()}
    details.setdefault("nemotron", "not_configured")
    checked = seconds_since_check(rows.get("yolo26"), now)
    if checked is not None:
        details["checked_seconds_ago"] = checked
    faults = [f"{name} {reason}" for name, reason in reasons.items() if reason is not None]
    if not faults:
        return PartHealth(status=PartStatus.HEALTHY, message="AI services operational", details=details)
    status = PartStatus.UNHEALTHY if reasons["yolo26"] else PartStatus.DEGRADED
    return PartHealth(status=status, message="; ".join(faults), details=details)
