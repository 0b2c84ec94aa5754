"""The model zoo: the registry, its memory and its latencies."""

from typing import Annotated

from fastapi import APIRouter, Query

from deployments.api.deps import ModelsDep
from deployments.api.examples.models import HISTORY, MODEL, MODEL_LIST, ZOO_STATUS
from deployments.api.parameters import ModelName
from deployments.api.responses import problems, shows
from deployments.api.views.models import ModelHistory, ModelHistoryQuery, ModelList, ZooStatus
from schemas.model import ZooModel

router = APIRouter(prefix="/api/system", tags=["models"])


@router.get("/models", responses=shows(MODEL_LIST) | problems(503))
async def list_models(models: ModelsDep) -> ModelList:
    """Every model of the zoo, and the budget of memory that the loaded ones share.

    A model loads on first use. When the budget would be passed, the least recently used ones leave; one that is in use
    never does. `vram_mb` is the registry's figure until a load has been measured (`vram_measured`). Where models run
    on the machine's processor (`device` is `cpu`), the same budget counts the machine's memory. `available` and
    `reason` say whether a model can be used and what is missing; nothing is downloaded by itself.
    """
    return await models.list()


@router.get("/models/{model_name}", responses=shows(MODEL) | problems(404, 422, 503))
async def get_model(model_name: ModelName, models: ModelsDep) -> ZooModel:
    """One model. Its counts go on over restarts."""
    return await models.get(model_name)


@router.get("/model-zoo/status", responses=shows(ZOO_STATUS) | problems(503))
async def get_model_zoo_status(models: ModelsDep) -> ZooStatus:
    """All models in brief, and how many of each category are loaded. While the zoo is down, none is."""
    return await models.status()


@router.get("/model-zoo/latency/history", responses=shows(HISTORY) | problems(404, 422, 503))
async def get_model_latency_history(query: Annotated[ModelHistoryQuery, Query()], models: ModelsDep) -> ModelHistory:
    """How long a model took for a picture, bucket by bucket: exact figures of every picture of the window.

    Every bucket of the window is there, oldest first; its figures are null where no picture was run in it. Waiting and
    loading are not counted.
    """
    return await models.history(query)
