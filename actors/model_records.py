"""What the zoo knows of one of its models, and how that is shown."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from domain.model_ledger import ModelLedger
from domain.model_registry import RegisteredModel
from schemas.model import ModelStatus, ZooModel
from vision.zoo.loaded import LoadedModel
from vision.zoo.shelf import Look
from vision.zoo.weights import FileStamp

TRY_AGAIN_SECONDS = 60.0
"""How often broken weights are tried again though the file is the same: a driver or the disk may have come back."""


@dataclass
class ModelRecord:
    """One model. What is `loaded`, `loading` and `broken` says its status: nothing is noted twice."""

    registered: RegisteredModel
    enabled: bool
    path: Path
    unfit: str | None = "its weights have not been looked at yet"
    """Why the shelf says that it cannot be loaded."""
    stamp: FileStamp | None = None
    broken: str | None = None
    """Why the last try to load this very file failed."""
    try_again_at: float = 0.0
    loaded: LoadedModel | None = None
    loading: bool = False
    last_used: datetime | None = None
    load_count: int = 0
    load_time_ms: int | None = None
    inference_count: int = 0

    @property
    def name(self) -> str:
        return self.registered.name

    def see(self, look: Look) -> bool:
        """Takes in a look at its weights; whether they are others than before."""
        changed = look.stamp != self.stamp
        if changed:
            self.broken = None
        self.path, self.stamp, self.unfit = look.path, look.stamp, look.reason
        return changed

    def adopt(self, row: ZooModel) -> None:
        """Counts on from where the zoo of an earlier process stopped."""
        self.load_count += row.load_count
        self.inference_count += row.inference_count
        self.load_time_ms = row.load_time_ms if self.load_time_ms is None else self.load_time_ms
        self.last_used = row.last_used if self.last_used is None else self.last_used

    def why_not(self, ledger: ModelLedger) -> str | None:
        """Why it cannot be used now; None where nothing is known against it."""
        if self.loaded is not None:
            return None
        if not self.enabled:
            return "it is switched off: name it in MODEL_ZOO_ENABLED, and not in MODEL_ZOO_DISABLED"
        if self.unfit is not None or self.broken is not None:
            return self.unfit or self.broken
        never = ledger.never_fits(self.name)
        return never.reason if never else None

    def worth_another_try(self, now: float) -> bool:
        """Whether all that speaks against it is a failed try of long ago."""
        return self.enabled and self.unfit is None and self.broken is not None and now >= self.try_again_at

    def fail(self, reason: str, now: float) -> None:
        self.broken, self.try_again_at = reason, now + TRY_AGAIN_SECONDS

    def take_in(self, model: LoadedModel, milliseconds: int) -> None:
        self.loaded, self.broken = model, None
        self.load_time_ms = milliseconds
        self.load_count += 1

    def shown(self, ledger: ModelLedger) -> ZooModel:
        reason = self.why_not(ledger)
        return ZooModel(
            name=self.name,
            display_name=self.registered.display_name,
            category=self.registered.category,
            status=self._status(),
            enabled=self.enabled,
            available=reason is None,
            reason=reason,
            vram_mb=ledger.cost(self.name),
            vram_measured=ledger.is_measured(self.name),
            device=self.loaded.device if self.loaded is not None else None,
            path=str(self.path),
            last_used=self.last_used,
            load_count=self.load_count,
            load_time_ms=self.load_time_ms,
            inference_count=self.inference_count,
        )

    def _status(self) -> ModelStatus:
        if self.loaded is not None:
            return ModelStatus.LOADED
        if self.loading:
            return ModelStatus.LOADING
        if not self.enabled:
            return ModelStatus.DISABLED
        return ModelStatus.UNLOADED if self.broken is None else ModelStatus.ERROR
