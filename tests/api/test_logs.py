"""The log over HTTP: listed, counted, and what pages may write into it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from deployments.api.deps import Services
from deployments.api.examples.logs import BATCH_REFUSED, BATCH_TAKEN, LOG, LOG_STATS, TAKEN
from deployments.api.views.frontend_logs import LogsRefused, LogsTaken
from schemas.log import Log, LogLevel, LogStats, NewLog
from schemas.problem import Problem

DOCUMENTED = {
    "level": "ERROR",
    "message": "Failed to load component",
    "timestamp": "2024-01-21T12:00:00Z",
    "component": "Dashboard",
    "context": {"userId": "123", "action": "load"},
    "url": "/dashboard",
    "user_agent": "Mozilla/5.0...",
}


def line(message: str, **values: Any) -> NewLog:
    given = {"timestamp": datetime.now(UTC), "level": LogLevel.INFO, "component": "api", "message": message}
    return NewLog(**given | values)


async def only(api: httpx.AsyncClient) -> dict[str, Any]:
    [log] = (await api.get("/api/logs")).json()["logs"]
    return log


def test_the_examples_are_what_they_show() -> None:
    Log.model_validate(LOG)
    LogStats.model_validate(LOG_STATS)
    LogsTaken.model_validate(TAKEN)
    LogsTaken.model_validate(BATCH_TAKEN)
    LogsRefused.model_validate(BATCH_REFUSED)


async def test_a_line_has_every_documented_field(api: httpx.AsyncClient, services: Services) -> None:
    await services.logs.add(
        [line("refused", camera_id="front_door", request_id="abc123", extra={"host": "ai:8001"}, level=LogLevel.ERROR)]
    )
    log = await only(api)
    assert log | {"id": 1, "timestamp": "-"} == {
        "id": 1,
        "timestamp": "-",
        "level": "ERROR",
        "component": "api",
        "message": "refused",
        "camera_id": "front_door",
        "request_id": "abc123",
        "duration_ms": None,
        "extra": {"host": "ai:8001"},
        "source": "backend",
    }
    assert log["timestamp"].endswith("Z")
    assert (await api.get(f"/api/logs/{log['id']}")).json() == log


async def test_a_page_has_a_hundred_lines_and_a_cursor_to_the_next(api: httpx.AsyncClient, services: Services) -> None:
    await services.logs.add([line(str(number)) for number in range(130)])
    first = (await api.get("/api/logs")).json()
    second = (await api.get("/api/logs", params={"cursor": first["next_cursor"]})).json()
    assert (first["count"], first["limit"], second["count"], second["next_cursor"]) == (100, 100, 30, None)
    shown = [int(log["message"]) for log in first["logs"] + second["logs"]]
    assert sorted(shown) == list(range(130))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"level": "warning"}, 1),
        ({"component": "api", "source": "backend"}, 2),
        ({"camera_id": "nobody"}, 0),
        ({"search": "100%"}, 1),
        ({"search": "_"}, 0),
        ({"offset": "1", "limit": "5"}, 1),
        ({"start_date": "2020-01-01T00:00:00Z", "end_date": "2021-01-01T00:00:00Z"}, 0),
    ],
)
async def test_filters(api: httpx.AsyncClient, services: Services, query: dict[str, str], found: int) -> None:
    await services.logs.add([line("100% full", level=LogLevel.WARNING), line("1000 files")])
    assert (await api.get("/api/logs", params=query)).json()["count"] == found


@pytest.mark.parametrize(
    "query", ["level=LOUD", "source=moon", "limit=0", "limit=1001", "search=", "component=", "nothing=1", "cursor=x"]
)
async def test_what_cannot_be_asked_is_refused(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/api/logs?{query}")
    assert answer.status_code == 422
    assert Problem.model_validate(answer.json()).errors is not None


async def test_an_unknown_line_is_not_found(api: httpx.AsyncClient) -> None:
    assert (await api.get("/api/logs/1")).status_code == 404


async def test_the_days_figures(api: httpx.AsyncClient, services: Services) -> None:
    assert (await api.get("/api/logs/stats")).json() == {
        "total_today": 0,
        "errors_today": 0,
        "warnings_today": 0,
        "by_component": {},
        "by_level": {},
        "top_component": None,
    }
    await services.logs.add([line("x", component="worker"), line("y", timestamp=datetime.now(UTC) - timedelta(days=2))])
    stats = (await api.get("/api/logs/stats")).json()
    assert (stats["total_today"], stats["by_component"], stats["top_component"]) == (1, {"worker": 1}, "worker")


async def test_the_documented_line_of_a_page_is_stored(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/logs/frontend", json=DOCUMENTED, headers={"X-Request-ID": "find-me"})
    assert (answer.status_code, answer.json()) == (201, {"success": True, "count": 1, "message": "1 log entry stored"})
    log = await only(api)
    assert (log["level"], log["component"], log["message"], log["source"], log["request_id"]) == (
        "ERROR",
        "Dashboard",
        "Failed to load component",
        "frontend",
        "find-me",
    )
    assert log["extra"] == {
        "context": {"userId": "123", "action": "load"},
        "url": "/dashboard",
        "user_agent": "Mozilla/5.0...",
        "claimed_timestamp": "2024-01-21T12:00:00Z",
    }


async def test_a_pages_time_is_believed_within_a_day(api: httpx.AsyncClient) -> None:
    said = (datetime.now(UTC) - timedelta(hours=2)).replace(microsecond=0)
    await api.post("/api/logs/frontend", json={"level": "info", "message": "x", "timestamp": said.isoformat()})
    log = await only(api)
    assert datetime.fromisoformat(log["timestamp"]) == said
    assert (log["level"], log["component"], log["extra"]) == ("INFO", "frontend", {})


@pytest.mark.parametrize("claimed", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2999-01-01"])
async def test_a_time_that_cannot_be_believed_is_kept_beside_the_servers(api: httpx.AsyncClient, claimed: str) -> None:
    before = datetime.now(UTC)
    await api.post("/api/logs/frontend", json={"level": "INFO", "message": "x", "timestamp": claimed})
    log = await only(api)
    assert before <= datetime.fromisoformat(log["timestamp"]) <= datetime.now(UTC)
    assert log["extra"]["claimed_timestamp"].startswith(claimed[:10])


async def test_what_a_page_writes_is_data(api: httpx.AsyncClient) -> None:
    hostile = "'; DROP TABLE logs; -- <script>alert(1)</script>\r\n2025 ERROR forged\x1b[2J\u202e{0}%s${jndi:ldap://x}"
    await api.post("/api/logs/frontend", json={"level": "INFO", "message": hostile, "component": "a\nb"})
    log = await only(api)
    assert log["message"] == (
        "'; DROP TABLE logs; -- <script>alert(1)</script>\\r\\n2025 ERROR forged\\x1b[2J\\u202e{0}%s${jndi:ldap://x}"
    )
    assert log["component"] == "a\\nb"


async def test_keys_do_not_stand_in_a_pages_lines(api: httpx.AsyncClient, services: Services) -> None:
    secret = services.settings.database_url
    assert secret is not None
    entry = {
        "level": "INFO",
        "message": f"socket wss://home/ws/events?api_key=k1k1k1 and {secret.get_secret_value()}",
        "url": "/dashboard?api_key=k1k1k1&tab=2",
        "context": {"headers": {"X-API-Key": "k1k1k1"}},
    }
    assert (await api.post("/api/logs/frontend", json=entry)).status_code == 201
    log = await only(api)
    assert "k1k1k1" not in json.dumps(log)
    assert secret.get_secret_value() not in json.dumps(log)
    assert log["extra"]["url"] == "/dashboard?api_key=***&tab=2"


def nested(levels: int) -> dict[str, Any]:
    return {"in": nested(levels - 1)} if levels > 1 else {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"level": "LOUD"}, "level"),
        ({"level": None}, "level"),
        ({"message": ""}, "message"),
        ({"message": "x" * 8193}, "message"),
        ({"message": "nu\x00ll"}, ""),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"component": "x" * 101}, "component"),
        ({"context": nested(6)}, "context"),
        ({"context": {"a": "x" * 17_000}}, "context"),
        ({"context": ["a"]}, "context"),
        ({"url": "x" * 2049}, "url"),
        ({"user_agent": "x" * 513}, "user_agent"),
        ({"source": "backend"}, "source"),
        ({"id": 1}, "id"),
    ],
)
async def test_what_a_page_may_not_write(api: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    answer = await api.post("/api/logs/frontend", json=DOCUMENTED | change)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert field in [error["field"] for error in answer.json()["errors"]] or not field
    batch = await api.post("/api/logs/frontend/batch", json={"entries": [DOCUMENTED, DOCUMENTED | change]})
    assert batch.status_code == 422
    assert LogsRefused.model_validate(batch.json()).message == "Nothing was stored: some entries cannot be used"
    assert (await api.get("/api/logs")).json()["count"] == 0


async def test_the_deepest_context_allowed_is_stored_whole(api: httpx.AsyncClient) -> None:
    context = nested(4) | {"list": [1, "two", None, {"three": 3}]}
    await api.post("/api/logs/frontend", json=DOCUMENTED | {"context": context})
    assert (await only(api))["extra"]["context"] == context


async def test_a_batch_is_stored_whole(api: httpx.AsyncClient) -> None:
    entries = [{"level": "INFO", "message": f"m{number}"} for number in range(100)]
    answer = await api.post("/api/logs/frontend/batch", json={"entries": entries})
    assert (answer.status_code, answer.json()["count"]) == (201, 100)
    assert (await api.get("/api/logs")).json()["count"] == 100


@pytest.mark.parametrize("number", [0, 101])
async def test_a_batch_of_another_size_has_the_documented_answer(api: httpx.AsyncClient, number: int) -> None:
    answer = await api.post("/api/logs/frontend/batch", json={"entries": [DOCUMENTED] * number})
    assert answer.status_code == 422
    refused = answer.json()
    assert set(refused) == {"success", "count", "message", "errors"}
    assert (refused["success"], refused["count"]) == (False, 0)
    assert refused["message"] == "Batch must contain 1-100 entries"
    assert refused["errors"][0].startswith("entries: ")
    assert (await api.get("/api/logs")).json()["count"] == 0


async def test_a_batch_that_is_no_json_is_a_problem_as_everywhere(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/logs/frontend/batch", content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_without_postgresql_everything_about_the_log_is_unavailable(
    api_without_stores: httpx.AsyncClient,
) -> None:
    answers = [
        await api_without_stores.get("/api/logs"),
        await api_without_stores.get("/api/logs/stats"),
        await api_without_stores.get("/api/logs/1"),
        await api_without_stores.post("/api/logs/frontend", json=DOCUMENTED),
    ]
    assert [answer.status_code for answer in answers] == [503] * 4
    assert "secret" not in "".join(answer.text for answer in answers)
