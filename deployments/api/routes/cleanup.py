"""Retention: what is deleted, when, and what would be."""

from typing import Annotated

from fastapi import APIRouter, Query

from deployments.api.deps import ActorsDep, CallerDep, CleanupDep
from deployments.api.examples.cleanup import CLEANUP_REPORT, CLEANUP_STATUS, ORPHAN_REPORT
from deployments.api.parameters import CleanupQuery, OrphanQuery
from deployments.api.responses import problems, shows
from schemas.cleanup import CleanupReport, CleanupStatus, OrphanReport

router = APIRouter(prefix="/api/system/cleanup", tags=["cleanup"])


@router.get("/status", responses=shows(CLEANUP_STATUS) | problems(503))
async def get_cleanup_status(status: CleanupDep) -> CleanupStatus:
    """Whether the clean-up service is alive, what it keeps for how long, and when it runs next.

    It runs every day at `cleanup_time` by the clock of `timezone`; a run that was missed while the system was down is
    made up for at the next start, and one that failed is tried again after 15 minutes.
    """
    return await status()


@router.post("", responses=shows(CLEANUP_REPORT) | problems(409, 422, 503))
async def run_cleanup(query: Annotated[CleanupQuery, Query()], actors: ActorsDep, caller: CallerDep) -> CleanupReport:
    """Deletes what is older than it is to be kept, now; with `dry_run` only counts what that would be.

    Events go with their detections, alerts and deliveries; what somebody still has to work on stays, whatever its age.
    The answer comes when the run has ended. It goes on when the caller hangs up: the frames `job.started`,
    `job.progress`, `job.completed` and `job.failed` tell of it, and the audit trail has what it deleted. While one job
    runs, another is refused with 409.
    """
    return await actors.cleanup.run(query.dry_run, caller)


@router.post("/orphaned-files", responses=shows(ORPHAN_REPORT) | problems(409, 422, 503))
async def clean_orphaned_files(
    query: Annotated[OrphanQuery, Query()], actors: ActorsDep, caller: CallerDep
) -> OrphanReport:
    """Finds files that the system has written and that no row refers to; deletes them with `dry_run=false`.

    Searched are `thumbnails` and `clips` below the system's data folder, never the cameras' folders. A file younger
    than 24 hours is never an orphan. `files` names the first 100 of each.
    """
    return await actors.cleanup.orphans(query.dry_run, caller)
