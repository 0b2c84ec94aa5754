"""The health reports over real stores, and what they say of each part."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from actors.circuit_breakers import CircuitBreakers
from actors.ports import NOBODY
from deployments.api.app import create_app
from deployments.api.deps import Services
from deployments.api.views.health import ai_healths
from domain.health import OTHER_WORKERS, PIPELINE_WORKERS
from schemas.model import ModelStatus, ZooModel
from schemas.service import Service
from settings import Settings
from tests.actors.fakes import START, FakeClock
from tests.eventually import eventually
from tests.storage.rows import Rows

DETECTOR = {"loaded": True, "self_check": {"healthy": True, "checked_seconds_ago": 12.0}}


async def _all_running(rows: Rows) -> None:
    for name in (*PIPELINE_WORKERS, *OTHER_WORKERS):
        await rows.service(name)
    await rows.service("yolo26", category="ai", detail=DETECTOR)
    await rows.service("nemotron", category="ai", status="not_configured")
    await rows.service("model_zoo", category="ai")


async def _put(rows: Rows, name: str, status: str, message: str) -> None:
    await rows.pool.execute("UPDATE services SET status = $2, message = $3 WHERE name = $1", name, status, message)


async def test_all_well_is_healthy(api: httpx.AsyncClient, rows: Rows) -> None:
    await _all_running(rows)
    answer = await api.get("/api/system/health")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "healthy")
    assert body["services"]["database"] == {"status": "healthy", "message": "Database operational", "details": None}
    assert body["services"]["redis"]["details"]["redis_version"]
    assert body["services"]["ai"]["message"] == "AI services operational"
    details = body["services"]["ai"]["details"]
    assert (details["yolo26"], details["nemotron"]) == ("healthy", "not_configured")
    assert details["checked_seconds_ago"] >= 12.0
    assert body["timestamp"].endswith("Z")


@pytest.mark.parametrize("name", ["yolo26", "analysis_worker"])
async def test_a_part_that_fails_is_degraded_with_its_reason(api: httpx.AsyncClient, rows: Rows, name: str) -> None:
    await _all_running(rows)
    await _put(rows, name, "unhealthy", "it no longer finds the person")
    answer = await api.get("/api/system/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
    assert f"{name} unhealthy: it no longer finds the person" in answer.text


async def test_without_a_database_it_is_unhealthy(api_without_stores: httpx.AsyncClient) -> None:
    answer = await api_without_stores.get("/api/system/health")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (503, "unhealthy")
    assert body["services"]["redis"]["status"] == "unhealthy"
    assert "secret" not in answer.text


async def test_the_full_report_names_every_part(api: httpx.AsyncClient, rows: Rows) -> None:
    await _all_running(rows)
    answer = await api.get("/api/system/health/full")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (200, "healthy")
    for store in ("postgres", "redis"):
        assert body["infrastructure"][store]["status"] == "healthy"
        assert body["infrastructure"][store]["latency_ms"] >= 0
    assert list(body["ai_services"]) == ["yolo26", "nemotron", "florence", "clip", "enrichment"]
    assert body["ai_services"]["yolo26"]["loaded"] is True
    assert body["ai_services"]["nemotron"]["status"] == "not_configured"
    assert set(body["workers"]) == {*PIPELINE_WORKERS, *OTHER_WORKERS}
    assert all(worker["running"] for worker in body["workers"].values())


@pytest.mark.parametrize(
    ("name", "status_code", "status"),
    [
        ("yolo26", 503, "unhealthy"),
        ("file_watcher", 503, "unhealthy"),
        ("analysis_worker", 200, "degraded"),
        ("gpu_monitor", 200, "degraded"),
        ("model_zoo", 200, "degraded"),
    ],
)
async def test_only_a_critical_part_makes_the_full_report_unhealthy(
    api: httpx.AsyncClient, rows: Rows, name: str, status_code: int, status: str
) -> None:
    await _all_running(rows)
    await _put(rows, name, "stopped", "it is dead")
    answer = await api.get("/api/system/health/full")
    assert (answer.status_code, answer.json()["status"]) == (status_code, status)


async def test_breakers_that_nobody_can_ask_are_unknown_never_closed(api: httpx.AsyncClient) -> None:
    breakers = (await api.get("/api/system/health/full")).json()["circuit_breakers"]
    assert breakers["yolo26"] == {"state": "unknown", "failures": None}


async def test_breakers_are_as_their_actor_says(settings: Settings) -> None:
    actor = CircuitBreakers(FakeClock(), ("yolo26",))
    for _ in range(5):
        admitted = await actor.admit("yolo26")
        await actor.failed("yolo26", admitted)  # type: ignore[arg-type]
    services = await Services.open(settings, actors=replace(NOBODY, breakers=actor))
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        told = (await client.get("/api/system/health/full")).json()["circuit_breakers"]
    await services.close()
    assert told["yolo26"] == {"state": "open", "failures": 5}
    assert told["nemotron"]["state"] == "not_configured"


async def test_without_stores_the_full_report_is_unhealthy_and_leaks_nothing(
    api_without_stores: httpx.AsyncClient,
) -> None:
    answer = await api_without_stores.get("/api/system/health/full")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (503, "unhealthy")
    assert body["infrastructure"]["postgres"] == {
        "status": "unhealthy",
        "latency_ms": None,
        "message": "Database is away",
    }
    assert body["ai_services"]["yolo26"]["status"] == "unknown"
    assert "secret" not in answer.text


async def test_broadcasting_flows_with_redis(api: httpx.AsyncClient) -> None:
    closed = {"state": "closed", "failures": 0, "last_failure": None}

    async def flows() -> bool:
        body = (await api.get("/api/system/health/websocket")).json()
        return (body["event_broadcaster"], body["system_broadcaster"]) == (closed, closed)

    await eventually(flows)  # the reader connects when it is first needed


async def test_broadcasting_that_fails_is_told(api_without_stores: httpx.AsyncClient) -> None:
    answer = await api_without_stores.get("/api/system/health/websocket")
    body = answer.json()
    assert answer.status_code == 200
    assert body["event_broadcaster"]["state"] in ("open", "half_open")
    assert body["event_broadcaster"]["failures"] >= 1
    assert body["event_broadcaster"]["last_failure"].endswith("Z")


def _model(name: str, **values: Any) -> ZooModel:
    given: dict[str, Any] = {
        "name": name,
        "display_name": name,
        "category": "embedding",
        "status": ModelStatus.UNLOADED,
        "enabled": True,
        "available": True,
        "reason": None,
        "vram_mb": 800,
        "vram_measured": False,
        "device": None,
        "path": "/models/x",
        "last_used": None,
        "load_count": 0,
        "load_time_ms": None,
        "inference_count": 0,
    }
    return ZooModel.model_validate(given | values)


@pytest.mark.parametrize(
    ("values", "status", "loaded"),
    [
        ({}, "healthy", False),
        ({"status": "loaded"}, "healthy", True),
        ({"available": False, "reason": "no weights at x"}, "not_configured", False),
        ({"enabled": False, "status": "disabled"}, "not_configured", False),
        ({"status": "error", "reason": "broken"}, "unhealthy", False),
    ],
)
def test_a_model_of_the_zoo_is_told_as_it_is(values: dict[str, Any], status: str, loaded: bool) -> None:
    told = ai_healths({}, [_model("clip-vit-l", **values)], START)["clip"]
    assert (told.status, told.loaded) == (status, loaded)


def test_a_detector_whose_report_is_old_is_unhealthy_and_its_model_unknown() -> None:
    row = Service(
        name="yolo26",
        category="ai",  # type: ignore[arg-type]
        status="running",  # type: ignore[arg-type]
        detail=DETECTOR,
        checked_at=datetime.now(UTC) - timedelta(seconds=20),
    )
    told = ai_healths({"yolo26": row}, [], datetime.now(UTC))["yolo26"]
    assert (told.status, told.loaded) == ("unhealthy", None)
    assert told.checked_seconds_ago is not None
    assert told.checked_seconds_ago >= 32
