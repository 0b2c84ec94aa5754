"""The GPU monitor's tools."""

from actors.gpu_monitor import MonitorTools
from actors.tools import open_pool
from domain.clock import SystemClock
from settings import Settings
from storage.gpu_stats import GpuStats


async def monitor_tools(settings: Settings) -> MonitorTools:
    return MonitorTools(GpuStats(await open_pool(settings, "gpu_monitor")), SystemClock())
