"""How long each stage of the pipeline takes."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from deployments.api.deps import LatencyDep
from deployments.api.examples.latency import LATENCY, LATENCY_HISTORY
from deployments.api.parameters import Checked
from deployments.api.responses import problems, shows
from deployments.api.views.latency import LatencyHistory, PipelineLatency

router = APIRouter(prefix="/api/system", tags=["latency"])


class LatencyQuery(Checked):
    window_minutes: int = Field(default=60, ge=1, le=1440)
    """How far back."""


class LatencyHistoryQuery(Checked):
    since: int = Field(default=60, ge=1, le=1440)
    """Minutes of history."""
    bucket_seconds: int = Field(default=60, ge=10, le=3600)
    """How long a bucket is."""


@router.get("/pipeline-latency", responses=shows(LATENCY) | problems(422, 503))
async def get_pipeline_latency(query: Annotated[LatencyQuery, Query()], latency: LatencyDep) -> PipelineLatency:
    """Exact figures of every sample that ended in the window, from the timestamps of the rows.

    Rows that died or took a second try have no sample: a time-out says nothing of a stage. A stage without samples is
    null.
    """
    return await latency.figures(query.window_minutes)


@router.get(
    "/pipeline-latency/history",
    response_model=LatencyHistory,
    responses=shows(LATENCY_HISTORY) | problems(422, 503),
)
async def get_pipeline_latency_history(query: Annotated[LatencyHistoryQuery, Query()], latency: LatencyDep) -> Response:
    """The same for a chart: every bucket of the window in order, and null for a stage that has no sample in one."""
    return Response(await latency.history(query.since, query.bucket_seconds), media_type="application/json")
