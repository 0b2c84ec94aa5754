"""One look at everything that costs time or memory: host, GPU, stores, models, services. What cannot be had is null."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import psutil
import redis.asyncio

from domain.clock import Clock
from domain.health import is_stale
from domain.performance_alerts import Figure, judge
from schemas.gpu import GpuSampleRow
from schemas.latency import LatencyFigures, Stage
from schemas.model import ModelStatus, ZooModel
from schemas.performance import (
    ContainerStatus,
    DatabaseLoads,
    GpuLoad,
    HostLoad,
    InferenceLoad,
    Metric,
    ModelLoad,
    PerformanceAlert,
    PerformanceSnapshot,
    PostgresLoad,
    RedisLoad,
)
from schemas.service import Service
from storage.disk import disk_use
from storage.errors import StoreError
from storage.gpu_stats import GpuStats
from storage.latency import LatencySamples
from storage.models import Models
from storage.performance import DatabaseUse, PerformanceRows, RedisUse, redis_use
from storage.services import Services

PATIENCE_SECONDS = 2.0
INFERENCE_OVER = timedelta(minutes=5)
_NOT_SHOWN = ("supervisor",)
"""Its row is where it writes what it judged."""

T = TypeVar("T")


@dataclass(frozen=True)
class Sampled:
    """A snapshot, and what it was made from that somebody may want to look at too."""

    snapshot: PerformanceSnapshot
    services: Sequence[Service] | None
    """None while the database is away."""
    redis: bool


class PerformanceSampler:
    """Asks every part side by side, and waits for none longer than two seconds."""

    def __init__(
        self,
        performance: PerformanceRows,
        gpus: GpuStats,
        services: Services,
        models: Models,
        latencies: LatencySamples,
        client: redis.asyncio.Redis,
        data_dir: Path,
        gpu_sample_kept: timedelta,
        clock: Clock,
    ) -> None:
        self._performance = performance
        self._gpus = gpus
        self._services = services
        self._models = models
        self._latencies = latencies
        self._redis = client
        self._data_dir = data_dir
        self._gpu_sample_kept = gpu_sample_kept
        self._clock = clock
        self._counts_processor = False

    async def sample(self, before: Sequence[PerformanceAlert] = ()) -> Sampled:
        """`before`: the alerts of the last sample, which keep their `since`."""
        now = self._clock.now()
        async with asyncio.TaskGroup() as asking:
            listed = asking.create_task(_or_none(self._services.list()))
            used = asking.create_task(_or_none(self._performance.database_use()))
            frames = asking.create_task(_or_none(self._performance.frames_per_second()))
            cards = asking.create_task(_or_none(self._gpus.newest(now, self._gpu_sample_kept)))
            zoo = asking.create_task(_or_none(self._models.list()))
            detect = asking.create_task(_or_none(self._latencies.figures([Stage.DETECT], now - INFERENCE_OVER)))
            memory = asking.create_task(_or_none(redis_use(self._redis)))
            host = await asyncio.to_thread(self._host)
        services, gpus = listed.result(), cards.result() or ()
        postgres = _postgres(used.result())
        rows = {service.name: service for service in services or ()}
        figures = [*_gpu_figures(gpus), *_host_figures(host)]
        figures.append(Figure(Metric.DATABASE_POOL, postgres.pool_use_percent))
        snapshot = PerformanceSnapshot(
            gpu=_gpu(gpus),
            ai_models=ai_models(rows, zoo.result() or (), now),
            inference=_inference((detect.result() or {}).get(Stage.DETECT), frames.result()),
            databases=DatabaseLoads(postgres=postgres, redis=_redis(memory.result())),
            host=host,
            containers=tuple(
                ContainerStatus(name=one.name, status="unknown" if is_stale(one, now) else one.status.value)
                for one in services or ()
                if one.name not in _NOT_SHOWN
            ),
            alerts=judge(figures, before, now),
            timestamp=now,
        )
        return Sampled(snapshot, services, memory.result() is not None)

    def _host(self) -> HostLoad:
        """The processor's load is that since the last call: there is none the first time."""
        processor = psutil.cpu_percent(interval=None)
        known, self._counts_processor = self._counts_processor, True
        return HostLoad(
            cpu_percent=processor if known else None,
            ram_percent=psutil.virtual_memory().percent,
            disk_percent=disk_use(self._data_dir).percent,
        )


def ai_models(rows: Mapping[str, Service], models: Sequence[ZooModel], now: datetime) -> dict[str, ModelLoad]:
    """The detector, the language model, and what the zoo has loaded."""
    found = {"yolo26": _detector(rows.get("yolo26"), now)}
    found["nemotron"] = ModelLoad(status="not_configured", vram_mb=None, message="no language model is configured")
    for model in models:
        if model.status is ModelStatus.LOADED:
            found[model.name] = ModelLoad(status=model.status.value, vram_mb=model.vram_mb)
    return found


def _detector(row: Service | None, now: datetime) -> ModelLoad:
    if row is None or is_stale(row, now) or "loaded" not in row.detail:
        return ModelLoad(status="unknown", vram_mb=None, message=row.message if row is not None else None)
    if not row.detail["loaded"]:
        return ModelLoad(status="unloaded", vram_mb=None, message=row.message)
    return ModelLoad(status="loaded", vram_mb=row.detail.get("vram_mb"))


def _gpu(gpus: Sequence[GpuSampleRow]) -> GpuLoad:
    if not gpus:
        return GpuLoad(
            name=None, utilization=None, memory_used_mb=None, memory_total_mb=None, temperature_c=None, power_watts=None
        )
    first = gpus[0]
    return GpuLoad(
        name=first.gpu_name,
        utilization=first.utilization,
        memory_used_mb=first.memory_used,
        memory_total_mb=first.memory_total,
        temperature_c=first.temperature,
        power_watts=first.power_usage,
    )


def _gpu_figures(gpus: Sequence[GpuSampleRow]) -> list[Figure]:
    figures = []
    for gpu in gpus:
        resource = f"{gpu.node}/{gpu.gpu_index}"
        used = 100 * gpu.memory_used / gpu.memory_total if gpu.memory_used is not None and gpu.memory_total else None
        figures.append(Figure(Metric.GPU_TEMPERATURE, gpu.temperature, resource))
        figures.append(Figure(Metric.GPU_MEMORY, used, resource))
    return figures


def _host_figures(host: HostLoad) -> list[Figure]:
    return [
        Figure(Metric.CPU, host.cpu_percent),
        Figure(Metric.RAM, host.ram_percent),
        Figure(Metric.DISK, host.disk_percent),
    ]


def _inference(latency: LatencyFigures | None, fps: float | None) -> InferenceLoad:
    return InferenceLoad(
        avg_latency_ms=latency.avg_ms if latency else None,
        p95_latency_ms=latency.p95_ms if latency else None,
        throughput_fps=fps,
    )


def _postgres(use: DatabaseUse | None) -> PostgresLoad:
    if use is None:
        return PostgresLoad(status="unhealthy", connections=None)
    percent = round(100 * use.connections / use.most_connections, 1) if use.most_connections else None
    return PostgresLoad(
        status="healthy",
        connections=use.connections,
        max_connections=use.most_connections,
        pool_use_percent=percent,
    )


def _redis(use: RedisUse | None) -> RedisLoad:
    if use is None:
        return RedisLoad(status="unhealthy", memory_mb=None)
    return RedisLoad(status="healthy", memory_mb=use.memory_mb)


async def _or_none(asked: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asked
    except (StoreError, TimeoutError):
        return None
