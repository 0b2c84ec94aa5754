"""Looks at every service, restarts what failed, and writes down what it saw: the one writer of the table `services`.

When it dies nothing else stops; what the API shows grows stale, and says so, until its successor looks again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from actors.work_loop import WorkLoop
from domain.clock import Clock
from domain.degradation import Degradation, DegradationMode
from domain.supervision import Observation, Restart, Supervision
from schemas.service import Health, Service, ServiceCategory, ServiceStatus
from storage.errors import StoreUnavailable
from storage.services import Services

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 2.0
PROBE_SECONDS = 1.8
PATIENCE_SECONDS = 60.0
DEGRADATION_EVERY_SECONDS = 15.0
DEGRADABLE = ("postgres", "redis", "yolo26", "file_watcher", "detection_worker", "batch_aggregator", "analysis_worker")


class Gone(Exception):
    """A probe found nothing alive to ask."""


class Starting(Exception):
    """A probe found a service that is being started by somebody else, such as Ray."""


@dataclass(frozen=True)
class SupervisedService:
    """One service: how to ask it how it is, and how to start it again (None: somebody else does)."""

    name: str
    category: ServiceCategory
    probe: Callable[[], Awaitable[Health]]
    """Raises Gone when nothing is there, Starting when somebody starts it; any other error is a failing service."""
    restart: Callable[[], Awaitable[None]] | None
    status_when_idle: ServiceStatus | None = None
    """A fixed status, for a service that is a choice and was not made."""
    shown: bool = True


@dataclass(frozen=True)
class SupervisorTools:
    """What the supervisor works with, opened in its own process."""

    services: Sequence[SupervisedService]
    rows: Services
    clock: Clock


class Supervisor:
    """Starts, probes, restarts (5 s doubling to 300 s)."""

    def __init__(self, app_name: str, connect: Callable[[], Awaitable[SupervisorTools]]) -> None:
        self._app_name = app_name
        self._connect = connect
        self._tools: SupervisorTools | None = None
        self._supervisions: dict[str, Supervision] = {}
        self._restarted_at: dict[str, datetime] = {}
        self._proven: set[str] = set()
        self._unproven_since: dict[str, float] = {}
        self._degradation = Degradation(DEGRADABLE)
        self._judged_at = float("-inf")
        self._in_memory = 0
        self._loop = WorkLoop("supervisor", self.look, self._wait)

    async def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def health(self) -> Health:
        return self._loop.health()

    async def app_name(self) -> str:
        """The name of the Serve application that this pipeline belongs to."""
        return self._app_name

    async def _wait(self, _seconds: float) -> None:
        await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def look(self) -> bool:
        """One look at everything, side by side."""
        if self._tools is None:
            self._tools = await self._connect()
        tools = self._tools
        rows = await asyncio.gather(*(self._look(tools, service) for service in tools.services))
        self._in_memory = sum(int(row.detail.get("waiting_for_database", 0)) for row in rows)
        self._judge(tools.clock, rows)
        shown = [row for service, row in zip(tools.services, rows, strict=True) if service.shown]
        try:
            await tools.rows.upsert_many([*shown, self._own_row(tools.clock.now())])
        except StoreUnavailable as error:
            logger.warning("what was seen cannot be written down: %s", error)
        return False

    async def _look(self, tools: SupervisorTools, service: SupervisedService) -> Service:
        """Probes one service and starts it again when that is due."""
        observed, health = await _observe(service)
        observed = self._with_patience(service.name, observed, tools.clock.monotonic())
        supervision = self._supervisions.setdefault(service.name, Supervision())
        decision = supervision.observe(observed, tools.clock.monotonic())
        if isinstance(decision, Restart) and service.restart is not None:
            logger.warning("restarting %s (number %d): %s", service.name, decision.number, health.message)
            self._restarted_at[service.name] = tools.clock.now()
            self._proven.discard(service.name)
            self._unproven_since.pop(service.name, None)
            try:
                await asyncio.wait_for(service.restart(), 10)
            except Exception as error:
                logger.warning("%s could not be restarted: %s", service.name, error)
        return Service(
            name=service.name,
            category=service.category,
            status=service.status_when_idle or _STATUS[observed],
            failure_count=supervision.restarts + supervision.failures,
            last_restart=self._restarted_at.get(service.name),
            message=health.message,
            detail=health.detail,
            checked_at=tools.clock.now(),
        )

    def _with_patience(self, name: str, observed: Observation, now: float) -> Observation:
        """A service that has not been healthy since it was started is given time; one that stays away is not."""
        if observed is Observation.HEALTHY:
            self._proven.add(name)
            self._unproven_since.pop(name, None)
            return observed
        if name in self._proven and observed is not Observation.STARTING:
            return observed
        since = self._unproven_since.setdefault(name, now)
        if now - since < PATIENCE_SECONDS:
            return Observation.STARTING
        return Observation.DEAD if observed is Observation.STARTING else observed

    def _judge(self, clock: Clock, rows: Sequence[Service]) -> None:
        if clock.monotonic() - self._judged_at < DEGRADATION_EVERY_SECONDS:
            return
        self._judged_at = clock.monotonic()
        for row in rows:
            if row.name in DEGRADABLE:
                self._degradation.observe(row.name, row.status is ServiceStatus.RUNNING, clock.now(), row.message)

    def _own_row(self, now: datetime) -> Service:
        return Service(
            name="supervisor",
            category=ServiceCategory.MONITORING,
            status=ServiceStatus.RUNNING,
            detail={"degradation": degradation_detail(self._degradation, self._in_memory)},
            checked_at=now,
        )


_STATUS = {
    Observation.HEALTHY: ServiceStatus.RUNNING,
    Observation.STARTING: ServiceStatus.STARTING,
    Observation.FAILING: ServiceStatus.UNHEALTHY,
    Observation.DEAD: ServiceStatus.STOPPED,
}


async def _observe(service: SupervisedService) -> tuple[Observation, Health]:
    if service.status_when_idle is not None:
        return Observation.HEALTHY, Health(healthy=True)
    try:
        health = await asyncio.wait_for(service.probe(), PROBE_SECONDS)
    except Gone as error:
        return Observation.DEAD, Health(healthy=False, message=str(error))
    except Starting as error:
        return Observation.STARTING, Health(healthy=False, message=str(error))
    except TimeoutError:
        return Observation.FAILING, Health(healthy=False, message=f"no answer within {PROBE_SECONDS} s")
    except Exception as error:
        return Observation.FAILING, Health(healthy=False, message=f"{type(error).__name__}: {error}")
    return (Observation.HEALTHY if health.healthy else Observation.FAILING), health


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
