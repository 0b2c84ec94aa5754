"""The pipeline's latency over a window and bucket by bucket."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deployments.api.views.latency import SHOWN
from storage.latency import LatencySamples
from tests.storage.rows import Rows

STAGES = [stage.value for stage in SHOWN]


async def test_without_samples_every_stage_is_null(api: httpx.AsyncClient) -> None:
    body = (await api.get("/api/system/pipeline-latency")).json()
    assert list(body) == [*STAGES, "window_minutes", "timestamp"]
    assert {body[stage] for stage in STAGES} == {None}
    assert body["window_minutes"] == 60


async def test_figures_are_of_the_window_that_is_asked_for(api: httpx.AsyncClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    samples = [(now - timedelta(minutes=10), 10.0), (now - timedelta(minutes=90), 30.0)]
    await LatencySamples(rows.pool).add("total_pipeline", samples)
    near = (await api.get("/api/system/pipeline-latency")).json()["total_pipeline"]
    far = (await api.get("/api/system/pipeline-latency?window_minutes=120")).json()["total_pipeline"]
    assert (near["sample_count"], near["avg_ms"]) == (1, 10.0)
    assert (far["sample_count"], far["avg_ms"], far["min_ms"], far["max_ms"]) == (2, 20.0, 10.0, 30.0)
    assert (far["p50_ms"], far["p95_ms"], far["p99_ms"]) == (20.0, 29.0, 29.8)


async def test_history_has_every_bucket_in_order(api: httpx.AsyncClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    await LatencySamples(rows.pool).add("detect_to_batch", [(now - timedelta(seconds=90), 5.0)])
    body = (await api.get("/api/system/pipeline-latency/history?since=5&bucket_seconds=10")).json()
    assert body["count"] == len(body["snapshots"]) in (30, 31)
    assert (body["window_minutes"], body["bucket_seconds"]) == (5, 10)
    times = [snapshot["timestamp"] for snapshot in body["snapshots"]]
    assert times == sorted(times)
    assert all(time.endswith("0Z") for time in times)
    assert list(body["snapshots"][0]["stages"]) == STAGES
    filled = [one["stages"]["detect_to_batch"] for one in body["snapshots"] if one["stages"]["detect_to_batch"]]
    assert filled == [{"avg_ms": 5.0, "p50_ms": 5.0, "p95_ms": 5.0, "p99_ms": 5.0, "sample_count": 1}]
    assert {snapshot["stages"]["analyze"] for snapshot in body["snapshots"]} == {None}


async def test_the_default_is_an_hour_by_the_minute(api: httpx.AsyncClient) -> None:
    body = (await api.get("/api/system/pipeline-latency/history")).json()
    assert (body["window_minutes"], body["bucket_seconds"]) == (60, 60)
    assert body["count"] in (60, 61)


async def test_the_finest_history_of_a_day_is_bounded(api: httpx.AsyncClient) -> None:
    body = (await api.get("/api/system/pipeline-latency/history?since=1440&bucket_seconds=10")).json()
    assert body["count"] in (8640, 8641)


@pytest.mark.parametrize(
    "query",
    [
        "?window_minutes=0",
        "?window_minutes=1441",
        "?window_minutes=x",
        "?minutes=5",
        "/history?since=0",
        "/history?since=1441",
        "/history?bucket_seconds=9",
        "/history?bucket_seconds=3601",
        "/history?window=5",
    ],
)
async def test_what_lies_outside_the_ranges_is_refused(api: httpx.AsyncClient, query: str) -> None:
    answer = await api.get(f"/api/system/pipeline-latency{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_without_a_database_it_is_unavailable(api_without_stores: httpx.AsyncClient) -> None:
    for path in ("", "/history"):
        assert (await api_without_stores.get(f"/api/system/pipeline-latency{path}")).status_code == 503
