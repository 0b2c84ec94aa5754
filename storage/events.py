"""Events: listed, read, marked as reviewed."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
from pydantic import Field

from domain.labels import expand
from schemas.event import Event, EventUpdate
from schemas.frame import NewFrame
from schemas.frame_types import EventUpdated, frame
from schemas.frozen import Frozen, UtcTime
from schemas.severity import Severity
from storage.changed import Changed
from storage.errors import NotFound
from storage.filters import Filters
from storage.postgres import Pool, store_errors, transaction

_COLUMNS = """id, batch_id, camera_id, started_at, ended_at, risk_score, risk_level, summary, reasoning, assessment,
    assessed_by, reviewed, notes, object_types, detection_count"""
# The ids come from the index on (batch_id, id), only for the rows of the page.
_IDS = (
    "LEFT JOIN LATERAL (SELECT array_agg(id ORDER BY id) AS ids FROM detections WHERE batch_id = e.batch_id) d ON true"
)


class EventFilter(Frozen):
    """Which events are listed; conditions that are set must all hold."""

    camera_id: str | None = Field(default=None, max_length=200)
    risk_level: Severity | None = None
    object_type: str | None = Field(default=None, max_length=100)
    """A detector class, or a group: `vehicle`, `animal`."""
    reviewed: bool | None = None
    start_date: UtcTime | None = None
    """Events that started then or later."""
    end_date: UtcTime | None = None
    """Events that started then or earlier."""
    search: str | None = Field(default=None, min_length=1, max_length=200)
    """Text in the summary or the reasoning, taken literally, letter case aside."""
    min_score: int | None = Field(default=None, ge=0, le=100)


EVERYTHING = EventFilter()


class Events:
    """The table `events`, newest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(
        self,
        wanted: EventFilter = EVERYTHING,
        *,
        before: tuple[datetime, int] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Sequence[Event]:
        """At most `limit`, from the one after (started_at, id) = `before` on."""
        filters = _filters(wanted).before(["started_at", "id"], before)
        page = f"LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}"
        rows = await self._pool.fetch(
            f"""
            SELECT e.*, coalesce(d.ids, '{{}}') AS detection_ids
            FROM (SELECT {_COLUMNS} FROM events {filters.where} ORDER BY started_at DESC, id DESC {page}) e {_IDS}
            ORDER BY e.started_at DESC, e.id DESC
            """,
            *filters.arguments,
        )
        return [event_of(row) for row in rows]

    @store_errors()
    async def get(self, event_id: int) -> Event:
        """Raises NotFound."""
        found = await self._many([event_id])
        if not found:
            raise _no_event(event_id)
        return found[0]

    @store_errors()
    async def named(self, event_ids: Sequence[int]) -> Sequence[Event]:
        """Those of these ids that exist, newest first."""
        return await self._many(event_ids)

    async def _many(self, event_ids: Sequence[int]) -> Sequence[Event]:
        rows = await self._pool.fetch(
            f"""
            SELECT e.*, coalesce(d.ids, '{{}}') AS detection_ids
            FROM (SELECT {_COLUMNS} FROM events WHERE id = ANY($1)) e {_IDS} ORDER BY e.started_at DESC, e.id DESC
            """,
            [*event_ids],
        )
        return [event_of(row) for row in rows]

    @store_errors()
    async def update(self, event_id: int, change: EventUpdate) -> Changed[Event]:
        """Sets the fields that `change` names; an explicit null clears the notes. Raises NotFound."""
        asked = change.model_dump(include=change.model_fields_set)
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow("SELECT reviewed, notes FROM events WHERE id = $1 FOR UPDATE", event_id)
            if row is None:
                raise _no_event(event_id)
            news = {field: value for field, value in asked.items() if value != row[field]}
            if news:
                after = {**row, **news}
                await connection.execute(
                    "UPDATE events SET reviewed = $2, notes = $3, updated_at = now() WHERE id = $1",
                    event_id,
                    after["reviewed"],
                    after["notes"],
                )
        event = await self.get(event_id)
        return Changed(event, (_updated_frame(event, sorted(news)),) if news else ())


def _no_event(event_id: int) -> NotFound:
    return NotFound(f"there is no event {event_id}")


def event_of(row: asyncpg.Record) -> Event:
    """An event from its columns and `detection_ids`."""
    return Event.model_validate({**row, "batch_id": str(row["batch_id"])})


def _filters(wanted: EventFilter) -> Filters:
    filters = Filters().equal("camera_id", wanted.camera_id)
    filters.equal("risk_level", wanted.risk_level and wanted.risk_level.value).equal("reviewed", wanted.reviewed)
    filters.between("started_at", wanted.start_date, wanted.end_date)
    filters.contains(["summary", "reasoning"], wanted.search)
    filters.between("risk_score", wanted.min_score, None)
    if wanted.object_type is not None:
        filters.add("object_types && {}::text[]", classes_called(wanted.object_type))
    return filters


def classes_called(name: str) -> list[str]:
    """The detector's classes that a person may mean by a name: itself, and a group's members."""
    return sorted({name, *expand([name])})


def _updated_frame(event: Event, fields: list[str]) -> NewFrame:
    return frame(
        EventUpdated(
            id=event.id,
            updated_fields=tuple(fields),
            risk_score=event.risk_score,
            risk_level=event.risk_level,
        )
    )
