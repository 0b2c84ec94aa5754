"""What every request passes: its id, the headers, the limit on bodies, HEAD."""

import asyncio
import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from deployments.api.middleware import MOST_BODY_BYTES, RequestIds


@pytest.mark.parametrize("given", ["abc", "4bf92f35-77b3.4da6_a:3", "x" * 64])
async def test_a_sane_request_id_is_echoed(api: httpx.AsyncClient, given: str) -> None:
    assert (await api.get("/health", headers={"X-Request-ID": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "<script>", "ü".encode(), "a/b"])
async def test_any_other_is_replaced_by_a_new_one(api: httpx.AsyncClient, given: str | bytes) -> None:
    made = [(await api.get("/health", headers={"X-Request-ID": given})).headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    assert all(len(one) == 32 and one.isalnum() for one in made)


async def test_the_request_id_stands_in_the_log(api: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="deployments.api.middleware")
    caplog.handler.addFilter(RequestIds())
    await api.get("/api/cameras/a%0Ab?api_key=secret", headers={"X-Request-ID": "find-me"})
    line = next(record for record in caplog.records if record.name == "deployments.api.middleware")
    assert line.getMessage().startswith("GET /api/cameras/a%0Ab 422 ")
    assert line.getMessage().endswith("request find-me")
    assert getattr(line, "request_id", None) == "find-me"
    assert "secret" not in caplog.text


@pytest.mark.parametrize("path", ["/health", "/api/events", "/api/nothing", "/docs"])
async def test_the_security_headers_are_on_every_answer(api: httpx.AsyncClient, path: str) -> None:
    headers = (await api.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["content-security-policy"].startswith("default-src 'none';")
    assert headers["cache-control"] == "no-store"


async def test_a_body_of_just_the_limit_is_read(api: httpx.AsyncClient) -> None:
    body = b'"' + b"x" * (MOST_BODY_BYTES - 2) + b'"'
    answer = await api.post("/api/cameras", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


async def test_a_body_that_announces_too_much_is_not_read(api: httpx.AsyncClient) -> None:
    for length in (str(MOST_BODY_BYTES + 1), "9" * 30):
        answer = await api.post(
            "/api/cameras", content=b"{}", headers={"Content-Type": "application/json", "Content-Length": length}
        )
        assert (answer.status_code, answer.json()["detail"]) == (413, "A body may have at most 10 MB.")


async def test_a_body_in_pieces_is_cut_off_where_it_becomes_too_large(served: str) -> None:
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 100_000
            yield b"x" * 100_000

    async with httpx.AsyncClient(base_url=f"http://{served}", timeout=30) as client:
        try:
            answer = await client.post("/api/cameras", content=pieces(), headers={"Content-Type": "application/json"})
        except httpx.TransportError:  # the server hung up before the last piece, which is its right
            answer = None
    if answer is not None:
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert sent < 100_000_000


async def test_head_is_get_without_the_body_everywhere(served: str) -> None:
    async with httpx.AsyncClient(base_url=f"http://{served}") as client:
        for path in ("/health", "/api/events", "/api/nothing", "/openapi.json"):
            head, get = await client.head(path), await client.get(path)
            assert (head.status_code, head.content) == (get.status_code, b"")
            assert head.headers["content-type"] == get.headers["content-type"]
            if path != "/api/nothing":  # its body holds the request's id
                assert head.headers["content-length"] == get.headers["content-length"]


async def test_ids_of_requests_at_once_do_not_mix(api: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(api.get("/api/nothing", headers={"X-Request-ID": f"n{n}"}) for n in range(20)))
    assert [answer.json()["request_id"] for answer in answers] == [f"n{n}" for n in range(20)]
