"""Figures from rows: totals, GPUs, storage, telemetry."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from deployments.api.deps import Services
from storage.gpu_stats import GpuSample, GpuStats
from storage.stage_latency import StageLatencies
from storage.stats import Stats
from tests.eventually import eventually
from tests.storage.rows import Rows

GPU = GpuSample(0, "NVIDIA H200", 37.5, 1024, 143_771, 41.0, 215.5)
DOCUMENTED = ("gpu_name", "utilization", "memory_used", "memory_total", "temperature", "power_usage", "inference_fps")


async def test_totals_are_those_of_the_rows(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.camera()
    batch = await rows.batch()
    await rows.detection(batch, await rows.media())
    await rows.event(batch_id=batch)
    body = (await api.get("/api/system/stats")).json()
    assert (body["total_cameras"], body["total_events"], body["total_detections"]) == (1, 1, 1)


async def test_totals_follow_within_a_second(api: httpx.AsyncClient, rows: Rows) -> None:
    assert (await api.get("/api/system/stats")).json()["total_cameras"] == 0
    await rows.camera()

    async def counted() -> bool:
        return bool((await api.get("/api/system/stats")).json()["total_cameras"] == 1)

    await eventually(counted, 5)


async def test_uptime_is_the_systems_whichever_replica_answers(api: httpx.AsyncClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    await Stats(rows.pool).report_start(now - timedelta(hours=3), now)
    assert 10_800 <= (await api.get("/api/system/stats")).json()["uptime_seconds"] < 10_900


async def test_before_a_start_is_reported_uptime_is_this_replicas(api: httpx.AsyncClient, rows: Rows) -> None:
    before = datetime.now(UTC) - timedelta(hours=3)
    await Stats(rows.pool).report_start(before, before)  # by the system that ran until then
    assert 0 <= (await api.get("/api/system/stats")).json()["uptime_seconds"] < 600


async def test_without_a_gpu_every_field_is_null(api: httpx.AsyncClient) -> None:
    body = (await api.get("/api/system/gpu")).json()
    assert {body[name] for name in DOCUMENTED} == {None}
    assert body["gpus"] == []
    history = (await api.get("/api/system/gpu/history")).json()
    assert history == {"samples": [], "count": 0, "limit": 300}


async def test_the_newest_sample_is_shown_and_one_that_is_old_is_not(api: httpx.AsyncClient, rows: Rows) -> None:
    now = datetime.now(UTC)
    await GpuStats(rows.pool).add("head", [GPU], now - timedelta(minutes=5), 1.0)
    assert (await api.get("/api/system/gpu")).json()["gpu_name"] is None
    await GpuStats(rows.pool).add("head", [GPU], now, 30.5)
    body = (await api.get("/api/system/gpu")).json()
    assert [body[name] for name in DOCUMENTED] == ["NVIDIA H200", 37.5, 1024, 143_771, 41.0, 215.5, 30.5]
    assert [(one["node"], one["gpu_index"]) for one in body["gpus"]] == [("head", 0)]
    history = (await api.get("/api/system/gpu/history", params={"limit": 1})).json()
    assert (history["count"], history["limit"], history["samples"][0]["inference_fps"]) == (1, 1, 30.5)
    since = (now - timedelta(minutes=10)).isoformat()
    assert (await api.get("/api/system/gpu/history", params={"since": since})).json()["count"] == 2


async def test_limits_of_the_history_are_held(api: httpx.AsyncClient) -> None:
    assert (await api.get("/api/system/gpu/history?limit=5000")).status_code == 200
    for query in ("limit=5001", "limit=0", "since=yesterday", "until=2025-01-01"):
        assert (await api.get(f"/api/system/gpu/history?{query}")).status_code == 422, query


async def test_storage_tells_the_disk_the_files_and_the_rows(
    api: httpx.AsyncClient, services: Services, camera_root: Path, rows: Rows
) -> None:
    await rows.camera()
    (camera_root / "yard" / "today").mkdir(parents=True)
    (camera_root / "yard" / "a.jpg").write_bytes(b"x" * 100)
    (camera_root / "yard" / "today" / "b.PNG").write_bytes(b"x" * 50)
    (camera_root / "yard" / "c.mp4").write_bytes(b"x" * 1000)
    (camera_root / "yard" / "notes.txt").write_bytes(b"x")
    (camera_root / "yard" / "link.jpg").symlink_to(camera_root / "yard" / "a.jpg")
    thumbnails = services.settings.data_dir / "thumbnails" / "12"
    thumbnails.mkdir(parents=True)
    (thumbnails / "1.jpg").write_bytes(b"x" * 7)
    body = (await api.get("/api/system/storage")).json()
    assert body["thumbnails"] == {"file_count": 1, "size_bytes": 7}
    assert body["images"] == {"file_count": 2, "size_bytes": 150}
    assert body["clips"] == {"file_count": 1, "size_bytes": 1000}
    assert [body[f"{name}_count"] for name in ("events", "detections", "gpu_stats", "logs")] == [0, 0, 0, 0]
    assert 0 < body["disk_used_bytes"] < body["disk_total_bytes"]
    assert body["disk_free_bytes"] > 0
    usable = body["disk_used_bytes"] + body["disk_free_bytes"]
    assert body["disk_usage_percent"] == round(100 * body["disk_used_bytes"] / usable, 1)
    assert body["files_counted_at"] <= body["timestamp"]


async def test_folders_that_are_not_there_hold_nothing(api: httpx.AsyncClient, camera_root: Path) -> None:
    camera_root.rmdir()
    body = (await api.get("/api/system/storage")).json()
    assert body["images"] == body["thumbnails"] == {"file_count": 0, "size_bytes": 0}


async def test_telemetry_is_null_without_samples_and_has_all_seven_figures_with_them(
    api: httpx.AsyncClient, rows: Rows
) -> None:
    body = (await api.get("/api/system/telemetry")).json()
    queues = ("detection_queue", "analysis_queue", "notification_queue", "reassessment_queue")
    assert body["queues"] == dict.fromkeys(queues, 0)
    assert body["latencies"] == {"watch": None, "detect": None, "batch": None, "analyze": None}
    now = datetime.now(UTC)
    await rows.camera()
    await rows.media(started_at=now - timedelta(seconds=1), found_at=now - timedelta(seconds=0.8), detected_at=now)
    await StageLatencies(rows.pool).roll_up(now - timedelta(minutes=1), now + timedelta(minutes=1))
    detect = (await api.get("/api/system/telemetry")).json()["latencies"]["detect"]
    figures = ("avg_ms", "min_ms", "max_ms", "p50_ms", "p95_ms", "p99_ms")
    assert detect == dict.fromkeys(figures, 200.0) | {"sample_count": 1}


async def test_without_a_database_figures_are_unavailable(api_without_stores: httpx.AsyncClient) -> None:
    for path in ("stats", "gpu", "gpu/history", "storage", "telemetry"):
        answer = await api_without_stores.get(f"/api/system/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), path
        assert "secret" not in answer.text
