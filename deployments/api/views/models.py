"""The model zoo as its rows show it; no model is called loaded while nobody holds it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pydantic import Field

from deployments.api.parameters import Checked
from deployments.api.views.readiness import why_not_running
from domain.clock import Clock
from domain.model_registry import MODELS, RegisteredModel, enabled_models, registered
from schemas.frozen import Frozen, UtcTime
from schemas.latency import LatencyBucket
from schemas.model import ModelCategory, ModelStatus, ZooModel
from settings import Settings
from storage.latency import LatencySamples
from storage.models import Models
from storage.services import Services as ServiceRows

SERVICE = "model_zoo"
_IN_MEMORY = (ModelStatus.LOADED, ModelStatus.LOADING)


class ModelHistoryQuery(Checked):
    model: str = Field(min_length=1, max_length=64, examples=["yolo11-license-plate"])
    """The model's name."""
    since: int = Field(default=60, ge=1, le=1440)
    """Minutes of history."""
    bucket_seconds: int = Field(default=60, ge=10, le=3600)
    """The length of a bucket."""


class ModelList(Frozen):
    vram_budget_mb: int
    vram_used_mb: int
    """What the models that are loaded, or being loaded, are charged: of the card, or of the machine's memory."""
    vram_available_mb: int
    models: tuple[ZooModel, ...]


class CompactModel(Frozen):
    name: str
    category: ModelCategory
    status: ModelStatus
    vram_mb: int


class CategoryCount(Frozen):
    loaded: int
    total: int


class ZooStatus(Frozen):
    models: tuple[CompactModel, ...]
    categories: dict[ModelCategory, CategoryCount]
    timestamp: UtcTime


class ModelLatency(Frozen):
    """One bucket; its figures are null where no picture was run in it."""

    timestamp: UtcTime
    avg_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    sample_count: int


class ModelHistory(Frozen):
    model: str
    snapshots: tuple[ModelLatency, ...]
    count: int
    """How many buckets there are."""
    window_minutes: int
    bucket_seconds: int
    timestamp: UtcTime


class ModelsView:
    """Reads rows only: the zoo need not answer, and may be busy loading."""

    def __init__(
        self, models: Models, services: ServiceRows, latencies: LatencySamples, settings: Settings, clock: Clock
    ) -> None:
        self._models = models
        self._services = services
        self._latencies = latencies
        self._settings = settings
        self._clock = clock

    async def list(self) -> ModelList:
        models = await self._now()
        used = sum(model.vram_mb for model in models if model.status in _IN_MEMORY)
        budget = self._settings.vram_budget_mb
        return ModelList(
            vram_budget_mb=budget, vram_used_mb=used, vram_available_mb=max(0, budget - used), models=tuple(models)
        )

    async def get(self, name: str) -> ZooModel:
        """Raises UnknownModel."""
        registered(name)
        return next(model for model in await self._now() if model.name == name)

    async def status(self) -> ZooStatus:
        models = await self._now()
        return ZooStatus(
            models=tuple(
                CompactModel(name=model.name, category=model.category, status=model.status, vram_mb=model.vram_mb)
                for model in models
            ),
            categories={category: _count(models, category) for category in ModelCategory},
            timestamp=self._clock.now(),
        )

    async def history(self, query: ModelHistoryQuery) -> ModelHistory:
        """Raises UnknownModel."""
        registered(query.model)
        now = self._clock.now()
        series = f"model:{query.model}"
        since = now - timedelta(minutes=query.since)
        buckets = (await self._latencies.history([series], since, now, query.bucket_seconds))[series]
        return ModelHistory(
            model=query.model,
            snapshots=tuple(map(_latency, buckets)),
            count=len(buckets),
            window_minutes=query.since,
            bucket_seconds=query.bucket_seconds,
            timestamp=now,
        )

    async def _now(self) -> Sequence[ZooModel]:
        """All of the registry; what a zoo that does not run has written last counts as history, not as state."""
        rows, services = await asyncio.gather(self._models.list(), self._services.list())
        away = why_not_running(next((one for one in services if one.name == SERVICE), None), self._clock.now())
        written = {row.name: row for row in rows}
        return [self._shown(model, written, away) for model in MODELS.values()]

    def _shown(self, model: RegisteredModel, written: Mapping[str, ZooModel], away: str | None) -> ZooModel:
        row = written.get(model.name)
        if row is not None and away is None:
            return row
        row = row or self._unwritten(model)
        reason = "the model zoo has not looked at it yet" if away is None else f"the model zoo is {away}"
        if not row.enabled:
            return row.model_copy(update={"reason": row.reason or reason})
        update = {"status": ModelStatus.UNLOADED, "device": None, "available": False, "reason": reason}
        return row.model_copy(update=update)

    def _unwritten(self, model: RegisteredModel) -> ZooModel:
        on = model.name in enabled_models(self._settings.model_zoo_enabled, self._settings.model_zoo_disabled)
        return ZooModel(
            name=model.name,
            display_name=model.display_name,
            category=model.category,
            status=ModelStatus.UNLOADED if on else ModelStatus.DISABLED,
            enabled=on,
            available=False,
            reason=None,
            vram_mb=model.vram_mb,
            vram_measured=False,
            device=None,
            path=str(self._settings.zoo_dir / self._settings.zoo_files.get(model.name, model.files[0])),
            last_used=None,
            load_count=0,
            load_time_ms=None,
            inference_count=0,
        )


def _count(models: Sequence[ZooModel], category: ModelCategory) -> CategoryCount:
    own = [model for model in models if model.category is category]
    return CategoryCount(loaded=sum(model.status is ModelStatus.LOADED for model in own), total=len(own))


def _latency(bucket: LatencyBucket) -> ModelLatency:
    figures = bucket.figures
    return ModelLatency(
        timestamp=bucket.timestamp,
        avg_ms=figures.avg_ms if figures else None,
        p50_ms=figures.p50_ms if figures else None,
        p95_ms=figures.p95_ms if figures else None,
        p99_ms=figures.p99_ms if figures else None,
        sample_count=figures.sample_count if figures else 0,
    )
