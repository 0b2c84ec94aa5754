"""/api/events/stats and /api/events/export: every event counted, every event in the file."""

import asyncio
import csv
import io
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from deployments.api.examples.events import EVENT_STATS
from deployments.api.views import event_export
from deployments.api.views.event_export import COLUMNS
from schemas.event_stats import EventStats
from storage.events import Events
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows


@pytest.fixture(autouse=True)
async def _cameras(rows: Rows) -> None:
    for camera in ("front_door", "garden"):
        await rows.camera(camera)


async def _some_events(rows: Rows) -> None:
    await rows.event(risk_score=90, risk_level="critical", reviewed=True)
    await rows.event(risk_score=10, risk_level="low", started_at=NOON + timedelta(hours=1))
    await rows.event("garden", risk_score=11, risk_level="low", started_at=NOON + timedelta(hours=2))


async def test_without_events_there_is_no_average(api: httpx.AsyncClient) -> None:
    assert (await api.get("/api/events/stats")).json() == {
        "total_events": 0,
        "events_by_risk_level": {"critical": 0, "high": 0, "medium": 0, "low": 0},
        "events_by_camera": [],
        "reviewed_events": 0,
        "unreviewed_events": 0,
        "average_risk_score": None,
    }


async def test_events_are_counted_by_level_camera_and_review(api: httpx.AsyncClient, rows: Rows) -> None:
    await _some_events(rows)
    assert (await api.get("/api/events/stats")).json() == {
        "total_events": 3,
        "events_by_risk_level": {"critical": 1, "high": 0, "medium": 0, "low": 2},
        "events_by_camera": [
            {"camera_id": "front_door", "camera_name": "Front_Door", "event_count": 2},
            {"camera_id": "garden", "camera_name": "Garden", "event_count": 1},
        ],
        "reviewed_events": 1,
        "unreviewed_events": 2,
        "average_risk_score": 37.0,
    }


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ("camera_id=garden", 1),
        ("start_date=2025-12-23T13:00:00Z", 2),
        ("end_date=2025-12-23T13:00:00Z", 2),
        ("start_date=2025-12-23T13:00:00Z&end_date=2025-12-23T13:00:00Z", 1),
        ("camera_id=nobody", 0),
    ],
)
async def test_only_the_events_that_are_asked_for_are_counted(
    api: httpx.AsyncClient, rows: Rows, query: str, total: int
) -> None:
    await _some_events(rows)
    assert (await api.get(f"/api/events/stats?{query}")).json()["total_events"] == total


async def test_a_deleted_cameras_events_still_count_under_its_name(api: httpx.AsyncClient, rows: Rows) -> None:
    await _some_events(rows)
    await api.delete("/api/cameras/garden")
    assert (await api.get("/api/events/stats")).json()["events_by_camera"][1]["camera_name"] == "Garden"


@pytest.mark.parametrize("path", ["stats", "export"])
@pytest.mark.parametrize("query", ["start_date=yesterday", "start_date=2026-01-02&end_date=2026-01-01", "sort=id"])
async def test_a_question_that_makes_no_sense_is_refused(api: httpx.AsyncClient, path: str, query: str) -> None:
    answer = await api.get(f"/api/events/{path}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_counting_touches_the_index_only(database: Pool) -> None:
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        plan = await connection.fetch(
            "EXPLAIN SELECT camera_id, risk_level, reviewed, count(*), sum(risk_score) FROM events "
            "WHERE started_at >= now() GROUP BY camera_id, risk_level, reviewed"
        )
    assert "Index Only Scan using events_figures" in "\n".join(row[0] for row in plan)


async def _lines(api: httpx.AsyncClient, query: str = "") -> list[dict[str, str]]:
    answer = await api.get(f"/api/events/export{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"), newline="")))


async def test_the_file_is_csv_with_a_name_of_the_day_unless_json_is_asked_for(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/events/export")
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["content-disposition"].startswith('attachment; filename="events-20')
    assert answer.headers["content-disposition"].endswith('.csv"')
    assert answer.content.decode() == ",".join(COLUMNS) + "\r\n"
    answer = await api.get("/api/events/export?format=json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == []
    assert (await api.get("/api/events/export?format=xml")).status_code == 422


async def test_a_line_holds_the_event_whatever_its_text(api: httpx.AsyncClient, rows: Rows) -> None:
    text = 'Größe, "quoted"\r\nsecond line 門'
    event = await rows.event(summary=text, notes=None, object_types=["dog", "person"])
    (line,) = await _lines(api)
    assert line == {
        **{column: line[column] for column in COLUMNS},
        "id": str(event),
        "summary": text,
        "notes": "",
        "object_types": "dog;person",
        "reviewed": "false",
        "started_at": "2025-12-23T12:00:00Z",
        "risk_score": "70",
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", '=HYPERLINK("http://evil")'])
async def test_a_cell_that_a_spreadsheet_would_run_is_text(api: httpx.AsyncClient, rows: Rows, text: str) -> None:
    await rows.event(summary=text)
    assert (await _lines(api))[0]["summary"] == f"'{text}"


async def test_the_json_file_holds_the_events_of_the_list(api: httpx.AsyncClient, rows: Rows) -> None:
    await _some_events(rows)
    listed = (await api.get("/api/events")).json()["events"]
    assert (await api.get("/api/events/export?format=json")).json() == listed


async def test_a_file_of_many_pages_has_every_event_once(
    api: httpx.AsyncClient, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_export, "EVENTS_A_PAGE", 2)
    made = [await rows.event(started_at=NOON) for _ in range(5)]  # at one moment: only the id tells them apart
    while made:  # five, so that the last page is half full; then four, so that it is full
        exported = (await api.get("/api/events/export?format=json")).json()
        assert [event["id"] for event in exported] == made[::-1]
        assert [int(line["id"]) for line in await _lines(api)] == made[::-1]
        await rows.pool.execute("DELETE FROM events WHERE id = $1", made.pop())


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("camera_id=garden", 1),
        ("risk_level=critical", 1),
        ("reviewed=true", 1),
        ("min_score=11", 2),
        ("search=DOOR", 3),
        ("object_type=person", 3),
        ("object_type=vehicle", 0),
        ("start_date=2025-12-23T13:00:00Z&end_date=2025-12-23T13:30:00Z", 1),
    ],
)
async def test_the_lists_filters_hold_for_the_list_and_for_the_file(
    api: httpx.AsyncClient, rows: Rows, query: str, expected: int
) -> None:
    await _some_events(rows)
    listed = (await api.get(f"/api/events?{query}")).json()["events"]
    assert len(listed) == expected
    assert (await api.get(f"/api/events/export?{query}&format=json")).json() == listed
    assert len(await _lines(api, f"?{query}")) == expected


async def test_a_database_that_is_away_is_told_before_the_file_begins(api_without_stores: httpx.AsyncClient) -> None:
    for path in ("stats", "export"):
        answer = await api_without_stores.get(f"/api/events/{path}")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_file_that_ends_early_does_not_look_like_a_whole_one(
    served: str, rows: Rows, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(event_export, "EVENTS_A_PAGE", 2)
    for _ in range(5):
        await rows.event()
    real = Events.list

    async def listed(self: Any, *arguments: Any, before: Any = None, **values: Any) -> Any:
        if before is not None:  # the second page: the table is gone by then
            await rows.pool.execute("ALTER TABLE IF EXISTS events RENAME TO elsewhere")
        return await real(self, *arguments, before=before, **values)

    monkeypatch.setattr(Events, "list", listed)
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"http://{served}/api/events/export?format={form}")


async def test_a_reader_that_leaves_in_the_middle_holds_no_connection(
    served: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_export, "EVENTS_A_PAGE", 1)
    for _ in range(30):
        await rows.event(summary="x" * 100_000)
    host, _, port = served.partition(":")
    leaving = []
    for _ in range(12):  # more than the replica has connections
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /api/events/export HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()
        leaving.append(writer)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://{served}/api/events/stats")).json()["total_events"] == 30
    for writer in leaving:
        writer.transport.abort()


def test_the_example_is_what_the_system_would_answer() -> None:
    assert json.loads(EventStats.model_validate(EVENT_STATS).model_dump_json()) == EVENT_STATS
