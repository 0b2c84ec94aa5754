"""Logs of every process, and those that pages send."""

from typing import Annotated

from fastapi import APIRouter, Query

from deployments.api.deps import FrontendLogsDep, LogDayDep, LogsDep
from deployments.api.errors import answers_bad_values
from deployments.api.examples import page
from deployments.api.examples.logs import BATCH_REFUSED, BATCH_TAKEN, LOG, LOG_STATS, TAKEN
from deployments.api.pages import LogPage, log_page
from deployments.api.parameters import LogQuery, RowId
from deployments.api.responses import problems, shows
from deployments.api.views.frontend_logs import FrontendLog, FrontendLogBatch, LogsRefused, LogsTaken, refused
from schemas.log import Log, LogStats

router = APIRouter(prefix="/api/logs", tags=["logs"])

_REFUSED = {
    "model": LogsRefused,
    "description": "Some entry cannot be used, so none was stored. This is no `application/problem+json`.",
    "content": {"application/json": {"example": BATCH_REFUSED}},
}


@router.get("", responses=shows(page("logs", LOG) | {"limit": 100}) | problems(422, 503))
async def list_logs(query: Annotated[LogQuery, Query()], logs: LogsDep) -> LogPage:
    """Lines of every process and page, newest first; all filters that are set must hold."""
    rows = await logs.list(query, before=query.row_place(), limit=query.limit + 1, offset=query.offset)
    return log_page(rows, query)


@router.get("/stats", responses=shows(LOG_STATS) | problems(503))
async def get_log_stats(day: LogDayDep) -> LogStats:
    """How much was said today, by component and level; the day is that of the house's time zone."""
    return await day.figures()


@router.get("/{log_id}", responses=shows(LOG) | problems(404, 422, 503))
async def get_log(log_id: RowId, logs: LogsDep) -> Log:
    """One line."""
    return await logs.get(log_id)


@router.post("/frontend", status_code=201, responses=shows(TAKEN, 201) | problems(400, 413, 415, 422, 503))
async def add_frontend_log(entry: FrontendLog, logs: FrontendLogsDep) -> LogsTaken:
    """Stores a line of a page's log, as data: control characters are escaped, keys and secrets replaced."""
    return await logs.take([entry])


@router.post(
    "/frontend/batch",
    status_code=201,
    responses=shows(BATCH_TAKEN, 201) | problems(400, 413, 415, 503) | {422: _REFUSED},
)
@answers_bad_values(refused)
async def add_frontend_logs(batch: FrontendLogBatch, logs: FrontendLogsDep) -> LogsTaken:
    """Stores up to 100 lines, all of them or none."""
    return await logs.take(batch.entries)
