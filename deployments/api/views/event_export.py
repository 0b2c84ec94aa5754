"""Events as a file: written page by page while it is read, so that a large one costs no more memory than a small one.

Each page goes on after the last event of the one before. So a slow reader holds no connection and no snapshot; events
that come meanwhile are not in the file, since it goes from the newest back.
"""

import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from starlette.responses import StreamingResponse

from schemas.event import Event
from storage.events import EventFilter, Events

EVENTS_A_PAGE = 500
COLUMNS = tuple(field for field in Event.model_fields if field != "detection_ids")
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r", "\n")


class ExportFormat(StrEnum):
    CSV = "csv"
    JSON = "json"


_MEDIA_TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8; header=present", ExportFormat.JSON: "application/json"}


async def event_export(events: Events, wanted: EventFilter, form: ExportFormat, now: datetime) -> StreamingResponse:
    """The answer with its first page read: a store that is away is told as such, not as an empty file.

    One that goes away later breaks the connection off, so that half a file does not look like a whole one.
    """
    first = await events.list(wanted, limit=EVENTS_A_PAGE)
    written = _csv if form is ExportFormat.CSV else _json
    name = f"events-{now:%Y-%m-%d}.{form.value}"
    return StreamingResponse(
        written(_pages(events, wanted, first)),
        media_type=_MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _pages(events: Events, wanted: EventFilter, first: Sequence[Event]) -> AsyncIterator[Sequence[Event]]:
    page = first
    while page:
        yield page
        if len(page) < EVENTS_A_PAGE:
            return
        page = await events.list(wanted, before=(page[-1].started_at, page[-1].id), limit=EVENTS_A_PAGE)


async def _csv(pages: AsyncIterator[Sequence[Event]]) -> AsyncIterator[str]:
    """RFC 4180, with a header."""
    yield _csv_lines([COLUMNS])
    async for page in pages:
        yield _csv_lines([_cells(event) for event in page])


def _csv_lines(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _cells(event: Event) -> list[str]:
    values = event.model_dump(mode="json", include=set(COLUMNS))
    return [_cell(values[column]) for column in COLUMNS]


def _cell(value: Any) -> str:
    """What a spreadsheet would run as a formula gets an apostrophe before it, which spreadsheets take for "text"."""
    if isinstance(value, list):
        value = ";".join(value)
    text = "" if value is None else json.dumps(value) if isinstance(value, bool) else str(value)
    return f"'{text}" if text.startswith(_RUN_BY_SPREADSHEETS) else text


async def _json(pages: AsyncIterator[Sequence[Event]]) -> AsyncIterator[str]:
    """One array, an event a line."""
    before = "[\n"
    async for page in pages:
        yield before + ",\n".join(event.model_dump_json() for event in page)
        before = ",\n"
    yield "\n]\n" if before != "[\n" else "[]\n"
