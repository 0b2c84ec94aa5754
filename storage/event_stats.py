"""Events, counted: by camera, level and review, from an index that holds nothing else."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import asyncpg

from schemas.event_stats import CameraEvents, EventsByLevel, EventStats
from storage.filters import Filters
from storage.postgres import Pool, store_errors


class EventFigures:
    """The table `events`, counted."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def stats(
        self, start_date: datetime | None = None, end_date: datetime | None = None, camera_id: str | None = None
    ) -> EventStats:
        """Of the events that started between the two, both included."""
        filters = Filters().equal("camera_id", camera_id).between("started_at", start_date, end_date)
        rows = await self._pool.fetch(
            f"""
            SELECT f.*, coalesce(c.name, f.camera_id) AS camera_name
            FROM (SELECT camera_id, risk_level, reviewed, count(*) AS events, sum(risk_score) AS score
                  FROM events {filters.where} GROUP BY camera_id, risk_level, reviewed) f
            LEFT JOIN cameras c ON c.id = f.camera_id
            """,
            *filters.arguments,
        )
        return _stats(rows)


def _stats(rows: Sequence[asyncpg.Record]) -> EventStats:
    levels, cameras, reviews = Counter[str](), Counter[tuple[str, str]](), Counter[bool]()
    for row in rows:
        levels[row["risk_level"]] += row["events"]
        cameras[row["camera_id"], row["camera_name"]] += row["events"]
        reviews[row["reviewed"]] += row["events"]
    total = levels.total()
    by_camera = sorted(cameras.items(), key=lambda counted: (-counted[1], counted[0]))
    return EventStats(
        total_events=total,
        events_by_risk_level=EventsByLevel(**levels),
        events_by_camera=tuple(
            CameraEvents(camera_id=camera_id, camera_name=name, event_count=count)
            for (camera_id, name), count in by_camera
        ),
        reviewed_events=reviews[True],
        unreviewed_events=reviews[False],
        average_risk_score=round(sum(row["score"] for row in rows) / total, 2) if total else None,
    )
