"""Events: what happened, how risky it was and why."""

from typing import Annotated

from fastapi import APIRouter, Query

from deployments.api.bodies import EventChange
from deployments.api.deps import DetectionsDep, EventsDep, TellDep
from deployments.api.examples import page
from deployments.api.examples.pipeline import DETECTION, EVENT
from deployments.api.pages import DetectionPage, EventPage, detection_page, event_page
from deployments.api.parameters import EventDetectionQuery, EventQuery, RowId
from deployments.api.responses import problems, shows
from schemas.event import Event
from storage.detections import DetectionFilter

router = APIRouter(prefix="/api/events", tags=["events"])


@router.get("", responses=shows(page("events", EVENT)) | problems(422, 503))
async def list_events(query: Annotated[EventQuery, Query()], events: EventsDep) -> EventPage:
    """Events, newest first; all filters that are set must hold."""
    rows = await events.list(query, before=query.row_place(), limit=query.limit + 1, offset=query.offset)
    return event_page(rows, query)


@router.get("/{event_id}", responses=shows(EVENT) | problems(404, 422, 503))
async def get_event(event_id: RowId, events: EventsDep) -> Event:
    """One event with the ids of its detections.

    `assessment` is `provisional` while the language model is away: it will be assessed again, under the same id.
    """
    return await events.get(event_id)


@router.patch("/{event_id}", responses=shows(EVENT) | problems(404, 413, 415, 422, 503))
async def update_event(event_id: RowId, body: EventChange, events: EventsDep, tell: TellDep) -> Event:
    """Marks an event as reviewed, or writes notes on it. A field left out stays; null clears the notes."""
    return await tell(events.update(event_id, body))


@router.get("/{event_id}/detections", responses=shows(page("detections", DETECTION)) | problems(404, 422, 503))
async def list_event_detections(
    event_id: RowId, query: Annotated[EventDetectionQuery, Query()], events: EventsDep, detections: DetectionsDep
) -> DetectionPage:
    """The detections that make up an event, newest first."""
    event = await events.get(event_id)
    wanted = DetectionFilter(event_id=event.id, start_date=query.start_date, end_date=query.end_date)
    rows = await detections.list(wanted, before=query.row_place(), limit=query.limit + 1, offset=query.offset)
    return detection_page(rows, query)
