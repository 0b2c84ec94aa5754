"""Performance: the monitor's newest look, or one of the API's own."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deployments.api.examples.performance import PERFORMANCE_HISTORY
from schemas.performance import PerformanceSnapshot
from storage.performance import PerformanceRows
from tests.storage.rows import Rows

PARTS = ("gpu", "ai_models", "inference", "databases", "host", "containers", "alerts", "timestamp")


def _snapshot(at: datetime) -> PerformanceSnapshot:
    return PerformanceSnapshot.model_validate(PERFORMANCE_HISTORY["snapshots"][0] | {"timestamp": at})


async def test_the_monitors_newest_look_is_shown(api: httpx.AsyncClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    await PerformanceRows(rows.pool).add(_snapshot(now))
    body = (await api.get("/api/system/performance")).json()
    assert body["stale"] is False
    assert body["gpu"]["utilization"] == 75.5
    assert body["alerts"][0]["metric"] == "gpu_temperature"


async def test_where_the_monitor_is_silent_the_api_looks_itself(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service("api", status="running")
    before = datetime.now(UTC) - timedelta(minutes=1)
    await PerformanceRows(rows.pool).add(_snapshot(before))
    body = (await api.get("/api/system/performance")).json()
    assert set(PARTS) <= set(body)
    assert body["stale"] is True
    assert body["monitor_reported_at"] == before.isoformat().replace("+00:00", "Z")
    assert set(body["gpu"].values()) == {None}
    assert body["ai_models"]["yolo26"]["status"] == "unknown"
    assert body["ai_models"]["nemotron"]["status"] == "not_configured"
    assert body["databases"]["postgres"]["status"] == body["databases"]["redis"]["status"] == "healthy"
    assert body["databases"]["postgres"]["connections"] >= 1
    assert body["inference"] == {"avg_latency_ms": None, "p95_latency_ms": None, "throughput_fps": 0.0}
    assert 0 < body["host"]["ram_percent"] <= 100
    assert body["containers"] == [{"name": "api", "status": "running"}]


async def test_history_is_evenly_thinned_and_in_order(api: httpx.AsyncClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    performance = PerformanceRows(rows.pool)
    for number in range(100):
        await performance.add(_snapshot(now - timedelta(seconds=9 * number)))
    for time_range, seconds in (("5m", 300), ("15m", 900), ("60m", 3600)):
        body = (await api.get(f"/api/system/performance/history?time_range={time_range}")).json()
        times = [one["timestamp"] for one in body["snapshots"]]
        assert body["time_range"] == time_range
        assert body["count"] == len(times) <= 60
        assert times == sorted(times)
        assert min(times) > (now - timedelta(seconds=seconds)).isoformat()
        assert body["count"] >= 15
    assert (await api.get("/api/system/performance/history")).json()["time_range"] == "5m"


@pytest.mark.parametrize("query", ["time_range=10m", "time_range=", "range=5m"])
async def test_another_range_is_refused(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/api/system/performance/history?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_without_a_database_it_is_unavailable(api_without_stores: httpx.AsyncClient) -> None:
    for path in ("", "/history"):
        assert (await api_without_stores.get(f"/api/system/performance{path}")).status_code == 503
