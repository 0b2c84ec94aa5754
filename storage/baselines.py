"""Baselines: decayed counts of what each camera sees, by class, hour and weekday."""

from datetime import datetime

from domain.baseline import BaselineSlot, CameraBaseline
from storage.postgres import Pool, acquired, store_errors


class Baselines:
    """The table `baselines`; it is written in the event's own transaction (storage/assessments.py)."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def slot(self, camera_id: str, weekday: int, hour: int, hour_began: datetime) -> CameraBaseline:
        """What is on record for this hour of the week, and what the hour that began then has seen already."""
        async with acquired(self._pool) as connection:
            head = await connection.fetchrow(
                """
                SELECT c.created_at,
                       (SELECT coalesce(sum(samples), 0)::bigint FROM baselines b WHERE b.camera_id = c.id) AS total
                FROM cameras c WHERE c.id = $1
                """,
                camera_id,
            )
            assert head is not None, "a batch's camera has a row"
            rows = await connection.fetch(
                """
                SELECT object_type, weight, samples, updated_at FROM baselines
                WHERE camera_id = $1 AND weekday = $2 AND hour = $3
                """,
                camera_id,
                weekday,
                hour,
            )
            counts = await connection.fetch(
                """
                SELECT object_type, count(*) AS appearances FROM events e, unnest(e.object_types) AS object_type
                WHERE e.camera_id = $1 AND e.started_at >= $2 AND e.started_at < $2 + interval '1 hour' GROUP BY 1
                """,
                camera_id,
                hour_began,
            )
        return CameraBaseline(
            known_since=head["created_at"],
            total_samples=head["total"],
            slots=tuple(BaselineSlot(**row) for row in rows),
            this_hour={row["object_type"]: row["appearances"] for row in counts},
        )
