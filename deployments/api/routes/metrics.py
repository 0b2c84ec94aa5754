"""One Prometheus scrape for the whole system."""

from fastapi import APIRouter
from starlette.responses import Response

from deployments.api.deps import MetricsDep
from deployments.api.examples.logs import METRICS
from deployments.api.responses import Responses, problems
from deployments.api.views.metrics import CONTENT_TYPE

router = APIRouter(prefix="/api", tags=["metrics"])

_TEXT: Responses = {
    200: {
        "description": "The exposition format, version 0.0.4.",
        "content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS}},
    }
}


@router.get("/metrics", response_class=Response, responses=_TEXT | problems(503))
async def get_metrics(metrics: MetricsDep) -> Response:
    """Counters and histograms summed over every process that ever was, and gauges of this moment.

    The same from every replica. A counter never falls, also when processes die: a scrape may lack what a process
    counted in its last five seconds. `gpu_*` are absent without a GPU.
    """
    return Response(await metrics.text(), headers={"Content-Type": CONTENT_TYPE})
