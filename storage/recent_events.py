"""The events shortly before a moment: what else happened around a batch, at its camera and at the others."""

from datetime import datetime, timedelta

import asyncpg

from schemas.assessment import RecentEvent
from storage.postgres import Pool, acquired, store_errors

# Each side walks its own index over the newest rows before the moment; the outer query has a few rows.
_BEFORE = """
    SELECT e.id AS event_id, e.camera_id, c.name AS camera_name, e.started_at, e.risk_score, e.object_types
    FROM (SELECT id, camera_id, started_at, risk_score, object_types FROM events
          WHERE camera_id {which} $1 AND started_at < $2 AND started_at >= $3
            AND ($4::timestamptz IS NULL OR created_at < $4)
          ORDER BY started_at DESC, id DESC LIMIT $5) e
    JOIN cameras c ON c.id = e.camera_id ORDER BY e.started_at DESC, e.id DESC"""


class RecentEvents:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def before(
        self, camera_id: str, at: datetime, limit: int, within: timedelta, known_at: datetime | None = None
    ) -> tuple[RecentEvent, ...]:
        """At most `limit` events that began before `at` and not longer ago than `within`, newest first.

        At least half of them are this camera's, where it has so many; `known_at` leaves out what was stored then or
        later (None: now). Asked again with the same moments the answer may differ: a score may have been revised, a
        camera renamed, an event deleted with its time, and one whose storing was under way at `known_at` may have
        joined. Whoever must know later what was said then keeps the answer, as the why-chain does.
        """
        since = at - within
        async with acquired(self._pool) as connection:
            own = await connection.fetch(_BEFORE.format(which="="), camera_id, at, since, known_at, limit)
            others = await connection.fetch(_BEFORE.format(which="<>"), camera_id, at, since, known_at, limit)
        own = own[: max(limit - len(others), limit - limit // 2)]
        rows = [*own, *others[: limit - len(own)]]
        rows.sort(key=lambda row: (row["started_at"], row["event_id"]), reverse=True)
        return tuple(_recent(row) for row in rows)


def _recent(row: asyncpg.Record) -> RecentEvent:
    return RecentEvent(**{**row, "object_types": tuple(row["object_types"])})
