"""The model zoo's plan and tools."""

from actors.model_rows import ZooTools
from actors.model_zoo import ZooPlan
from actors.tools import open_pool
from domain.model_registry import enabled_models
from settings import Settings
from storage.latency import LatencySamples
from storage.models import Models
from vision.zoo.shelf import ShelfPlan


def zoo_plan(settings: Settings) -> ZooPlan:
    shelf = ShelfPlan(
        folder=settings.zoo_dir,
        cache_dir=settings.data_dir / "models",
        files=settings.zoo_files,
        device=settings.model_zoo_device,
        threads=settings.detector_threads,
    )
    enabled = enabled_models(settings.model_zoo_enabled, settings.model_zoo_disabled)
    return ZooPlan(shelf, settings.vram_budget_mb, enabled)


async def zoo_tools(settings: Settings) -> ZooTools:
    pool = await open_pool(settings, "model_zoo")
    return ZooTools(Models(pool), LatencySamples(pool))
