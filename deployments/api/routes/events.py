"""Events: what happened, how risky it was and why."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from deployments.api.bodies import EventChange
from deployments.api.deps import ClockDep, DetectionsDep, EventFiguresDep, EventsDep, TellDep, WhysDep
from deployments.api.examples import page
from deployments.api.examples.events import EVENT_FILE, EVENT_STATS
from deployments.api.examples.pipeline import DETECTION, EVENT
from deployments.api.examples.whys import EVENT_WHY
from deployments.api.pages import DetectionPage, EventPage, detection_page, event_page
from deployments.api.parameters import EventDetectionQuery, EventExportQuery, EventQuery, EventStatsQuery, RowId
from deployments.api.responses import problems, shows
from deployments.api.views.event_export import event_export
from schemas.event import Event
from schemas.event_stats import EventStats
from schemas.event_why import EventWhy
from storage.detections import DetectionFilter

router = APIRouter(prefix="/api/events", tags=["events"])


@router.get("", responses=shows(page("events", EVENT)) | problems(422, 503))
async def list_events(query: Annotated[EventQuery, Query()], events: EventsDep) -> EventPage:
    """Events, newest first; all filters that are set must hold."""
    rows = await events.list(query, before=query.row_place(), limit=query.limit + 1, offset=query.offset)
    return event_page(rows, query)


@router.get("/stats", responses=shows(EVENT_STATS) | problems(422, 503))
async def get_event_stats(query: Annotated[EventStatsQuery, Query()], figures: EventFiguresDep) -> EventStats:
    """Events counted by level, by camera, and looked at or not; `start_date` and `end_date` are their start's."""
    return await figures.stats(query.start_date, query.end_date, query.camera_id)


@router.get("/export", response_class=StreamingResponse, responses=EVENT_FILE | problems(422, 503))
async def export_events(
    query: Annotated[EventExportQuery, Query()], events: EventsDep, clock: ClockDep
) -> StreamingResponse:
    """All events that the filters of the list let through, newest first, as a file.

    CSV is RFC 4180 in UTF-8 with a header; a cell that a spreadsheet would run as a formula has an apostrophe before
    it. JSON is one array of events as the list answers them. It is written while it is read: a file that ends early,
    because the database went away, ends with a broken connection.
    """
    return await event_export(events, query, query.format, clock.now())


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


@router.get("/{event_id}/why", responses=shows(EVENT_WHY) | problems(404, 422, 503))
async def get_event_why(event_id: RowId, whys: WhysDep) -> EventWhy:
    """Why an event has its score and its alerts: the whole chain, as it was stored with the event.

    `factors` are the terms of the deterministic assessor's score, and floors; `unusual` is the baseline that the batch
    was compared with; `model` is what the language model was told and what it answered, word for word, null where none
    was asked; `rules` says what each enabled alert rule made of it; `earlier` holds the assessments that this one took
    the place of, oldest first. `reassessment` tells where a provisional event stands on its way to the model; null for
    one that never was on it. Names and answers in it come from outside: show them as text.
    """
    return await whys.get(event_id)


@router.get("/{event_id}/detections", responses=shows(page("detections", DETECTION)) | problems(404, 422, 503))
async def list_event_detections(
    event_id: RowId, query: Annotated[EventDetectionQuery, Query()], events: EventsDep, detections: DetectionsDep
) -> DetectionPage:
    """The detections that make up an event, newest first."""
    event = await events.get(event_id)
    wanted = DetectionFilter(event_id=event.id, start_date=query.start_date, end_date=query.end_date)
    rows = await detections.list(wanted, before=query.row_place(), limit=query.limit + 1, offset=query.offset)
    return detection_page(rows, query)
