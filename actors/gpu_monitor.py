"""Samples every NVIDIA GPU of its node through NVML, tells and stores the figures; without a GPU there are none.

When it dies nothing is lost but the samples of those seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from actors.nvml import sample_gpus
from actors.work_loop import WorkLoop
from domain.clock import Clock
from schemas.frame_types import GpuStatsUpdated, frame
from schemas.service import Health
from storage.errors import StoreUnavailable
from storage.gpu_stats import GpuSample, GpuStats
from storage.live_bus import LiveBus
from storage.performance import PerformanceRows

NO_GPU = "no NVIDIA GPU on this node"
DRIVER_SECONDS = 15.0
"""A driver that answers no sooner counts as a failure; after three the supervisor starts this process anew."""


@dataclass(frozen=True)
class MonitorTools:
    """What the monitor works with, opened in its own process."""

    stats: GpuStats
    performance: PerformanceRows
    live: LiveBus
    clock: Clock


class GpuMonitor:
    """One per node; the figures are NVML's, never invented."""

    def __init__(self, node: str, seconds_between: float, connect: Callable[[], Awaitable[MonitorTools]]) -> None:
        self._node = node
        self._seconds_between = seconds_between
        self._connect = connect
        self._tools: MonitorTools | None = None
        self._gpus: int | None = None
        self._loop = WorkLoop("gpu_monitor", self._work, self._wait)

    async def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def health(self) -> Health:
        health = self._loop.health()
        message = health.message or (NO_GPU if self._gpus == 0 else None)
        return health.model_copy(update={"message": message, "detail": {"gpus": self._gpus}})

    async def _wait(self, _seconds: float) -> None:
        await asyncio.sleep(self._seconds_between)

    async def _work(self) -> bool:
        if self._tools is None:
            self._tools = await self._connect()
        tools = self._tools
        samples = await asyncio.wait_for(asyncio.to_thread(sample_gpus), DRIVER_SECONDS)
        self._gpus = len(samples)
        if samples:
            fps = await _frames_per_second(tools)
            now = tools.clock.now()
            await tools.live.publish([frame(_told(samples, fps))], now)
            await tools.stats.add(self._node, samples, now, fps)
        return False


async def _frames_per_second(tools: MonitorTools) -> float | None:
    try:
        return await tools.performance.frames_per_second()
    except StoreUnavailable:
        return None


def _told(samples: Sequence[GpuSample], fps: float | None) -> GpuStatsUpdated:
    """GPU 0's figures."""
    first = samples[0]
    return GpuStatsUpdated(
        utilization=first.utilization,
        memory_used=first.memory_used_mb,
        memory_total=first.memory_total_mb,
        temperature=first.temperature_celsius,
        inference_fps=fps,
    )
