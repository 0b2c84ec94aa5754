"""Where each queue's dead letters lie, and how some of them are taken in hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from schemas.dead_letter import DeadQueue
from storage.postgres import PooledConnection


@dataclass(frozen=True)
class DeadRows:
    """One table's dead rows."""

    table: str
    column: str
    """Holds the state."""
    free: str
    """The state of a row that waits to be claimed."""
    reason: str
    """The column that says why it died."""
    moment: str
    """What its dead rows are sorted by; an index of migration 0006."""
    extra: str
    """Columns that a requeue looks at."""
    shown: str
    """Selects what is shown of the rows `dead`."""

    @property
    def dead(self) -> str:
        return f"{self.column} = 'dead' AND cleared_at IS NULL"


QUEUES: dict[DeadQueue, DeadRows] = {
    DeadQueue.DETECTION: DeadRows(
        "media",
        "state",
        "queued",
        "reason",
        "coalesce(died_at, received_at)",
        "camera_id, content_hash, captured_at",
        """
        SELECT id, reason, attempts, received_at AS queued_at, died_at AS failed_at, camera_id, path, media_type,
               coalesce(died_at, received_at) AS moment FROM media dead""",
    ),
    DeadQueue.ANALYSIS: DeadRows(
        "batches",
        "state",
        "closed",
        "reason",
        "coalesce(died_at, last_activity_at)",
        "camera_id",
        """
        SELECT id, reason, attempts, coalesce(closed_at, last_activity_at) AS queued_at, died_at AS failed_at,
               camera_id, started_at, detection_count,
               coalesce(died_at, last_activity_at) AS moment FROM batches dead""",
    ),
    DeadQueue.NOTIFICATION: DeadRows(
        "deliveries",
        "status",
        "queued",
        "error",
        "coalesce(died_at, queued_at)",
        "alert_id",
        """
        SELECT dead.id, dead.error AS reason, dead.attempts, dead.queued_at, dead.died_at AS failed_at, e.camera_id,
               dead.alert_id, dead.channel, dead.recipient, coalesce(dead.died_at, dead.queued_at) AS moment
        FROM deliveries dead JOIN alerts a ON a.id = dead.alert_id JOIN events e ON e.id = a.event_id""",
    ),
}


async def take_dead(
    connection: PooledConnection,
    rows: DeadRows,
    until: datetime | None,
    limit: int,
    ids: Sequence[int | UUID] | None = None,
) -> list[asyncpg.Record]:
    """Locks dead rows, oldest first, for the rest of the transaction: of two that ask at once, one gets each row.

    `until` leaves out what died later.
    """
    conditions, arguments = [rows.dead], [limit]
    for condition, value in ((f"{rows.moment} <= ${{}}", until), ("id = ANY(${})", ids)):
        if value is not None:
            arguments.append(value)  # type: ignore[arg-type]
            conditions.append(condition.format(len(arguments)))
    return await connection.fetch(
        f"SELECT id, {rows.extra} FROM {rows.table} WHERE {' AND '.join(conditions)} "
        f"ORDER BY {rows.moment}, id LIMIT $1 FOR UPDATE",
        *arguments,
    )
