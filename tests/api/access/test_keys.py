"""Keys over HTTP: every route but the probes asks for one, and nothing a stranger sends gets around that."""

import asyncio
import logging
import re

import httpx
import pytest

from deployments.api.access.table import ROUTES, Access
from tests.api.access.conftest import ALICE, BOB

_UUID = "550e8400-e29b-41d4-a716-446655440000"
CLOSED = sorted(
    (method, re.sub(r"\{.*?\}", _UUID, path))
    for (method, path), kind in ROUTES.items()
    if kind not in (Access.OPEN, Access.SIGN_IN) and method != "WEBSOCKET"
)
OPEN = sorted(path for (_, path), kind in ROUTES.items() if kind is Access.OPEN)


def _refused(answer: httpx.Response) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("ApiKey ")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_every_route_but_the_probes_needs_a_key(api: httpx.AsyncClient) -> None:
    for method, path in CLOSED:
        _refused(await api.request(method, path))


async def test_a_wrong_key_is_as_good_as_none(api: httpx.AsyncClient) -> None:
    wrong = {"X-API-Key": ALICE + "x"}
    for answer in await asyncio.gather(*(api.request(method, path, headers=wrong) for method, path in CLOSED)):
        _refused(answer)


@pytest.mark.parametrize("path", OPEN)
async def test_the_probes_need_none(api: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, {"X-API-Key": "wrong"}):
        answer = await api.get(path, headers=headers)
        assert answer.status_code in (200, 503)
        assert "x-ratelimit-limit" not in answer.headers


async def test_each_key_of_the_list_opens(api: httpx.AsyncClient) -> None:
    for name, key in (("alice", ALICE), ("bob", BOB)):
        answer = await api.get("/api/session", headers={"X-API-Key": key})
        assert answer.json() == {"actor": name, "keys_required": True, "expires_at": None}


async def test_head_asks_for_a_key_like_get(api: httpx.AsyncClient) -> None:
    assert (await api.head("/api/events")).status_code == 401
    assert (await api.head("/api/events", headers={"X-API-Key": ALICE})).status_code == 200


async def test_a_name_of_nothing_tells_a_stranger_nothing(api: httpx.AsyncClient) -> None:
    for path in ("/nothing", "/api/events/1/nothing", "/-/routes", "/.env", "/"):
        for method in ("GET", "POST", "OPTIONS", "TRACE", "BREW"):
            _refused(await api.request(method, path))
    assert (await api.get("/nothing", headers={"X-API-Key": ALICE})).status_code == 404


@pytest.mark.parametrize(
    "value",
    [b"", b" ", b"\t", ALICE.encode()[:-1], ALICE.upper().encode(), b"x" * 60_000, "schlüssel".encode(), b"\xff\xfe",
     f"{ALICE},{BOB}".encode(), f'"{ALICE}"'.encode(), f"alice:{ALICE}".encode(), f"Bearer {ALICE}".encode(), b"null",
     ALICE.encode() + b"\x00"],
)  # fmt: skip
async def test_no_malformed_key_opens(api: httpx.AsyncClient, value: bytes) -> None:
    answer = await api.get("/api/events", headers={b"X-API-Key": value})
    _refused(answer)
    assert value.strip() == b"" or value.decode("latin-1") not in answer.text


async def test_two_keys_are_one_too_many(api: httpx.AsyncClient) -> None:
    for first, second in ((ALICE, BOB), (ALICE, ALICE), ("wrong", ALICE), ("", ALICE), (ALICE, "")):
        _refused(await api.get("/api/events", headers=[("X-API-Key", first), ("x-api-key", second)]))


async def test_a_key_counts_in_its_header_only(api: httpx.AsyncClient) -> None:
    _refused(await api.get("/api/events", params={"api_key": ALICE}))
    _refused(await api.get("/api/events", headers={"Authorization": f"Bearer {ALICE}"}))
    _refused(await api.get("/api/events", headers={"Authorization": ALICE, "X-API-Keys": ALICE, "X_API_KEY": ALICE}))
    _refused(await api.get("/api/events", headers={"Sec-WebSocket-Protocol": f"api-key.{ALICE}"}))
    _refused(await api.get("/api/events", headers={"Cookie": f"hsi_session={ALICE}; api_key={ALICE}"}))


@pytest.mark.parametrize(
    "path",
    ["//api/events", "/api//events", "/api/events/", "/API/EVENTS", "/%61pi/events", "/api%2fevents", "/api/%65vents",
     "/./api/events", "/health/../api/events", "/health%2f..%2fapi%2fevents", "/health%3b/api/events", "/health%00",
     "/health%0a", "/health;/../api/events", "/api/events%0a", "/api/events%20", "/api/events;x=/health",
     "/health%23/../../api/events", "/api/system/health/live/../../../events", "/ready%2e", "/health%3fx"],
)  # fmt: skip
async def test_no_way_of_writing_a_path_gets_around_the_table(api: httpx.AsyncClient, path: str) -> None:
    raw = httpx.URL(scheme="http", host="127.0.0.1", port=8000, raw_path=path.encode())
    for method in ("GET", "POST"):
        _refused(await api.request(method, raw))


@pytest.mark.parametrize(
    "header",
    ["X-Original-URL", "X-Rewrite-URL", "X-HTTP-Method-Override", "X-Forwarded-Prefix", "X-Forwarded-Uri", "Referer"],
)
async def test_no_header_of_other_servers_changes_the_route(api: httpx.AsyncClient, header: str) -> None:
    _refused(await api.get("/api/events", headers={header: "/health"}))


async def test_a_key_is_in_no_log_and_no_answer(api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    planted = "planted-0123456789-secret"
    texts = []
    for answer in (
        await api.get("/api/events", headers={"X-API-Key": planted}),
        await api.get("/api/events", params={"api_key": planted}, headers={"X-API-Key": ALICE}),
        await api.get("/api/nothing", params={"api_key": planted}, headers={"X-API-Key": ALICE}),
        await api.post("/api/session", json={"api_key": planted}),
        await api.post("/api/session", json={"api_key": [planted]}),
        await api.post("/api/session", json={planted: planted}),
        await api.post("/api/session", content=planted, headers={"Content-Type": "application/json"}),
        await api.post("/api/session", content=planted, headers={"Content-Type": "text/plain"}),
        await api.get("/api/events", headers={"X-API-Key": ALICE}),
        await api.get("/openapi.json", headers={"X-API-Key": ALICE}),
    ):
        texts.append(answer.text + str(answer.headers))
    ours = "".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "GET /api/events" in ours
    for secret in (ALICE, BOB):
        assert secret not in ours + "".join(texts)
    assert planted not in ours
    # A body's own unknown field is named in the answer to whoever sent it, and nowhere else.
    assert [text for text in texts if planted in text] == [texts[5]]
