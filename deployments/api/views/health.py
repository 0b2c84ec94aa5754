"""How the system is: in short, in full, and its live broadcasting. Asks everything side by side, for 300 ms each."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import Field

from deployments.api.live.fanout import BroadcasterState
from deployments.api.views.probes import Probe, ReadinessProbe
from deployments.api.views.readiness import PartHealth, PartStatus, StoreAnswers, part_healths, worker_healths
from domain.clock import Clock
from domain.health import (
    PIPELINE_WORKERS,
    is_configured,
    is_stale,
    overall,
    overall_of_all,
    seconds_since_check,
    why_not_running,
)
from schemas.breaker import Breaker, BreakerState
from schemas.frame_types import SystemHealth
from schemas.frozen import Frozen, UtcTime
from schemas.model import ModelStatus, ZooModel
from schemas.service import Service, ServiceStatus

ZOO_MODELS = {"florence": "florence-2-large", "clip": "clip-vit-l"}


class HealthReport(Frozen):
    status: SystemHealth
    services: dict[str, PartHealth]
    """`database`, `redis`, `ai`, and `pipeline`: its workers."""
    timestamp: UtcTime


class StoreHealth(Frozen):
    status: PartStatus
    latency_ms: float | None
    """Null without an answer."""
    message: str | None


class AiHealth(Frozen):
    status: str = Field(examples=["healthy", "unhealthy", "not_configured", "disabled", "unknown"])
    loaded: bool | None
    """Null where nobody can tell."""
    message: str | None
    checked_seconds_ago: float | None = None
    """When it last answered its known question; null for one that is asked none."""


class BreakerHealth(Frozen):
    state: str = Field(examples=["closed", "open", "half_open", "unknown", "not_configured"])
    failures: int | None
    """In a row; null where nobody can tell."""


class WorkerState(Frozen):
    running: bool
    message: str | None


class FullHealth(Frozen):
    status: SystemHealth
    infrastructure: dict[str, StoreHealth]
    ai_services: dict[str, AiHealth]
    circuit_breakers: dict[str, BreakerHealth]
    workers: dict[str, WorkerState]
    timestamp: UtcTime


class BroadcasterHealth(Frozen):
    state: BreakerState
    failures: int
    """Since the last success."""
    last_failure: UtcTime | None


class WebSocketHealth(Frozen):
    event_broadcaster: BroadcasterHealth
    system_broadcaster: BroadcasterHealth
    timestamp: UtcTime


class Broadcaster(Protocol):
    async def state(self) -> BroadcasterState: ...


class HealthView:
    """One a replica."""

    def __init__(
        self,
        readiness: ReadinessProbe,
        breakers: Callable[[], Awaitable[Sequence[Breaker]]],
        models: Callable[[], Awaitable[Sequence[ZooModel]]],
        events: Broadcaster,
        system: Broadcaster,
        clock: Clock,
    ) -> None:
        self._readiness = readiness
        self._breakers = Probe("circuit_breakers", breakers, faults=(Exception,))
        self._models = Probe("Database", models)
        self._events = events
        self._system = system
        self._clock = clock

    async def report(self) -> HealthReport:
        answers = await self._readiness.answers()
        now = self._clock.now()
        parts = part_healths(answers, now) | {"pipeline": _pipeline(answers.rows, now)}
        others = (part.status is PartStatus.HEALTHY for part in parts.values())
        status = overall(parts["database"].status is PartStatus.HEALTHY, others)
        return HealthReport(status=status, services=parts, timestamp=now)

    async def full(self) -> FullHealth:
        answers, breakers, models = await asyncio.gather(self._readiness.answers(), self._breakers(), self._models())
        now = self._clock.now()
        infrastructure = {
            "postgres": _store(answers.database_fault, answers.database_ms),
            "redis": _store(answers.redis_fault, answers.redis_ms),
        }
        ai = ai_healths(answers.rows, models.value, now)
        workers = worker_healths(answers.rows, now)
        works = {name: store.status is PartStatus.HEALTHY for name, store in infrastructure.items()}
        works |= {name: one.status != "unhealthy" for name, one in ai.items()}
        works |= {worker.name: worker.running for worker in workers}
        return FullHealth(
            status=overall_of_all(works),
            infrastructure=infrastructure,
            ai_services=ai,
            circuit_breakers=_breaker_healths(breakers.value, answers),
            workers={one.name: WorkerState(running=one.running, message=one.message) for one in workers},
            timestamp=now,
        )

    async def websocket(self) -> WebSocketHealth:
        events, system = await asyncio.gather(self._events.state(), self._system.state())
        return WebSocketHealth(
            event_broadcaster=_broadcaster(events), system_broadcaster=_broadcaster(system), timestamp=self._clock.now()
        )

    def close(self) -> None:
        self._breakers.close()
        self._models.close()


def ai_healths(
    rows: Mapping[str, Service] | None, models: Sequence[ZooModel] | None, now: datetime
) -> dict[str, AiHealth]:
    """The detector, the language model, two models of the zoo by the names that are documented, and the zoo itself."""
    if rows is None:
        unknown = AiHealth(status="unknown", loaded=None, message="not known while the database is away")
        return dict.fromkeys(("yolo26", "nemotron", *ZOO_MODELS, "enrichment"), unknown)
    by_name = {model.name: model for model in models or ()}
    return {
        "yolo26": _detector(rows.get("yolo26"), now),
        "nemotron": _language_model(rows.get("nemotron"), now),
        **{shown: _zoo_model(by_name.get(name)) for shown, name in ZOO_MODELS.items()},
        "enrichment": _zoo(rows.get("model_zoo"), models, now),
    }


def _pipeline(rows: Mapping[str, Service] | None, now: datetime) -> PartHealth:
    idle = [one for one in worker_healths(rows, now) if one.name in PIPELINE_WORKERS and not one.running]
    if not idle:
        return PartHealth(status=PartStatus.HEALTHY, message="Pipeline workers running", details=None)
    if rows is None:
        return PartHealth(status=PartStatus.DEGRADED, message=idle[0].message, details=None)
    told = "; ".join(f"{one.name} {one.message}" for one in idle)
    return PartHealth(status=PartStatus.DEGRADED, message=told, details=None)


def _store(fault: str | None, milliseconds: float | None) -> StoreHealth:
    status = PartStatus.HEALTHY if fault is None else PartStatus.UNHEALTHY
    return StoreHealth(status=status, latency_ms=milliseconds, message=fault)


def _detector(row: Service | None, now: datetime) -> AiHealth:
    fault = why_not_running(row, now)
    known = row is not None and not is_stale(row, now)
    return AiHealth(
        status="healthy" if fault is None else "unhealthy",
        loaded=bool(row.detail.get("loaded")) if row is not None and known else None,
        message=fault,
        checked_seconds_ago=seconds_since_check(row, now),
    )


def _language_model(row: Service | None, now: datetime) -> AiHealth:
    if not is_configured(row):
        return AiHealth(status="not_configured", loaded=False, message="no language model is configured")
    return _detector(row, now)


def _zoo_model(model: ZooModel | None) -> AiHealth:
    if model is None:
        return AiHealth(status="unknown", loaded=None, message="the model zoo has not reported it yet")
    loaded = model.status is ModelStatus.LOADED
    if model.status is ModelStatus.ERROR:
        return AiHealth(status="unhealthy", loaded=loaded, message=model.reason)
    if not loaded and (not model.enabled or not model.available):
        return AiHealth(status="not_configured", loaded=False, message=model.reason)
    return AiHealth(status="healthy", loaded=loaded, message=None if loaded else "it is loaded at its first use")


def _zoo(row: Service | None, models: Sequence[ZooModel] | None, now: datetime) -> AiHealth:
    loaded = None if models is None else any(model.status is ModelStatus.LOADED for model in models)
    if row is None:
        return AiHealth(status="unknown", loaded=loaded, message="the supervisor has not reported the model zoo yet")
    if row.status is ServiceStatus.DISABLED and not is_stale(row, now):
        return AiHealth(status="disabled", loaded=False, message=row.message)
    fault = why_not_running(row, now)
    return AiHealth(status="healthy" if fault is None else "unhealthy", loaded=loaded, message=fault)


def _breaker_healths(breakers: Sequence[Breaker] | None, answers: StoreAnswers) -> dict[str, BreakerHealth]:
    """One that cannot be asked is unknown, never closed; the language model's is there when it is."""
    if breakers is None:
        found = {"yolo26": BreakerHealth(state="unknown", failures=None)}
    else:
        found = {one.name: BreakerHealth(state=one.state.value, failures=one.failure_count) for one in breakers}
    if "nemotron" not in found:
        configured = is_configured((answers.rows or {}).get("nemotron"))
        found["nemotron"] = BreakerHealth(state="unknown" if configured else "not_configured", failures=None)
    return found


def _broadcaster(state: BroadcasterState) -> BroadcasterHealth:
    return BroadcasterHealth(state=state.state, failures=state.failures, last_failure=state.last_failure)
