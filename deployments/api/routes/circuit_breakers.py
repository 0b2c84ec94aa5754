"""Circuit breakers: seen and reset."""

from typing import Annotated

from fastapi import APIRouter, Path

from deployments.api.deps import BreakerBoardDep, CallerDep
from deployments.api.examples.operations import BREAKER_RESET, BREAKERS
from deployments.api.responses import problems, shows
from deployments.api.views.breakers import BreakerList, BreakerResetAnswer

router = APIRouter(prefix="/api/system/circuit-breakers", tags=["circuit breakers"])


@router.get("", responses=shows(BREAKERS) | problems(503))
async def get_circuit_breakers(breakers: BreakerBoardDep) -> BreakerList:
    """Every circuit breaker by its name. One that nothing has called yet is closed and has no calls.

    Breakers begin closed when their process is started again.
    """
    return await breakers.list()


@router.post("/{name}/reset", responses=shows(BREAKER_RESET) | problems(400, 404, 422, 503))
async def reset_circuit_breaker(
    name: Annotated[
        str,
        Path(
            description="As the list has it.",
            examples=["yolo26"],
            json_schema_extra={"pattern": "^[A-Za-z0-9_-]{1,64}$"},  # told here, refused with a 400 further on
        ),
    ],
    breakers: BreakerBoardDep,
    caller: CallerDep,
) -> BreakerResetAnswer:
    """Closes a circuit breaker by hand and forgets its failures, so that the next call is made.

    A name with other characters than letters, digits, hyphens and underscores, or more than 64 of them, is a 400.
    """
    return await breakers.reset(name, caller)
