"""One shape for every error, and nothing in it that is nobody's business."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from deployments.api import errors
from deployments.api.access.table import ROUTES
from deployments.api.app import create_app
from deployments.api.deps import Services
from deployments.api.views import probes
from schemas.problem import Problem

KEYS = {"type", "title", "status", "detail", "instance", "request_id"}


def _problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) - {"errors"} == KEYS
    assert ("errors" in body) == (status == 422)
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]
    Problem.model_validate(body)
    return body


async def test_an_unknown_address_is_a_problem(api: httpx.AsyncClient) -> None:
    body = _problem(await api.get("/api/nothing/here?api_key=secret"), 404)
    assert (body["title"], body["instance"]) == ("Not Found", "/api/nothing/here")


async def test_the_instance_is_the_address_as_it_came(api: httpx.AsyncClient) -> None:
    body = _problem(await api.get("/api/cameras/no%0Aone%C3%BC"), 422)
    assert body["instance"] == "/api/cameras/no%0Aone%C3%BC"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/events", "GET, HEAD"),
        ("PUT", "/api/cameras", "GET, HEAD, POST"),
        ("POST", "/api/cameras/front_door", "DELETE, GET, HEAD, PATCH"),
        ("PATCH", f"/api/alerts/rules/{UUID(int=1)}", "DELETE, GET, HEAD, PUT"),
        ("GET", f"/api/alerts/{UUID(int=1)}/dismiss", "POST"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
async def test_an_unknown_method_is_told_the_known_ones(
    api: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await api.request(method, path)
    _problem(answer, 405)
    assert answer.headers["allow"] == allowed


async def test_a_trailing_slash_is_another_address(api: httpx.AsyncClient) -> None:
    _problem(await api.get("/api/events/"), 404)


@pytest.mark.parametrize("body", ["{", "", "nul", '{"name": }', "{'name': 1}"])
async def test_malformed_json_is_400_and_nothing_422(api: httpx.AsyncClient, body: str) -> None:
    answer = await api.post("/api/cameras", content=body, headers={"Content-Type": "application/json"})
    _problem(answer, 400 if body else 422)


async def test_bytes_that_are_not_text_are_400(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/cameras", content=b'{"name": "\xff"}', headers={"Content-Type": "application/json"})
    _problem(answer, 400)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None]
)
async def test_a_body_that_is_not_called_json_is_415(api: httpx.AsyncClient, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await api.post("/api/cameras", content='{"name": "door"}', headers=headers)
    _problem(answer, 415)
    assert (await api.get("/api/cameras")).json()["count"] == 0


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
async def test_json_by_any_of_its_names_is_taken(api: httpx.AsyncClient, kind: str) -> None:
    answer = await api.post("/api/cameras", content='{"name": "door"}', headers={"Content-Type": kind})
    assert answer.status_code == 201


async def test_each_bad_value_is_told_by_its_field(api: httpx.AsyncClient) -> None:
    body = _problem(await api.get("/api/events?limit=0&min_score=x&colour=red"), 422)
    assert {error["field"] for error in body["errors"]} == {"limit", "min_score", "colour"}


async def test_stores_that_are_away_are_503_with_a_time_to_come_back(api_without_stores: httpx.AsyncClient) -> None:
    nobody = uuid4()
    for method, path in (
        ("GET", "/api/cameras"),
        ("GET", "/api/cameras/x/snapshot"),
        ("DELETE", "/api/cameras/x"),
        ("GET", "/api/events"),
        ("GET", "/api/events/1"),
        ("GET", "/api/events/1/detections"),
        ("GET", "/api/detections"),
        ("GET", "/api/detections/1/image"),
        ("GET", "/api/media"),
        ("GET", "/api/alerts"),
        ("GET", f"/api/alerts/{nobody}/deliveries"),
        ("POST", f"/api/alerts/{nobody}/acknowledge"),
        ("GET", "/api/alerts/rules"),
        ("POST", f"/api/alerts/rules/{nobody}/test"),
        ("GET", "/api/system/pipeline"),
    ):
        answer = await api_without_stores.request(method, path)
        body = _problem(answer, 503)
        assert answer.headers["retry-after"] == "5"
        assert "secret" not in answer.text
        assert "127.0.0.1" not in answer.text
        assert body["detail"] == "A store that this needs is away; try again shortly."
    _problem(await api_without_stores.post("/api/cameras", json={"name": "x"}), 503)


async def test_a_defect_is_a_bare_500_and_the_log_has_the_rest(
    services: Services, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("password=hunter2 at /srv/secret")

    app = create_app(services)
    app.add_api_route("/broken", broken)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://testserver") as client:
        answer = await client.get("/broken", headers={"X-Request-ID": "find-me"})
    body = _problem(answer, 500)
    assert body["request_id"] == "find-me"
    assert "hunter2" not in answer.text
    assert "/srv" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "find-me" in caplog.text
    assert "hunter2" in caplog.text


def test_every_error_of_the_table_is_a_known_status() -> None:
    assert {answer.status for answer in errors.ANSWERS.values()} == {400, 404, 409, 422, 500, 503}
    assert probes.PATIENCE_SECONDS == 0.3


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/api/events/stats"),
        ("PATCH", "/api/events/export"),
        ("DELETE", "/api/dlq/stats"),
        ("GET", "/api/logs/frontend"),
        ("OPTIONS", "/api/events/stats"),
    ],
)
async def test_a_path_that_looks_like_anothers_parameter_keeps_its_own_methods(
    api: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await api.request(method, path)
    own = {known for known, its_path in ROUTES if its_path == path}
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == own | ({"HEAD"} if "GET" in own else set())


async def test_other_paths_keep_the_routers_answer(api: httpx.AsyncClient) -> None:
    assert (await api.patch("/api/events/no-number", json={})).status_code == 422
    assert (await api.delete("/api/events")).status_code == 405
