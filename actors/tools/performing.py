"""The performance monitor's tools."""

from datetime import UTC, datetime

import psutil

from actors.performance_monitor import PerformanceTools
from actors.performance_sample import PerformanceSampler
from actors.tools import open_pool, open_redis
from domain.clock import SystemClock
from settings import Settings
from storage.gpu_stats import GpuStats, sample_kept
from storage.latency import LatencySamples
from storage.live_bus import LiveBus
from storage.models import Models
from storage.performance import PerformanceRows
from storage.services import Services
from storage.stage_latency import StageLatencies
from storage.stats import Stats
from storage.system_figures import SystemRows


async def performance_tools(settings: Settings) -> PerformanceTools:
    pool, redis, clock = await open_pool(settings, "performance_monitor"), open_redis(settings), SystemClock()
    performance, latencies = PerformanceRows(pool), LatencySamples(pool)
    sampler = PerformanceSampler(
        performance,
        GpuStats(pool),
        Services(pool),
        Models(pool),
        latencies,
        redis,
        settings.data_dir,
        sample_kept(settings.gpu_poll_interval_seconds),
        clock,
    )
    return PerformanceTools(
        sampler=sampler,
        performance=performance,
        figures=SystemRows(pool),
        stats=Stats(pool),
        stages=StageLatencies(pool),
        latencies=latencies,
        live=LiveBus(redis, clock),
        system_started_at=system_started_at(),
        clock=clock,
    )


def system_started_at() -> datetime:
    """When Ray came up on this node: an actor that is started again says the same. Outside of Ray, this process."""
    process = psutil.Process()
    parents = (parent for parent in process.parents() if "raylet" in parent.name())
    return datetime.fromtimestamp(next(parents, process).create_time(), UTC)
