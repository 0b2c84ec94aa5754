"""Log lines: what goes in comes out, found by every filter, counted by the day."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.log import Log, LogLevel, LogSource, NewLog
from storage.errors import NotFound
from storage.logs import LogFilter, Logs
from storage.postgres import Pool

NOON = datetime(2025, 12, 23, 12, 0, tzinfo=UTC)


def line(message: str = "said", **values: Any) -> NewLog:
    given = {"timestamp": NOON, "level": LogLevel.INFO, "component": "api", "message": message}
    return NewLog(**given | values)


@pytest.fixture
def logs(database: Pool) -> Logs:
    return Logs(database)


def messages(lines: Sequence[Log]) -> list[str]:
    return [one.message for one in lines]


async def test_a_line_comes_back_as_it_went_in(logs: Logs) -> None:
    given = line(
        "a 'quoted' \\ line; DROP TABLE logs",
        level=LogLevel.ERROR,
        camera_id="front_door",
        request_id="abc123",
        duration_ms=1.5,
        extra={"host": "ai:8001", "deep": {"a": [1, None, True, "ü"]}},
        source=LogSource.FRONTEND,
    )
    await logs.add([given])
    [back] = await logs.list()
    assert NewLog(**back.model_dump(exclude={"id"})) == given
    assert await logs.get(back.id) == back


async def test_an_unknown_number_is_not_found(logs: Logs) -> None:
    with pytest.raises(NotFound):
        await logs.get(1)


async def test_lines_are_listed_newest_first_in_the_order_in_which_they_were_said(logs: Logs) -> None:
    await logs.add([line("one"), line("two"), line("old", timestamp=NOON - timedelta(days=1)), line("three")])
    assert messages(await logs.list()) == ["three", "two", "one", "old"]


async def test_pages_by_cursor_show_every_line_once_while_others_come(logs: Logs) -> None:
    await logs.add([line(str(number)) for number in range(10)])
    first = await logs.list(limit=4)
    await logs.add([line("late", timestamp=NOON + timedelta(seconds=1))])
    rest = await logs.list(before=(first[-1].timestamp, first[-1].id))
    assert messages([*first, *rest]) == [str(number) for number in range(9, -1, -1)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"level": "error"}, ["broken"]),
        ({"level": LogLevel.WARNING}, ["50% done"]),
        ({"component": "page"}, ["50% done"]),
        ({"camera_id": "garden"}, ["broken"]),
        ({"source": "FRONTEND"}, ["50% done"]),
        ({"search": "BROK"}, ["broken"]),
        ({"search": "50%"}, ["50% done"]),
        ({"search": "5%"}, []),
        ({"search": "500_"}, []),
        ({"search": "\\"}, []),
        ({"start_date": NOON + timedelta(seconds=1)}, ["50% done"]),
        ({"end_date": NOON}, ["500 done", "broken"]),
        ({"level": "ERROR", "component": "page"}, []),
    ],
)
async def test_every_filter_finds_its_lines(logs: Logs, wanted: dict[str, Any], found: list[str]) -> None:
    await logs.add(
        [
            line("broken", level=LogLevel.ERROR, camera_id="garden"),
            line("500 done"),
            line(
                "50% done",
                level=LogLevel.WARNING,
                component="page",
                source=LogSource.FRONTEND,
                timestamp=NOON + timedelta(seconds=2),
            ),
        ]
    )
    assert messages(await logs.list(LogFilter(**wanted))) == found


async def test_a_line_that_cannot_be_stored_leaves_none_of_its_batch(logs: Logs) -> None:
    with pytest.raises(Exception, match="cannot hold"):
        await logs.add([line("good"), line("bad\x00")])
    assert await logs.list() == []


async def test_the_days_figures_count_from_its_first_moment(logs: Logs) -> None:
    midnight = datetime(2025, 12, 23, 23, 15, tzinfo=UTC)
    await logs.add(
        [
            line(timestamp=midnight - timedelta(microseconds=1)),
            line(timestamp=midnight),
            line(timestamp=midnight + timedelta(hours=3), component="worker", level=LogLevel.ERROR),
            line(timestamp=midnight + timedelta(hours=3), component="worker", level=LogLevel.CRITICAL),
            line(timestamp=midnight + timedelta(hours=4), component="worker", level=LogLevel.WARNING),
        ]
    )
    stats = await logs.stats(midnight)
    assert (stats.total_today, stats.errors_today, stats.warnings_today) == (4, 2, 1)
    assert stats.by_component == {"worker": 3, "api": 1}
    assert stats.by_level == {"INFO": 1, "ERROR": 1, "CRITICAL": 1, "WARNING": 1}
    assert stats.top_component == "worker"


async def test_a_silent_day_has_no_top_component(logs: Logs) -> None:
    await logs.add([line()])
    stats = await logs.stats(NOON + timedelta(days=1))
    assert (stats.total_today, stats.by_component, stats.top_component) == (0, {}, None)


async def test_the_figures_stay_those_of_the_rows_when_lines_are_deleted(logs: Logs, database: Pool) -> None:
    start = NOON - timedelta(days=1)
    await logs.add([line(timestamp=start + timedelta(minutes=7 * number)) for number in range(40)])
    await database.execute("DELETE FROM logs WHERE id IN (SELECT id FROM logs ORDER BY timestamp LIMIT 25)")
    assert (await logs.stats(start)).total_today == 15
    await database.execute("DELETE FROM logs")
    assert await database.fetchval("SELECT count(*) FROM log_counts") == 0


async def test_a_hundred_components_are_shown_at_most_and_all_are_counted(logs: Logs) -> None:
    await logs.add([line(component=f"c{number:03}") for number in range(150)])
    stats = await logs.stats(NOON)
    assert (stats.total_today, len(stats.by_component)) == (150, 100)


class Explained:
    """Rows of EXPLAIN for the list's own statement, with everything but index walks made unattractive."""

    def __init__(self, database: Pool) -> None:
        self._database = database

    async def plan(self, wanted: LogFilter, monkeypatch: pytest.MonkeyPatch) -> str:
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
            seen: list[str] = []

            class Asking:
                async def execute(self, query: str, *arguments: object) -> None:
                    return None

                async def fetch(self, query: str, *arguments: object) -> list[object]:
                    seen.extend(row[0] for row in await connection.fetch("EXPLAIN " + query, *arguments))
                    return []

            class Lent:
                async def __aenter__(self) -> Asking:
                    return Asking()

                async def __aexit__(self, *_: object) -> None:
                    return None

            monkeypatch.setattr("storage.logs.transaction", lambda pool: Lent())
            await Logs(self._database).list(wanted, before=(NOON, 5))
        return "\n".join(seen)


@pytest.mark.parametrize(
    ("index", "wanted"),
    [
        ("logs_newest", {}),
        ("logs_newest", {"start_date": NOON - timedelta(days=1)}),
        ("logs_newest", {"search": "x"}),
        ("logs_level", {"level": "ERROR"}),
        ("logs_component", {"component": "api"}),
        ("logs_camera", {"camera_id": "a"}),
        ("logs_source", {"source": "frontend"}),
    ],
)
async def test_a_list_walks_its_index(
    database: Pool, index: str, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await Explained(database).plan(LogFilter(**wanted), monkeypatch)
    assert index in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


async def test_extra_is_stored_as_json_and_not_as_a_text(logs: Logs, database: Pool) -> None:
    await logs.add([line(extra={"a": {"b": 1}})])
    assert await database.fetchval("SELECT extra->'a'->>'b' FROM logs") == "1"
    assert json.loads(await database.fetchval("SELECT extra::text FROM logs")) == {"a": {"b": 1}}
