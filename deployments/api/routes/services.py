"""Services: seen, restarted, started, enabled, disabled."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from deployments.api.deps import CallerDep, ServiceBoardDep
from deployments.api.examples.operations import (
    SERVICE_DISABLE,
    SERVICE_ENABLE,
    SERVICE_RESTART,
    SERVICE_START,
    SERVICES,
)
from deployments.api.parameters import ServiceQuery
from deployments.api.responses import problems, shows
from deployments.api.views.services import ServiceActionAnswer, ServiceList
from schemas.service import ServiceAction

router = APIRouter(prefix="/api/system/services", tags=["services"])

ServiceName = Annotated[str, Path(description="As the list of services has it.", examples=["detection_worker"])]


@router.get("", responses=shows(SERVICES) | problems(422, 503))
async def list_services(query: Annotated[ServiceQuery, Query()], services: ServiceBoardDep) -> ServiceList:
    """Every service as the supervisor last saw it, with a summary of each category.

    In a summary `healthy` are those that run, and `unhealthy` those that are meant to and do not. What is disabled or
    not configured is a choice and counts as neither, so the five figures add up to `total`. A service of which the
    supervisor has not reported for 15 s is `unknown`.
    """
    return await services.list(query.category)


@router.post("/{name}/restart", responses=shows(SERVICE_RESTART) | problems(400, 404, 409, 422, 503))
async def restart_service(name: ServiceName, services: ServiceBoardDep, caller: CallerDep) -> ServiceActionAnswer:
    """Ends a service after what it has in hand, and starts it again. It counts as no failure and causes no back-off.

    The answer comes within 10 s with the status as it is then; what takes longer goes on. `api` answers first and then
    restarts its replicas one after the other. A store of the system's own is restarted with all that is in it; one
    that runs elsewhere is a 400. A disabled service is a 400, another wish about the same service under way a 409.
    """
    return await services.act(ServiceAction.RESTART, name, caller)


@router.post("/{name}/start", responses=shows(SERVICE_START) | problems(400, 404, 409, 422, 503))
async def start_service(name: ServiceName, services: ServiceBoardDep, caller: CallerDep) -> ServiceActionAnswer:
    """Starts a service that is stopped, without waiting for the supervisor's back-off.

    One that is running already, or disabled, is a 400.
    """
    return await services.act(ServiceAction.START, name, caller)


@router.post("/{name}/enable", responses=shows(SERVICE_ENABLE) | problems(400, 404, 409, 422, 503))
async def enable_service(name: ServiceName, services: ServiceBoardDep, caller: CallerDep) -> ServiceActionAnswer:
    """Starts a disabled service, and lets self-healing resume with its first back-off. One that is enabled stays so."""
    return await services.act(ServiceAction.ENABLE, name, caller)


@router.post("/{name}/disable", responses=shows(SERVICE_DISABLE) | problems(400, 404, 409, 422, 503))
async def disable_service(name: ServiceName, services: ServiceBoardDep, caller: CallerDep) -> ServiceActionAnswer:
    """Ends a service and keeps it down, whatever is restarted, until it is enabled.

    Work that it would do waits as rows. `postgres`, `redis` and `api` cannot be disabled, since nobody could enable
    them again: 400.
    """
    return await services.act(ServiceAction.DISABLE, name, caller)
