"""Samples every NVIDIA GPU of its node through NVML and stores the figures; without a GPU there are none.

When it dies nothing is lost but the samples of those seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pynvml

from actors.work_loop import WorkLoop
from domain.clock import Clock
from schemas.service import Health
from storage.gpu_stats import GpuSample, GpuStats

NO_GPU = "no NVIDIA GPU on this node"


@dataclass(frozen=True)
class MonitorTools:
    """What the monitor works with, opened in its own process."""

    stats: GpuStats
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
        samples = await asyncio.to_thread(sample_gpus)
        self._gpus = len(samples)
        if samples:
            await self._tools.stats.add(self._node, samples, self._tools.clock.now())
        return False


def sample_gpus() -> list[GpuSample]:
    """Every GPU that NVML shows; [] without a driver. A figure that a GPU does not give is null."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_sample(index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _sample(index: int) -> GpuSample:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    name = pynvml.nvmlDeviceGetName(handle)
    memory = _asked(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    power = _asked(lambda: pynvml.nvmlDeviceGetPowerUsage(handle))
    return GpuSample(
        index=index,
        name=name if isinstance(name, str) else name.decode(),
        utilization=_asked(lambda: float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)),
        memory_used_mb=None if memory is None else memory.used // 2**20,
        memory_total_mb=None if memory is None else memory.total // 2**20,
        temperature_celsius=_asked(lambda: float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))),
        power_watts=None if power is None else power / 1000,
    )


def _asked(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except pynvml.NVMLError:
        return None
