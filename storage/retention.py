"""What has expired, counted and deleted by the same conditions, in steps that are each one short transaction.

Dependents go first and in the same transaction as what they depend on: an event goes with its deliveries, alerts,
detections, batch and reassessment, or not at all; a file's row goes only when no detection refers to it any more.
"""

import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from storage.postgres import PooledConnection, store_errors


def _is_fresh(row: str, begun: str, state: str = "state") -> str:
    """A dead letter that nobody has put aside, and that died only lately, however old what it is about may be."""
    died = f"coalesce({row}.died_at, {row}.{begun})"
    return f"({row}.{state} = 'dead' AND {row}.cleared_at IS NULL AND {died} >= $1)"


_FINISHED = "('assessed', 'dead')"
_WAITING = "('queued', 'sending')"
# $1 is the moment before which rows have expired. Nothing that somebody still has to work on does, whatever its age;
# and a dead letter has its own days to be looked at, from when it died.
_EVENT_EXPIRED = f"""
    e.started_at < $1
    AND EXISTS (SELECT FROM batches eb WHERE eb.id = e.batch_id AND eb.state IN {_FINISHED})
    AND NOT EXISTS (SELECT FROM alerts a JOIN deliveries dl ON dl.alert_id = a.id
                    WHERE a.event_id = e.id
                      AND (dl.status IN {_WAITING} OR {_is_fresh("dl", "queued_at", "status")}))"""
# A batch without an event: one that could not be assessed, and that nobody sent back to be tried again.
_LONE_BATCH_EXPIRED = f"""
    b.started_at < $1 AND b.state IN {_FINISHED} AND NOT {_is_fresh("b", "started_at")}
    AND NOT EXISTS (SELECT FROM events be WHERE be.batch_id = b.id)"""
_BATCH_EXPIRED = f"""
    (EXISTS (SELECT FROM events e WHERE e.batch_id = b.id AND {_EVENT_EXPIRED}) OR ({_LONE_BATCH_EXPIRED}))"""
# A duplicate waits with its original: should that one turn out to be unreadable, it takes its place.
_MEDIA_FINISHED = f"""
    m.captured_at < $1 AND m.state IN ('detected', 'duplicate', 'dead') AND NOT {_is_fresh("m", "captured_at")}
    AND NOT EXISTS (SELECT FROM media o WHERE o.id = m.duplicate_of AND o.state IN ('queued', 'detecting'))"""
_MEDIA_FREE = "AND NOT EXISTS (SELECT FROM detections d WHERE d.media_id = m.id)"
_MEDIA_FREE_AFTERWARDS = f"""
    AND NOT EXISTS (SELECT FROM detections d JOIN batches b ON b.id = d.batch_id
                    WHERE d.media_id = m.id AND NOT {_BATCH_EXPIRED})"""
_MEDIA = "m.id, m.captured_at, m.path, m.size_bytes, m.modified_ns"
_COUNT_SECONDS = 600.0


Place = tuple[datetime, int]
"""A moment and a row's id: a run goes from the oldest on, and never back over what it has passed."""


@dataclass(frozen=True)
class Gone:
    """What one step deleted."""

    place: Place | None = None
    """From which to go on; None when there was nothing left to do."""
    event_ids: tuple[int, ...] = ()
    detections: tuple[tuple[int, bytes], ...] = ()
    """Each with the hash of the file that it was seen in."""
    alerts: int = 0
    batches: int = 0


@dataclass(frozen=True)
class ExpiredMedia:
    """A file's row that no detection refers to any more."""

    id: int
    captured_at: datetime
    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True)
class ExpiredRows:
    events: int
    detections: int
    alerts: int
    batches: int
    gpu_stats: int
    logs: int


class Retention:
    """Deletes on the one connection that holds the clean-up's lock."""

    def __init__(self, connection: PooledConnection) -> None:
        self._connection = connection

    @store_errors()
    async def delete_events(self, before: datetime, after: Place | None, limit: int) -> Gone:
        """The oldest expired events after this place, each with all that belongs to it.

        One that somebody is changing just now, or whose alert has just been sent back to be delivered, is passed over.
        """
        async with self._connection.transaction():
            rows = await self._connection.fetch(
                f"SELECT e.id, e.batch_id, e.started_at FROM events e WHERE {_EVENT_EXPIRED} "
                f"{_beyond(after, 'e.started_at, e.id')} "
                "ORDER BY e.started_at, e.id LIMIT $2 FOR UPDATE OF e SKIP LOCKED",
                before,
                limit,
                *(after or ()),
            )
            if not rows:
                return Gone()
            waited_for = await self._waited_for([row["id"] for row in rows])
            free = [row for row in rows if row["id"] not in waited_for]
            ids, batches = [row["id"] for row in free], [row["batch_id"] for row in free]
            # Their deliveries go with the alerts.
            alerts = _count(await self._connection.execute("DELETE FROM alerts WHERE event_id = ANY($1)", ids))
            detections = await self._delete_detections(batches)
            await self._connection.execute("DELETE FROM events WHERE id = ANY($1)", ids)
            await self._connection.execute("DELETE FROM batches WHERE id = ANY($1)", batches)
            place = (rows[-1]["started_at"], rows[-1]["id"])
            return Gone(place, tuple(ids), detections, alerts, len(batches))

    async def _waited_for(self, event_ids: Sequence[int]) -> set[int]:
        """Events whose deliveries wait to be sent, as the rows are once nobody can change them any more."""
        rows = await self._connection.fetch(
            "SELECT a.event_id, dl.status FROM alerts a JOIN deliveries dl ON dl.alert_id = a.id "
            "WHERE a.event_id = ANY($1) FOR UPDATE OF dl",
            [*event_ids],
        )
        return {row["event_id"] for row in rows if row["status"] in ("queued", "sending")}

    @store_errors()
    async def delete_lone_batches(self, before: datetime, limit: int) -> Gone:
        """Expired batches that never became an event, with their detections."""
        async with self._connection.transaction():
            rows = await self._connection.fetch(
                f"SELECT b.id, b.started_at FROM batches b WHERE {_LONE_BATCH_EXPIRED} "
                "ORDER BY b.started_at, b.id LIMIT $2 FOR UPDATE OF b SKIP LOCKED",
                before,
                limit,
            )
            if not rows:
                return Gone()
            batches = [row["id"] for row in rows]
            detections = await self._delete_detections(batches)
            await self._connection.execute("DELETE FROM batches WHERE id = ANY($1)", batches)
            return Gone((rows[-1]["started_at"], 0), (), detections, 0, len(batches))

    async def _delete_detections(self, batches: Sequence[UUID]) -> tuple[tuple[int, bytes], ...]:
        rows = await self._connection.fetch(
            "DELETE FROM detections d USING media m WHERE d.batch_id = ANY($1) AND m.id = d.media_id "
            "RETURNING d.id, m.content_hash",
            [*batches],
        )
        return tuple((row["id"], row["content_hash"]) for row in rows)

    @store_errors()
    async def free_media(self, before: datetime, after: Place | None, limit: int) -> Sequence[ExpiredMedia]:
        """The next expired rows of files after this place to which no detection refers."""
        return await self._media(before, after, limit, _MEDIA_FREE)

    @store_errors()
    async def expired_media(self, before: datetime, after: Place | None, limit: int) -> Sequence[ExpiredMedia]:
        """Those that `free_media` would find once the expired events are gone."""
        return await self._media(before, after, limit, _MEDIA_FREE_AFTERWARDS)

    async def _media(self, before: datetime, after: Place | None, limit: int, free: str) -> Sequence[ExpiredMedia]:
        rows = await self._connection.fetch(
            f"""
            SELECT {_MEDIA} FROM media m WHERE {_MEDIA_FINISHED} {free} {_beyond(after, "m.captured_at, m.id")}
            ORDER BY m.captured_at, m.id LIMIT $2
            """,
            before,
            limit,
            *(after or ()),
        )
        return [_media_of(row) for row in rows]

    @store_errors()
    async def delete_media(
        self,
        before: datetime,
        ids: Sequence[int],
        is_gone: Callable[[Sequence[ExpiredMedia]], Coroutine[Any, Any, Sequence[int]]],
    ) -> int:
        """Those of these rows that are still free, and whose ids `is_gone` answers; how many went.

        `is_gone` is asked while nobody else can change the rows, and may delete the files: first the file, then its
        row, so that no file is ever left without one.
        """
        async with self._connection.transaction():
            rows = await self._connection.fetch(
                f"SELECT {_MEDIA} FROM media m WHERE m.id = ANY($2) AND {_MEDIA_FINISHED} {_MEDIA_FREE} "
                "FOR UPDATE OF m SKIP LOCKED",
                before,
                [*ids],
            )
            gone = await is_gone([_media_of(row) for row in rows])
            await self._connection.execute("DELETE FROM media WHERE id = ANY($1)", [*gone])
        return len(gone)

    @store_errors()
    async def delete_gpu_stats(self, before: datetime, limit: int) -> int:
        return await self._delete_oldest("gpu_stats", "recorded_at", before, limit)

    @store_errors()
    async def delete_logs(self, before: datetime, limit: int) -> int:
        return await self._delete_oldest("logs", "timestamp", before, limit)

    async def _delete_oldest(self, table: str, column: str, before: datetime, limit: int) -> int:
        done = await self._connection.execute(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {column} < $1 "
            f"ORDER BY {column} LIMIT $2))",
            before,
            limit,
        )
        return _count(done)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """One moment of the database, in which nothing can be written even by mistake; counting may take its time."""
        with store_errors():
            async with self._connection.transaction(isolation="repeatable_read", readonly=True):
                await self._connection.execute(f"SET LOCAL statement_timeout = '{_COUNT_SECONDS:.0f}s'")
                yield

    @store_errors()
    async def expired(self, rows_before: datetime, logs_before: datetime) -> ExpiredRows:
        """How many rows a run would delete; files' rows are counted by looking at the files."""
        row = await self._connection.fetchrow(
            f"""
            WITH expired AS (
                SELECT e.id AS event_id, e.batch_id FROM events e WHERE {_EVENT_EXPIRED}
                UNION ALL
                SELECT NULL, b.id FROM batches b WHERE {_LONE_BATCH_EXPIRED}
            )
            SELECT (SELECT count(event_id) FROM expired) AS events,
                   (SELECT count(*) FROM expired) AS batches,
                   (SELECT count(*) FROM expired x JOIN detections d ON d.batch_id = x.batch_id) AS detections,
                   (SELECT count(*) FROM expired x JOIN alerts a ON a.event_id = x.event_id) AS alerts,
                   (SELECT count(*) FROM gpu_stats WHERE recorded_at < $1) AS gpu_stats,
                   (SELECT count(*) FROM logs WHERE timestamp < $2) AS logs
            """,
            rows_before,
            logs_before,
            timeout=_COUNT_SECONDS,
        )
        assert row is not None
        return ExpiredRows(**row)

    @store_errors()
    async def expected_steps(self, rows_before: datetime, logs_before: datetime) -> int:
        """Roughly how many rows a run goes through, for its progress: index ranges, counted once."""
        rows: int = await self._connection.fetchval(
            """
            SELECT (SELECT count(*) FROM events WHERE started_at < $1)
                 + (SELECT count(*) FROM media WHERE captured_at < $1 AND state IN ('detected', 'duplicate', 'dead'))
                 + (SELECT count(*) FROM gpu_stats WHERE recorded_at < $1)
                 + (SELECT count(*) FROM logs WHERE timestamp < $2)
            """,
            rows_before,
            logs_before,
            timeout=_COUNT_SECONDS,
        )
        return rows

    @store_errors()
    async def expired_among(self, before: datetime, detection_ids: Sequence[int]) -> Sequence[tuple[int, bytes]]:
        """Those of these detections that a run would delete, each with the hash of its file."""
        rows = await self._connection.fetch(
            f"""
            SELECT d.id, m.content_hash FROM detections d
            JOIN media m ON m.id = d.media_id JOIN batches b ON b.id = d.batch_id
            WHERE d.id = ANY($2) AND {_BATCH_EXPIRED}
            """,
            before,
            [*detection_ids],
            timeout=_COUNT_SECONDS,
        )
        return [(row["id"], row["content_hash"]) for row in rows]


def _media_of(row: asyncpg.Record) -> ExpiredMedia:
    return ExpiredMedia(**{**row, "path": os.fsdecode(row["path"])})


def _beyond(place: Place | None, columns: str) -> str:
    return f"AND ({columns}) > ($3, $4)" if place else ""


def _count(done: str) -> int:
    return int(done.split()[-1])
