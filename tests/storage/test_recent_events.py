"""The events shortly before a moment, at one camera and at the others."""

from datetime import timedelta
from typing import Any

import pytest

from storage.postgres import Pool
from storage.recent_events import RecentEvents
from tests.storage.pieces import later
from tests.storage.rows import NOON, Rows

TWO_HOURS = timedelta(hours=2)


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    await made.camera(name="The front door")
    await made.camera("garden")
    return made


async def at(rows: Rows, seconds: float, camera: str = "front_door", **values: Any) -> int:
    return await rows.event(camera, started_at=later(seconds), **values)


async def found(rows: Rows, limit: int = 10, **values: Any) -> list[int]:
    recent = await RecentEvents(rows.pool).before("front_door", NOON, limit, TWO_HOURS, **values)
    return [event.event_id for event in recent]


async def test_events_before_the_moment_come_newest_first_from_all_cameras(rows: Rows) -> None:
    first = await at(rows, -60, "garden")
    second = await at(rows, -30)
    third = await at(rows, -0.001, "garden")
    assert await found(rows) == [third, second, first]


async def test_an_event_is_told_with_its_camera_and_what_was_seen(rows: Rows) -> None:
    event_id = await at(rows, -60, risk_score=33, object_types=["dog", "person"])
    (event,) = await RecentEvents(rows.pool).before("garden", NOON, 5, TWO_HOURS)
    assert (event.event_id, event.camera_id, event.camera_name) == (event_id, "front_door", "The front door")
    assert (event.started_at, event.risk_score, event.object_types) == (later(-60), 33, ("dog", "person"))


async def test_what_began_at_the_moment_or_later_or_too_long_ago_is_left_out(rows: Rows) -> None:
    for seconds in (0, 1, 3600, -7200.001, -90000):
        await at(rows, seconds)
    edge = await at(rows, -7200)
    assert await found(rows) == [edge]


async def test_what_was_not_stored_yet_at_the_asked_moment_is_left_out(rows: Rows) -> None:
    known = await at(rows, -60, created_at=later(-50))
    await at(rows, -50, created_at=later(5))
    assert await found(rows, known_at=later(5)) == [known]


async def test_a_busy_neighbour_does_not_push_out_this_cameras_own_events(rows: Rows) -> None:
    own = [await at(rows, seconds) for seconds in (-100, -200, -300, -400)]
    others = [await at(rows, -seconds, "garden") for seconds in range(1, 20)]
    assert await found(rows, 5) == [*others[:2], *own[:3]]
    assert await found(rows, 1) == own[:1]


async def test_one_side_takes_the_places_that_the_other_leaves(rows: Rows) -> None:
    other = await at(rows, -1, "garden")
    own = [await at(rows, -seconds) for seconds in range(10, 20)]
    assert await found(rows, 5) == [other, *own[:4]]


class Explaining:
    """A pool whose connections keep the plan of every query."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.plans: list[str] = []

    async def acquire(self, **options: Any) -> Any:
        self._connection = await self._pool.acquire(**options)
        return self

    async def release(self, _connection: Any) -> None:
        await self._pool.release(self._connection)

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        plan = await self._connection.fetch("EXPLAIN (ANALYZE, BUFFERS OFF) " + query, *arguments)
        self.plans.append("\n".join(row[0] for row in plan))
        return list(await self._connection.fetch(query, *arguments))


async def test_among_20_000_events_only_the_newest_before_the_moment_are_read(rows: Rows) -> None:
    await rows.pool.execute(
        """
        WITH made AS (
            INSERT INTO batches (camera_id, state, started_at, ended_at, opened_at, last_activity_at)
            SELECT 'garden', 'assessed', now(), now(), now(), now() FROM generate_series(1, 20000) RETURNING id
        ), numbered AS (SELECT id, row_number() OVER () AS n FROM made)
        INSERT INTO events (batch_id, camera_id, started_at, ended_at, risk_score, risk_level, summary, reasoning,
                            assessment, assessed_by, why, object_types, detection_count)
        SELECT id, CASE WHEN n % 300 = 0 THEN 'front_door' ELSE 'garden' END,
               $1::timestamptz - make_interval(secs => n), $1, 50, 'medium', '', '', 'final', 'm', '{}', '{}', 1
        FROM numbered
        """,
        NOON,
    )
    await rows.pool.execute("VACUUM ANALYZE events")
    pool: Any = Explaining(rows.pool)
    assert len(await RecentEvents(pool).before("front_door", later(-5000), 8, TWO_HOURS)) == 8
    own, others = pool.plans
    assert "events_camera" in own
    assert "events_newest" in others or "events_figures" in others
    assert "Seq Scan on events" not in own + others
    assert "Sort Key: events.started_at" not in own + others
