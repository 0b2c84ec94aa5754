"""The GPU monitor's tools."""

from actors.gpu_monitor import MonitorTools
from actors.tools import open_pool, open_redis
from domain.clock import SystemClock
from settings import Settings
from storage.gpu_stats import GpuStats
from storage.live_bus import LiveBus
from storage.performance import PerformanceRows


async def monitor_tools(settings: Settings) -> MonitorTools:
    pool, clock = await open_pool(settings, "gpu_monitor"), SystemClock()
    return MonitorTools(GpuStats(pool), PerformanceRows(pool), LiveBus(open_redis(settings), clock), clock)
