"""The system itself: what the pipeline has before it."""

from fastapi import APIRouter

from deployments.api.deps import PipelineDep
from deployments.api.examples.pipeline import PIPELINE
from deployments.api.responses import problems, shows
from deployments.api.views.pipeline import PipelineStatus

router = APIRouter(prefix="/api/system", tags=["system"])


@router.get("/pipeline", responses=shows(PIPELINE) | problems(503))
async def get_pipeline(view: PipelineDep) -> PipelineStatus:
    """The pipeline at a glance. A part is null while nothing is known of it."""
    return await view()
