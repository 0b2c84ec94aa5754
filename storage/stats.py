"""How many there are of what, what waits, and since when the system runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.postgres import Pool, store_errors

REPORT_IS_OLD = timedelta(seconds=30)
"""A start that nobody has confirmed for so long is from before the system was last stopped."""


@dataclass(frozen=True)
class Totals:
    cameras: int
    events: int
    detections: int


@dataclass(frozen=True)
class RowCounts:
    events: int
    detections: int
    gpu_stats: int
    logs: int


@dataclass(frozen=True)
class QueueDepths:
    """What waits or is in work."""

    detection: int
    analysis: int
    notification: int
    reassessment: int
    """Provisional events that wait for the language model."""


class Stats:
    """Counted from the rows themselves at each call: exact, and as slow as there are rows. Ask not more than needed."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def totals(self) -> Totals:
        row = await self._pool.fetchrow(
            """
            SELECT (SELECT count(*) FROM cameras WHERE deleted_at IS NULL) AS cameras,
                   (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM detections) AS detections
            """
        )
        return Totals(**dict(row or {}))

    @store_errors()
    async def row_counts(self) -> RowCounts:
        row = await self._pool.fetchrow(
            """
            SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM detections) AS detections,
                   (SELECT count(*) FROM gpu_stats) AS gpu_stats,
                   (SELECT coalesce(sum(lines), 0)::bigint FROM log_counts) AS logs
            """
        )
        return RowCounts(**dict(row or {}))

    @store_errors()
    async def queues(self) -> QueueDepths:
        row = await self._pool.fetchrow(
            """
            SELECT (SELECT count(*) FROM media WHERE state IN ('queued', 'detecting')) AS detection,
                   (SELECT count(*) FROM batches WHERE state IN ('closed', 'assessing')) AS analysis,
                   (SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sending')) AS notification,
                   (SELECT count(*) FROM reassessments WHERE state IN ('waiting', 'assessing')) AS reassessment
            """
        )
        return QueueDepths(**dict(row or {}))

    @store_errors()
    async def report_start(self, started_at: datetime, now: datetime) -> None:
        """The system came up at that time, and is still up."""
        await self._pool.execute(
            """
            INSERT INTO system_start (id, started_at, reported_at) VALUES (1, $1, $2)
            ON CONFLICT (id) DO UPDATE SET started_at = excluded.started_at, reported_at = excluded.reported_at
            """,
            started_at,
            now,
        )

    @store_errors()
    async def started_at(self, now: datetime) -> datetime | None:
        """When the system came up; None when nobody has reported lately."""
        started_at: datetime | None = await self._pool.fetchval(
            "SELECT started_at FROM system_start WHERE reported_at > $1", now - REPORT_IS_OLD
        )
        return started_at
