"""How the whole system is, from its parts.

database down                                             unhealthy
Redis, an AI service or a worker of the pipeline down     degraded
else                                                      healthy

The full report judges by another rule: unhealthy when a critical part is down, degraded when any other is.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from schemas.frame_types import SystemHealth
from schemas.frozen import utc_text
from schemas.service import Service, ServiceStatus

STALE_AFTER = timedelta(seconds=15)
PIPELINE_WORKERS = ("file_watcher", "detection_worker", "batch_aggregator", "analysis_worker", "alert_dispatcher")
OTHER_WORKERS = ("gpu_monitor", "cleanup_service", "performance_monitor")
CRITICAL = ("postgres", "redis", "yolo26", "file_watcher")


def overall(database: bool, others: Iterable[bool]) -> SystemHealth:
    """`others`: Redis, the AI services that are configured, and the pipeline's workers; True for one that works."""
    if not database:
        return SystemHealth.UNHEALTHY
    return SystemHealth.HEALTHY if all(others) else SystemHealth.DEGRADED


def overall_of_all(works: Mapping[str, bool]) -> SystemHealth:
    """By part, of which the critical ones must be there."""
    if not all(works[name] for name in CRITICAL):
        return SystemHealth.UNHEALTHY
    return SystemHealth.HEALTHY if all(works.values()) else SystemHealth.DEGRADED


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


def is_configured(service: Service | None) -> bool:
    """A language model that is not configured is a choice, not a fault."""
    return service is not None and service.status is not ServiceStatus.NOT_CONFIGURED


def ai_faults(rows: Mapping[str, Service], now: datetime) -> dict[str, str | None]:
    """By AI service that is configured: why it does not work, None when it does."""
    names = ["yolo26", *(["nemotron"] if is_configured(rows.get("nemotron")) else [])]
    return {name: why_not_running(rows.get(name), now) for name in names}


def seconds_since_check(service: Service | None, now: datetime) -> float | None:
    """How long ago an AI service last answered its known question; None when that is not known."""
    check = service.detail.get("self_check") if service is not None else None
    seconds = check.get("checked_seconds_ago") if isinstance(check, dict) else None
    if service is None or not isinstance(seconds, int | float):
        return None
    return round(seconds + max(0.0, (now - service.checked_at).total_seconds()), 1)


def components(rows: Mapping[str, Service] | None, redis: bool, now: datetime) -> dict[str, str]:
    """The state of each part by its name, as `system.health_changed` tells it; `rows` is None without the database."""
    found = {"database": _word(rows is not None), "redis": _word(redis)}
    if rows is None:
        return found
    found |= {name: _word(fault is None) for name, fault in ai_faults(rows, now).items()}
    found.setdefault("nemotron", "not_configured")
    return found | {name: _word(why_not_running(rows.get(name), now) is None) for name in PIPELINE_WORKERS}


def of_components(parts: Mapping[str, str]) -> SystemHealth:
    others = (state != "unhealthy" for name, state in parts.items() if name != "database")
    return overall(parts["database"] == "healthy", others)


def _word(works: bool) -> str:
    return "healthy" if works else "unhealthy"
