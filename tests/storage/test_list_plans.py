"""A deep page costs what the first does: lists walk an index and sort nothing."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from storage.alerts import AlertFilter, Alerts
from storage.detections import DetectionFilter, Detections
from storage.events import EventFilter, Events
from storage.media_list import MediaList
from storage.postgres import Pool

DEEP = datetime(2025, 1, 1, tzinfo=UTC)


class Explaining:
    """A pool that asks PostgreSQL how it would answer, with everything but index walks made unattractive."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.plan = ""

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            rows = await connection.fetch("EXPLAIN " + query, *arguments)
        self.plan = "\n".join(row[0] for row in rows)
        return []


@pytest.mark.parametrize(
    ("index", "ask"),
    [
        ("events_newest", lambda pool: Events(pool).list(before=(DEEP, 5))),
        ("events_camera", lambda pool: Events(pool).list(EventFilter(camera_id="a"), before=(DEEP, 5))),
        ("events_level", lambda pool: Events(pool).list(EventFilter(risk_level="high"), before=(DEEP, 5))),
        ("detections_newest", lambda pool: Detections(pool).list(before=(DEEP, 5))),
        ("detections_camera", lambda pool: Detections(pool).list(DetectionFilter(camera_id="a"), before=(DEEP, 5))),
        ("detections_batch", lambda pool: Detections(pool).list(DetectionFilter(event_id=5))),
        ("alerts_newest", lambda pool: Alerts(pool).list(before=(DEEP, uuid4()))),
        ("alerts_event", lambda pool: Alerts(pool).list(AlertFilter(event_id=5))),
        ("media_pkey", lambda pool: MediaList(pool).list(before=5)),
    ],
)
async def test_a_list_walks_its_index(database: Pool, index: str, ask: Any) -> None:
    pool = Explaining(database)
    await ask(pool)
    assert index in pool.plan
    assert "Seq Scan" not in pool.plan
