"""GET /api/system/pipeline"""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from deployments.api.examples.pipeline import PIPELINE
from tests.storage.rows import Rows

WATCHER = {"camera_root": "/srv/cameras", "pending_tasks": 3, "observer_type": "native"}


async def _body(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.get("/api/system/pipeline")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def test_a_fresh_system_knows_nothing_and_says_null(api: httpx.AsyncClient) -> None:
    body = await _body(api)
    assert (body["file_watcher"], body["batch_aggregator"], body["degradation"]) == (None, None, None)
    assert body["timestamp"].endswith("Z")


async def test_a_running_pipeline_shows_what_is_before_it(api: httpx.AsyncClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    await rows.camera()
    batch = await rows.batch(
        state="open",
        started_at=now - timedelta(seconds=46),
        opened_at=now - timedelta(seconds=45),
        last_activity_at=now - timedelta(seconds=10),
        detection_count=5,
    )
    await rows.batch(state="closed", closed_at=now)
    await rows.service("file_watcher", detail=WATCHER)
    await rows.service("batch_aggregator")
    await rows.service("supervisor", category="monitoring", detail={"degradation": PIPELINE["degradation"]})
    body = await _body(api)
    assert body["file_watcher"] == {"running": True} | WATCHER
    aggregator = body["batch_aggregator"]
    assert (aggregator["active_batches"], aggregator["batch_window_seconds"], aggregator["idle_timeout_seconds"]) == (
        1,
        90,
        30,
    )
    (shown,) = aggregator["batches"]
    assert (shown["batch_id"], shown["camera_id"], shown["detection_count"]) == (str(batch), "front_door", 5)
    assert shown["started_at"] == pytest.approx((now - timedelta(seconds=46)).timestamp(), abs=0.01)
    assert shown["age_seconds"] >= 45
    assert 10 <= shown["last_activity_seconds"] < shown["age_seconds"]
    assert body["degradation"] == PIPELINE["degradation"]


async def test_a_changed_setting_shows(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service("batch_aggregator")
    await rows.pool.execute("INSERT INTO runtime_config (id, value) VALUES (1, $1)", {"batch_window_seconds": 20})
    assert (await _body(api))["batch_aggregator"]["batch_window_seconds"] == 20


async def test_a_watcher_that_fails_is_not_running(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service("file_watcher", status="unhealthy", detail=WATCHER)
    assert (await _body(api))["file_watcher"] == {"running": False} | WATCHER


async def test_old_reports_are_unknown(api: httpx.AsyncClient, rows: Rows) -> None:
    before = datetime.now(UTC) - timedelta(seconds=16)
    for name in ("file_watcher", "batch_aggregator", "supervisor"):
        await rows.service(name, checked_at=before, detail={"degradation": PIPELINE["degradation"]})
    body = await _body(api)
    assert (body["file_watcher"], body["batch_aggregator"], body["degradation"]) == (None, None, None)


async def test_a_report_of_another_version_is_unknown(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service("supervisor", detail={"degradation": {"level": 3}})
    await rows.service("file_watcher", detail={})
    body = await _body(api)
    assert body["degradation"] is None
    assert body["file_watcher"] == {
        "running": True,
        "camera_root": None,
        "pending_tasks": None,
        "observer_type": None,
    }
