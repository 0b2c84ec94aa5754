"""What NVML says of this node's GPUs and of the processes on them; nothing where there is no driver, or where it fails.

A driver that is restarted, or a card that falls off the bus, makes calls fail: then those figures are missing, and the
next sample asks anew.
"""

from collections.abc import Callable
from typing import Any

import pynvml

from storage.gpu_stats import GpuSample


def sample_gpus() -> list[GpuSample]:
    """Every GPU that answers; [] without a driver. A figure that a GPU does not give is null."""
    if not _begin():
        return []
    try:
        samples = [_sample(index) for index in range(_asked(pynvml.nvmlDeviceGetCount) or 0)]
        return [sample for sample in samples if sample is not None]
    finally:
        _asked(pynvml.nvmlShutdown)


def process_memory_mb(pid: int, device: str) -> int | None:
    """What this process holds of GPU memory: 0 for one that computes on the processor, None where nobody can tell."""
    if not device.startswith("cuda"):
        return 0
    if not _begin():
        return None
    try:
        held = [memory for index in range(_asked(pynvml.nvmlDeviceGetCount) or 0) for memory in _held(index, pid)]
        return sum(held) // 2**20 if held else None
    finally:
        _asked(pynvml.nvmlShutdown)


def _begin() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def _held(index: int, pid: int) -> list[int]:
    handle = _asked(lambda: pynvml.nvmlDeviceGetHandleByIndex(index))
    running = _asked(lambda: pynvml.nvmlDeviceGetComputeRunningProcesses(handle)) if handle is not None else None
    return [one.usedGpuMemory for one in running or () if one.pid == pid and one.usedGpuMemory is not None]


def _sample(index: int) -> GpuSample | None:
    handle = _asked(lambda: pynvml.nvmlDeviceGetHandleByIndex(index))
    name = _asked(lambda: pynvml.nvmlDeviceGetName(handle)) if handle is not None else None
    if name is None:  # it has fallen off the bus
        return None
    memory = _asked(lambda: pynvml.nvmlDeviceGetMemoryInfo(handle))
    power = _asked(lambda: pynvml.nvmlDeviceGetPowerUsage(handle))
    return GpuSample(
        index=index,
        name=name if isinstance(name, str) else name.decode(errors="replace"),
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
