"""Figures from rows and probes: totals, GPU, storage, telemetry."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from deployments.api.deps import StatisticsDep, StorageDep
from deployments.api.examples.statistics import GPU, GPU_HISTORY, STATS, STORAGE, TELEMETRY
from deployments.api.parameters import Checked, Moment
from deployments.api.responses import problems, shows
from deployments.api.views.statistics import GpuFigure, GpuHistory, SystemStats, Telemetry
from deployments.api.views.storage_use import StorageUse

router = APIRouter(prefix="/api/system", tags=["statistics"])


class GpuHistoryQuery(Checked):
    since: Moment | None = None
    """From this time on; ISO 8601, taken as UTC without an offset."""
    limit: int = Field(default=300, ge=1, le=5000)
    """How many at most: the newest."""


@router.get("/gpu", responses=shows(GPU) | problems(503))
async def get_gpu(statistics: StatisticsDep) -> GpuFigure:
    """GPU 0's newest sample, and in `gpus` that of every GPU of every node. Without a GPU every field is null."""
    return await statistics.gpu()


@router.get("/gpu/history", responses=shows(GPU_HISTORY) | problems(422, 503))
async def get_gpu_history(query: Annotated[GpuHistoryQuery, Query()], statistics: StatisticsDep) -> GpuHistory:
    """GPU 0's samples for a chart: the newest `limit` of them, oldest first."""
    return await statistics.gpu_history(query.since, query.limit)


@router.get("/stats", responses=shows(STATS) | problems(503))
async def get_stats(statistics: StatisticsDep) -> SystemStats:
    """How many there are. Counted from the rows, and about a second old at most."""
    return await statistics.stats()


@router.get("/storage", responses=shows(STORAGE) | problems(503))
async def get_storage(storage: StorageDep) -> StorageUse:
    """The disk that holds DATA_DIR, the files of the system, and its rows.

    Files are counted anew at most as often as a twentieth of the time that it takes: `files_counted_at` says when.
    """
    return await storage()


@router.get("/telemetry", responses=shows(TELEMETRY) | problems(503))
async def get_telemetry(statistics: StatisticsDep) -> Telemetry:
    """What waits, and how long each stage took in the last hour; a stage without samples is null."""
    return await statistics.telemetry()
