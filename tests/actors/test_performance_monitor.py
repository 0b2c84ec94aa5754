"""The monitor tells and stores how the system does, and packs latencies from rows: late ones and missed ones too."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from actors.performance_monitor import PerformanceMonitor, PerformanceTools
from actors.performance_sample import PerformanceSampler
from actors.tools.performing import system_started_at
from domain.clock import SystemClock
from domain.health import PIPELINE_WORKERS
from schemas.frame import Frame, LiveChannel
from schemas.latency import Stage
from storage.gpu_stats import GpuSample, GpuStats
from storage.latency import LatencySamples
from storage.live_bus import LiveBus
from storage.models import Models
from storage.performance import PerformanceRows
from storage.postgres import Pool, connect_pool
from storage.services import Services
from storage.stage_latency import StageLatencies
from storage.stats import Stats
from storage.system_figures import SystemRows
from tests.eventually import eventually
from tests.storage.rows import Rows

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def _tools(pool: Pool, client: redis.asyncio.Redis, folder: Path) -> PerformanceTools:
    clock = SystemClock()
    performance, latencies = PerformanceRows(pool), LatencySamples(pool)
    sampler = PerformanceSampler(
        performance,
        GpuStats(pool),
        Services(pool),
        Models(pool),
        latencies,
        client,
        folder,
        timedelta(seconds=30),
        clock,
    )
    return PerformanceTools(
        sampler=sampler,
        performance=performance,
        figures=SystemRows(pool),
        stats=Stats(pool),
        stages=StageLatencies(pool),
        latencies=latencies,
        live=LiveBus(client, clock),
        system_started_at=STARTED,
        clock=clock,
    )


@pytest.fixture
def rows(database: Pool) -> Rows:
    return Rows(database)


@pytest.fixture
def tools(database: Pool, redis_client: redis.asyncio.Redis, tmp_path: Path) -> PerformanceTools:
    return _tools(database, redis_client, tmp_path)


@pytest.fixture
async def monitor(tools: PerformanceTools) -> AsyncIterator[PerformanceMonitor]:
    async def connect() -> PerformanceTools:
        return tools

    made = PerformanceMonitor(connect, 0.01)
    yield made
    await made.stop()


async def _running(rows: Rows) -> None:
    for name in PIPELINE_WORKERS:
        await rows.service(name)
    detail = {"loaded": True, "vram_mb": 0, "self_check": {"healthy": True}}
    await rows.service("yolo26", category="ai", detail=detail)
    await rows.service("nemotron", category="ai", status="not_configured")


async def _frames(tools: PerformanceTools, frame_type: str) -> list[Frame]:
    frames, _ = await tools.live.replay(LiveChannel.SYSTEM, 0)
    return [frame for frame in frames if frame.type == frame_type]


async def test_a_snapshot_is_stored_and_a_status_told(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    await _running(rows)
    await rows.camera(status="online")
    await rows.media(state="queued")
    await tools.sampler.sample()  # from the second look on the processor's load is known
    assert await monitor._look() is False
    snapshot = await tools.performance.newest()
    assert snapshot is not None
    assert snapshot.ai_models["yolo26"].model_dump() == {"status": "loaded", "vram_mb": 0, "message": None}
    assert snapshot.host.cpu_percent is not None
    assert {"name": "yolo26", "status": "running"} in [one.model_dump() for one in snapshot.containers]
    [status] = await _frames(tools, "system.status")
    assert status.data["health"] == "healthy"
    assert status.data["cameras"] == {"active": 1, "total": 1}
    assert status.data["queue"] == {"pending": 1, "processing": 0}
    assert await tools.stats.started_at(tools.clock.now()) == STARTED
    assert await _frames(tools, "system.health_changed") == []


async def test_a_change_of_health_is_told_once_with_its_parts(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    await _running(rows)
    await monitor._look()
    await rows.pool.execute("UPDATE services SET status = 'stopped' WHERE name = 'analysis_worker'")
    await monitor._look()
    await monitor._look()
    [changed] = await _frames(tools, "system.health_changed")
    assert (changed.data["health"], changed.data["previous_health"]) == ("degraded", "healthy")
    assert changed.data["components"]["analysis_worker"] == "unhealthy"


async def test_without_a_database_it_goes_on_telling(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    await _running(rows)
    await monitor._look()
    rows.pool.terminate()
    await monitor._look()
    told = await _frames(tools, "system.status")
    assert [frame.data["health"] for frame in told] == ["healthy", "unhealthy"]
    assert told[1].data["queue"] == {"pending": None, "processing": None}
    [changed] = await _frames(tools, "system.health_changed")
    assert changed.data["components"] == {"database": "unhealthy", "redis": "healthy"}


async def test_alerts_stand_since_they_began_though_the_monitor_is_new(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    hot = GpuSample(0, "NVIDIA H200", 99.0, 960, 1000, 90.0, 700.0)
    await GpuStats(rows.pool).add("head", [hot], datetime.now(UTC))
    await monitor._look()
    first = await tools.performance.newest()

    async def connect() -> PerformanceTools:
        return tools

    await PerformanceMonitor(connect)._look()
    second = await tools.performance.newest()
    assert first is not None
    assert second is not None
    gpu = [(one.metric, one.severity, one.since) for one in second.alerts if one.resource == "head/0"]
    assert [(metric, severity) for metric, severity, _ in gpu] == [
        ("gpu_temperature", "critical"),
        ("gpu_memory", "critical"),
    ]
    assert gpu == [(one.metric, one.severity, one.since) for one in first.alerts if one.resource == "head/0"]
    assert second.timestamp > first.timestamp


async def _media(rows: Rows, ago: timedelta, **values: Any) -> None:
    ended = datetime.now(UTC) - ago
    await rows.media(
        received_at=ended - timedelta(seconds=3), started_at=ended - timedelta(seconds=1), detected_at=ended, **values
    )


async def _samples(tools: PerformanceTools) -> int:
    found = await tools.latencies.figures([Stage.WATCH_TO_DETECT], datetime.now(UTC) - timedelta(hours=24))
    figures = found[Stage.WATCH_TO_DETECT]
    return figures.sample_count if figures else 0


async def test_what_was_missed_while_it_was_away_is_computed_hour_by_hour(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    await rows.camera()
    for hours in (0, 1, 5, 20):
        await _media(rows, timedelta(hours=hours, seconds=1))
    passes = 1
    while await monitor._roll_up():
        passes += 1
    assert await _samples(tools) == 4
    assert passes == 26


async def test_late_commits_are_found_within_minutes(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    await rows.camera()
    while await monitor._roll_up():
        pass
    await _media(rows, timedelta(minutes=5))
    await _media(rows, timedelta(seconds=20))
    await monitor._roll_up()
    assert await _samples(tools) == 1
    monitor._recompute_at = None  # a minute has passed
    await monitor._roll_up()
    assert await _samples(tools) == 2


async def test_a_successor_goes_on_where_the_rows_end(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    await rows.camera()
    await _media(rows, timedelta(minutes=20))
    while await monitor._roll_up():
        pass

    async def connect() -> PerformanceTools:
        return tools

    await _media(rows, timedelta(minutes=2))
    assert await PerformanceMonitor(connect)._roll_up() is False
    assert await _samples(tools) == 2


async def test_it_runs_by_itself_and_tells_how_far_it_is(
    monitor: PerformanceMonitor, tools: PerformanceTools, rows: Rows
) -> None:
    await rows.camera()
    await _media(rows, timedelta(seconds=1))
    await monitor.start()

    async def done() -> bool:
        return await tools.performance.newest() is not None and await _samples(tools) == 1

    await eventually(done)
    health = await monitor.health()
    assert health.healthy
    assert health.detail["latencies_up_to"] is not None


async def test_a_database_that_cannot_take_a_snapshot_is_no_reason_to_restart(
    tools: PerformanceTools, database_url: str, tmp_path: Path
) -> None:
    closed = await connect_pool(database_url, 1, 1, "closed")
    closed.terminate()
    away = replace(tools, performance=PerformanceRows(closed))

    async def connect() -> PerformanceTools:
        return away

    monitor = PerformanceMonitor(connect, 0.01)
    await monitor.start()

    async def says_so() -> bool:
        return "snapshots are not stored" in ((await monitor.health()).message or "")

    await eventually(says_so)
    assert (await monitor.health()).healthy
    await monitor.stop()


def test_outside_of_ray_the_system_started_with_this_process() -> None:
    assert timedelta(0) < datetime.now(UTC) - system_started_at() < timedelta(days=1)
