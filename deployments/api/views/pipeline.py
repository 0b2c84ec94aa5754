"""The pipeline at a glance: what the watcher has before it, which batches are open, how degraded the system is."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from deployments.api.views.readiness import is_stale, why_not_running
from domain.clock import Clock
from schemas.batch import OpenBatch
from schemas.frozen import Frozen, UtcTime
from schemas.runtime_config import RuntimeConfig
from schemas.service import Service, ServiceStatus
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.services import Services as ServiceRows


class FileWatcherView(Frozen):
    running: bool
    camera_root: str | None
    pending_tasks: int | None
    """Files seen and not yet settled or stored."""
    observer_type: str | None
    """`native` or `polling`."""


class OpenBatchView(Frozen):
    batch_id: str
    camera_id: str
    detection_count: int
    started_at: float
    """When its first picture was taken, in seconds since 1970."""
    age_seconds: float
    """Since it was opened."""
    last_activity_seconds: float
    """Since it was last added to."""


class BatchAggregatorView(Frozen):
    active_batches: int
    batches: tuple[OpenBatchView, ...]
    batch_window_seconds: int
    idle_timeout_seconds: int


class DegradedServiceView(Frozen):
    name: str
    status: str
    last_check: float | None
    """Seconds since 1970."""
    consecutive_failures: int
    error_message: str | None


class DegradationView(Frozen):
    mode: str
    """normal, degraded, minimal or offline."""
    is_degraded: bool
    redis_healthy: bool
    memory_queue_size: int
    """What waits in memory because the database is away."""
    fallback_queues: dict[str, int]
    services: tuple[DegradedServiceView, ...]
    available_features: tuple[str, ...]


class PipelineStatus(Frozen):
    file_watcher: FileWatcherView | None
    """Null while nothing is known of it."""
    batch_aggregator: BatchAggregatorView | None
    """Null while it does not run."""
    degradation: DegradationView | None
    """Null until the supervisor has judged, and when it has not reported for 15 s."""
    timestamp: UtcTime


class PipelineView:
    """Reads rows only: no actor is asked, so it answers while the pipeline is busy or dead."""

    def __init__(self, services: ServiceRows, batches: Batches, configs: RuntimeConfigs, clock: Clock) -> None:
        self._services = services
        self._batches = batches
        self._configs = configs
        self._clock = clock

    async def __call__(self) -> PipelineStatus:
        services, batches, config = await asyncio.gather(
            self._services.list(), self._batches.open(), self._configs.current()
        )
        rows = {service.name: service for service in services}
        now = self._clock.now()
        return PipelineStatus(
            file_watcher=_watcher(rows.get("file_watcher"), now),
            batch_aggregator=_aggregator(rows.get("batch_aggregator"), batches, config, now),
            degradation=_degradation(rows.get("supervisor"), now),
            timestamp=now,
        )


def _watcher(row: Service | None, now: datetime) -> FileWatcherView | None:
    if row is None or is_stale(row, now):
        return None
    detail = row.detail
    return FileWatcherView(
        running=row.status is ServiceStatus.RUNNING,
        camera_root=detail.get("camera_root"),
        pending_tasks=detail.get("pending_tasks"),
        observer_type=detail.get("observer_type"),
    )


def _aggregator(
    row: Service | None, batches: Sequence[OpenBatch], config: RuntimeConfig, now: datetime
) -> BatchAggregatorView | None:
    if why_not_running(row, now) is not None:
        return None
    return BatchAggregatorView(
        active_batches=len(batches),
        batches=tuple(_batch(batch, now) for batch in batches),
        batch_window_seconds=config.batch_window_seconds,
        idle_timeout_seconds=config.batch_idle_timeout_seconds,
    )


def _batch(batch: OpenBatch, now: datetime) -> OpenBatchView:
    return OpenBatchView(
        batch_id=batch.id,
        camera_id=batch.camera_id,
        detection_count=batch.detection_count,
        started_at=batch.started_at.timestamp(),
        age_seconds=_since(batch.opened_at, now),
        last_activity_seconds=_since(batch.last_activity_at, now),
    )


def _since(moment: datetime, now: datetime) -> float:
    """Never negative: the clock that wrote the row may be a little ahead of ours."""
    return round(max(0.0, (now - moment).total_seconds()), 3)


def _degradation(row: Service | None, now: datetime) -> DegradationView | None:
    """From the supervisor's own row, whose `detail` holds it under `degradation`."""
    if row is None or is_stale(row, now):
        return None
    told: Mapping[str, Any] | None = row.detail.get("degradation")
    try:
        return None if told is None else DegradationView.model_validate(told)
    except ValidationError:
        return None  # of another version of the supervisor, while the system is being updated
