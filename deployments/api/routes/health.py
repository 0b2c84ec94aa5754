"""The four probes: they need no key, and none of them waits longer than 300 ms for a store."""

from fastapi import APIRouter, Response
from pydantic import Field

from deployments.api.deps import ClockDep, ReadinessDep
from deployments.api.examples.pipeline import READINESS
from deployments.api.responses import shows
from deployments.api.views.readiness import Readiness
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
