"""The four probes over real stores, and without them."""

from datetime import UTC, datetime, timedelta

import httpx

from domain.health import OTHER_WORKERS, PIPELINE_WORKERS
from tests.storage.rows import Rows


async def _all_running(rows: Rows) -> None:
    for name in PIPELINE_WORKERS:
        await rows.service(name)
    await rows.service("yolo26", category="ai")
    await rows.service("nemotron", category="ai", status="not_configured")


async def test_liveness_needs_nothing(api_without_stores: httpx.AsyncClient) -> None:
    alive = await api_without_stores.get("/health")
    live = await api_without_stores.get("/api/system/health/live")
    assert (alive.status_code, alive.json()) == (200, {"status": "alive"})
    assert live.status_code == 200
    assert set(live.json()) == {"status", "timestamp"}
    assert live.json()["timestamp"].endswith("Z")


async def test_everything_running_is_ready(api: httpx.AsyncClient, rows: Rows) -> None:
    await _all_running(rows)
    await rows.service("gpu_monitor", category="monitoring")
    answer = await api.get("/api/system/health/ready")
    body = answer.json()
    assert (answer.status_code, body["ready"], body["status"]) == (200, True, "ready")
    assert body["services"]["database"] == {"status": "healthy", "message": "Database operational", "details": None}
    assert body["services"]["redis"]["message"] == "Redis connected"
    assert body["services"]["redis"]["details"]["redis_version"].startswith("6.2")
    assert body["services"]["ai"]["details"] == {"yolo26": "healthy", "nemotron": "not_configured"}
    assert {"name": "gpu_monitor", "running": True, "message": None} in body["workers"]
    assert {worker["name"] for worker in body["workers"]} == {*PIPELINE_WORKERS, *OTHER_WORKERS}
    assert (await api.get("/ready")).json() == {"ready": True, "status": "ready"}


async def test_before_the_supervisor_has_reported_nothing_is_ready(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/system/health/ready")
    body = answer.json()
    assert (answer.status_code, body["ready"], body["status"]) == (503, False, "not_ready")
    assert body["services"]["database"]["status"] == "healthy"
    short = await api.get("/ready")
    assert (short.status_code, short.json()) == (503, {"ready": False, "status": "not_ready"})


async def test_a_supervisor_that_is_silent_makes_its_word_old(api: httpx.AsyncClient, rows: Rows) -> None:
    await _all_running(rows)
    before = datetime.now(UTC) - timedelta(seconds=20)
    await rows.pool.execute("UPDATE services SET checked_at = $1 WHERE name = 'analysis_worker'", before)
    answer = await api.get("/api/system/health/ready")
    worker = next(worker for worker in answer.json()["workers"] if worker["name"] == "analysis_worker")
    assert answer.status_code == 503
    assert worker["running"] is False
    assert worker["message"].startswith("not running: the supervisor has not reported since 2")


async def test_only_the_detector_down_is_ready_and_degraded(api: httpx.AsyncClient, rows: Rows) -> None:
    await _all_running(rows)
    await rows.pool.execute("UPDATE services SET status = 'unhealthy', message = 'no weights' WHERE name = 'yolo26'")
    answer = await api.get("/api/system/health/ready")
    body = answer.json()
    assert (answer.status_code, body["ready"], body["status"]) == (200, True, "degraded")
    assert body["services"]["ai"]["message"] == "yolo26 unhealthy: no weights"
    assert (await api.get("/ready")).status_code == 200


async def test_without_stores_the_probes_answer_and_say_so(api_without_stores: httpx.AsyncClient) -> None:
    answer = await api_without_stores.get("/api/system/health/ready")
    body = answer.json()
    assert (answer.status_code, body["ready"], body["status"]) == (503, False, "not_ready")
    assert body["services"]["database"]["message"] == "Database is away"
    assert body["services"]["redis"]["message"] == "Redis is away"
    assert not any(worker["running"] for worker in body["workers"])
    assert "secret" not in answer.text
    short = await api_without_stores.get("/ready")
    assert (short.status_code, short.json()) == (503, {"ready": False, "status": "not_ready"})
