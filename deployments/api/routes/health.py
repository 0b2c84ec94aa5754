"""How the system is: the four probes, which need no key, and the reports behind them. None waits longer than 300 ms."""

from fastapi import APIRouter, Response
from pydantic import Field

from deployments.api.deps import ClockDep, HealthDep, ReadinessDep
from deployments.api.examples.health import FULL_HEALTH, HEALTH, WEBSOCKET_HEALTH
from deployments.api.examples.pipeline import READINESS
from deployments.api.responses import shows
from deployments.api.views.health import FullHealth, HealthReport, WebSocketHealth
from deployments.api.views.readiness import Readiness
from schemas.frame_types import SystemHealth
from schemas.frozen import Frozen, UtcTime

router = APIRouter(tags=["health"])


class Alive(Frozen):
    status: str = Field(default="alive", examples=["alive"])


class AliveNow(Alive):
    timestamp: UtcTime


class Ready(Frozen):
    ready: bool
    status: str = Field(examples=["ready", "not_ready"])


@router.get("/health")
async def get_health() -> Alive:
    """Liveness: the process answers. Touches nothing else."""
    return Alive()


@router.get("/api/system/health/live")
async def get_liveness(clock: ClockDep) -> AliveNow:
    """Liveness with the time. Touches nothing else, so it answers at once whatever the stores do."""
    return AliveNow(timestamp=clock.now())


@router.get("/ready", responses={503: {"model": Ready, "description": "Not ready."}})
async def get_ready(probe: ReadinessDep, response: Response) -> Ready:
    """Readiness in short: whether both stores answer and every pipeline worker runs."""
    ready = (await probe()).ready
    response.status_code = 200 if ready else 503
    return Ready(ready=ready, status="ready" if ready else "not_ready")


@router.get(
    "/api/system/health/ready",
    responses=shows(READINESS) | {503: {"model": Readiness, "description": "Not ready, or Redis is down."}},
)
async def get_readiness(probe: ReadinessDep, response: Response) -> Readiness:
    """Readiness with its reasons.

    Database or a pipeline worker down: 503 `not_ready`. Redis down: 503 `degraded`. Only an AI service down: 200,
    ready and `degraded`, since events are still assessed and alerts still sent. A language model that is not
    configured is a choice and no fault. A worker that the supervisor has not reported for 15 s counts as not running.
    """
    readiness = await probe()
    response.status_code = 200 if readiness.ready else 503
    return readiness


@router.get(
    "/api/system/health",
    responses=shows(HEALTH) | {503: {"model": HealthReport, "description": "Degraded or unhealthy."}},
)
async def get_system_health(health: HealthDep, response: Response) -> HealthReport:
    """The state of the stores, the AI services and the pipeline.

    `unhealthy` without the database; `degraded` without Redis, an AI service or a worker of the pipeline. The detector
    is asked a known question every 30 s: a picture in which it must find what it is known to find there; `details`
    says how long ago it was.
    """
    report = await health.report()
    response.status_code = 200 if report.status is SystemHealth.HEALTHY else 503
    return report


@router.get(
    "/api/system/health/full",
    responses=shows(FULL_HEALTH) | {503: {"model": FullHealth, "description": "A critical part is down."}},
)
async def get_full_health(health: HealthDep, response: Response) -> FullHealth:
    """Every part by name. 503 when PostgreSQL, Redis, the detector or the file watcher is down.

    `florence` and `clip` are models of the zoo, `enrichment` is the zoo itself. A model that is switched off or whose
    weights are absent is `not_configured`. A circuit breaker that cannot be asked is `unknown`.
    """
    report = await health.full()
    response.status_code = 503 if report.status is SystemHealth.UNHEALTHY else 200
    return report


@router.get("/api/system/health/websocket", responses=shows(WEBSOCKET_HEALTH))
async def get_websocket_health(health: HealthDep) -> WebSocketHealth:
    """How this replica's broadcasting goes: `closed` while live frames flow, `open` after a failure, `half_open`
    during the next try. Both broadcasters read from one connection to Redis."""
    return await health.websocket()
