"""Performance of the host, the stores and the models, and its alerts."""

from typing import Annotated

from fastapi import APIRouter, Query

from deployments.api.deps import PerformanceDep
from deployments.api.examples.performance import PERFORMANCE, PERFORMANCE_HISTORY
from deployments.api.parameters import Checked
from deployments.api.responses import problems, shows
from deployments.api.views.performance import Performance, PerformanceHistory, TimeRange

router = APIRouter(prefix="/api/system", tags=["performance"])


class PerformanceQuery(Checked):
    time_range: TimeRange = TimeRange.FIVE_MINUTES
    """How far back: 5m, 15m or 60m."""


@router.get("/performance", responses=shows(PERFORMANCE) | problems(503))
async def get_performance(performance: PerformanceDep) -> Performance:
    """How the system does now, looked at every 5 s. What nobody can tell is null.

    Alerts: GPU temperature from 75 and 85 °C on, GPU memory 90 and 95 %, processor 80 and 95 %, memory 85 and 95 %,
    disk 80 and 90 %, connections to PostgreSQL 80 and 95 % (warning and critical).
    """
    return await performance()


@router.get("/performance/history", responses=shows(PERFORMANCE_HISTORY) | problems(422, 503))
async def get_performance_history(
    query: Annotated[PerformanceQuery, Query()], performance: PerformanceDep
) -> PerformanceHistory:
    """What was looked at in the last 5, 15 or 60 minutes, oldest first, evenly thinned to 60 snapshots."""
    return await performance.history(query.time_range)
