"""What was tried and failed for good, and how it is tried again."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query

from deployments.api.deps import CallerDep, DeadLetterOfficeDep, DeadLettersDep
from deployments.api.examples import page
from deployments.api.examples.operations import CLEARED, DEAD_LETTER, DEAD_LETTER_COUNTS, REQUEUED
from deployments.api.parameters import Paging
from deployments.api.responses import problems, shows
from deployments.api.views.dead_letters import DeadLetterPage, Wanted
from schemas.dead_letter import Cleared, DeadLetterCounts, DeadQueue, Requeued

router = APIRouter(prefix="/api/dlq", tags=["dead letters"])

Queue = Annotated[DeadQueue, Path(description="Files, batches, or deliveries.")]


@router.get("/stats", responses=shows(DEAD_LETTER_COUNTS) | problems(503))
async def get_dead_letter_counts(letters: DeadLettersDep) -> DeadLetterCounts:
    """How many dead letters each queue has; those that were put aside do not count."""
    return await letters.counts()


@router.get("/jobs/{queue}", responses=shows(page("jobs", DEAD_LETTER)) | problems(422, 503))
async def list_dead_letters(
    queue: Queue, query: Annotated[Paging, Query()], office: DeadLetterOfficeDep
) -> DeadLetterPage:
    """A queue's dead letters, those that died last first, each with its reason."""
    return await office.list(queue, query)


@router.post("/requeue/{queue}", responses=shows(REQUEUED) | problems(404, 413, 415, 422, 503))
async def requeue_dead_letters(
    queue: Queue, office: DeadLetterOfficeDep, caller: CallerDep, body: Annotated[Wanted | None, Body()] = None
) -> Requeued:
    """Has the dead letters that are named tried again, or the one that has been dead longest; 0 of an empty queue.

    Each starts anew: no tries, due at once, under its old key, so that a delivery goes out under the same
    `Idempotency-Key` and a batch makes one event. What fails again dies again with its reason. A file whose bytes are
    looked at as another file of the same camera becomes its duplicate instead. 404 when none of those named is a dead
    letter, for one because somebody else had it tried again.
    """
    return await office.requeue(queue, body or Wanted(), caller)


@router.post("/requeue-all/{queue}", responses=shows(REQUEUED) | problems(422, 503))
async def requeue_all_dead_letters(queue: Queue, office: DeadLetterOfficeDep, caller: CallerDep) -> Requeued:
    """Has every dead letter of a queue tried again that is dead now, in thousands; `ids` has the first 1,000."""
    return await office.requeue_all(queue, caller)


@router.delete("/{queue}", responses=shows(CLEARED) | problems(422, 503))
async def clear_dead_letters(queue: Queue, office: DeadLetterOfficeDep, caller: CallerDep) -> Cleared:
    """Puts every dead letter of a queue aside: none is tried again or listed here.

    Their rows stay, dead, as history; a file that was put aside is not taken in again by a look at its folder.
    """
    return await office.clear(queue, caller)
