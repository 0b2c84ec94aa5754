"""GPU figures are NVML's own, and without a GPU there are none."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
import redis.asyncio

from actors.gpu_monitor import NO_GPU, GpuMonitor, MonitorTools
from actors.nvml import process_memory_mb, sample_gpus
from schemas.frame import LiveChannel
from storage.errors import StoreUnavailable
from storage.gpu_stats import GpuSample, GpuStats
from storage.live_bus import LiveBus
from storage.performance import PerformanceRows
from storage.postgres import Pool
from tests.actors.fakes import START, FakeClock
from tests.eventually import eventually


class FakeNvml:
    """Two GPUs, of which the second tells nothing but its name; in place of a driver that this machine may lack."""

    def __init__(self, gpus: int = 2, lost: bool = False) -> None:
        self.gpus = gpus
        self.lost = lost
        self.sessions = 0

    def install(self, patch: pytest.MonkeyPatch) -> None:
        answers: dict[str, Callable[..., Any]] = {
            "nvmlInit": self.begin,
            "nvmlShutdown": self.end,
            "nvmlDeviceGetCount": lambda: self.gpus,
            "nvmlDeviceGetHandleByIndex": lambda index: index,
            "nvmlDeviceGetName": lambda index: b"NVIDIA Old" if index else "NVIDIA H200",
            "nvmlDeviceGetMemoryInfo": self.asked(SimpleNamespace(used=3 * 2**30, total=143 * 2**30)),
            "nvmlDeviceGetPowerUsage": self.asked(215_500),
            "nvmlDeviceGetUtilizationRates": self.asked(SimpleNamespace(gpu=37)),
            "nvmlDeviceGetTemperature": self.asked(41),
        }
        for name, answer in answers.items():
            patch.setattr(pynvml, name, answer)

    def begin(self) -> None:
        if self.lost:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
        self.sessions += 1

    def end(self) -> None:
        self.sessions -= 1

    def asked(self, figure: Any) -> Callable[..., Any]:
        def answer(index: int, *_: Any) -> Any:
            if index:
                raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
            return figure

        return answer


def test_without_a_driver_there_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeNvml(lost=True).install(monkeypatch)
    assert sample_gpus() == []


def test_every_gpu_is_sampled_and_what_one_does_not_tell_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml()
    nvml.install(monkeypatch)
    assert sample_gpus() == [
        GpuSample(0, "NVIDIA H200", 37.0, 3 * 1024, 143 * 1024, 41.0, 215.5),
        GpuSample(1, "NVIDIA Old", None, None, None, None, None),
    ]
    assert nvml.sessions == 0


def test_sampling_this_machine_invents_nothing() -> None:
    for sample in sample_gpus():
        assert sample.name
        assert sample.memory_total_mb is None or sample.memory_total_mb > 0


def tools_of(pool: Pool, client: redis.asyncio.Redis, clock: FakeClock) -> MonitorTools:
    return MonitorTools(GpuStats(pool), PerformanceRows(pool), LiveBus(client), clock)


def monitor(tools: MonitorTools) -> GpuMonitor:
    async def connect() -> MonitorTools:
        return tools

    return GpuMonitor("head", 0.01, connect)


async def test_samples_are_stored_at_the_clocks_time_and_told(
    database: Pool, redis_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeNvml().install(monkeypatch)
    tools = tools_of(database, redis_client, FakeClock())
    watching = monitor(tools)
    await watching.start()
    await eventually(lambda: _rows(database, 2))
    await watching.stop()
    rows = await database.fetch("SELECT DISTINCT recorded_at, node, inference_fps FROM gpu_stats")
    assert [tuple(row) for row in rows] == [(START, "head", 0.0)]
    assert (await watching.health()).detail == {"gpus": 2}
    frames, _ = await tools.live.replay(LiveChannel.SYSTEM, 0)
    assert frames[0].type == "gpu.stats_updated"
    assert frames[0].data == {
        "utilization": 37.0,
        "memory_used": 3 * 1024,
        "memory_total": 143 * 1024,
        "temperature": 41.0,
        "inference_fps": 0.0,
    }


async def _rows(pool: Pool, count: int) -> bool:
    return bool(await pool.fetchval("SELECT count(*) >= $1 FROM gpu_stats", count))


async def test_without_a_gpu_it_is_healthy_says_so_and_stores_and_tells_nothing(
    database: Pool, redis_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeNvml(gpus=0).install(monkeypatch)
    tools = tools_of(database, redis_client, FakeClock())
    watching = monitor(tools)
    await watching.start()
    await eventually(lambda: _says(watching, NO_GPU))
    assert (await watching.health()).healthy
    await watching.stop()
    assert not await _rows(database, 1)
    assert await tools.live.last_sequence(LiveChannel.SYSTEM) == 0


async def _says(watching: GpuMonitor, message: str) -> bool:
    return (await watching.health()).message == message


async def test_a_database_that_is_away_is_tried_again(
    database: Pool, redis_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeNvml().install(monkeypatch)
    tries = 0

    async def connect() -> MonitorTools:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StoreUnavailable("PostgreSQL: refused")
        return tools_of(database, redis_client, FakeClock())

    watching = GpuMonitor("head", 0.01, connect)
    await watching.start()
    await eventually(lambda: _rows(database, 2))
    assert tries == 3
    await watching.stop()


def test_a_process_on_the_processor_holds_no_gpu_memory() -> None:
    assert process_memory_mb(1, "cpu") == 0
