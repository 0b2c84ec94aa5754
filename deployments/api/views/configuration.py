"""The configuration as it is shown and changed: what the system does, its severity bands, what counts as unusual."""

from pydantic import Field, ValidationError

from deployments.api.errors import BadRequest
from deployments.api.parameters import Checked
from deployments.api.partial import PartialChange, may_be_named
from domain.severity import SeverityDefinition, definitions
from schemas.audit import Caller
from schemas.frozen import Frozen, Whole
from schemas.runtime_config import (
    ANOMALY_FIELDS,
    MOST_BATCH_SECONDS,
    MOST_DEVIATIONS,
    MOST_SAMPLES,
    SYSTEM_FIELDS,
    RuntimeConfig,
)
from schemas.severity import SeverityBands
from settings import VERSION
from storage.config import ANOMALY, SEVERITY, SYSTEM, RuntimeConfigs

APP_NAME = "Home Security Intelligence"


class SystemConfig(Frozen):
    """What an operator may see of the configuration; it holds no secret."""

    app_name: str
    version: str
    retention_days: int = Field(ge=1, le=365)
    batch_window_seconds: int = Field(ge=1, le=MOST_BATCH_SECONDS)
    batch_idle_timeout_seconds: int = Field(ge=1, le=MOST_BATCH_SECONDS)
    detection_confidence_threshold: float = Field(ge=0, le=1)


class SystemConfigChange(PartialChange):
    """What is left out stays as it is. `app_name` and `version` cannot be changed."""

    retention_days: Whole = may_be_named(ge=1, le=365)
    """How long events, detections and figures are kept."""
    batch_window_seconds: Whole = may_be_named(ge=1, le=MOST_BATCH_SECONDS)
    """The longest time that a batch is open; a day at most."""
    batch_idle_timeout_seconds: Whole = may_be_named(ge=1, le=MOST_BATCH_SECONDS)
    """A batch closes after so long without anything new; a day at most."""
    detection_confidence_threshold: float = may_be_named(strict=True, ge=0, le=1, allow_inf_nan=False)
    """Detections that are less certain are left out."""


class SeverityView(Frozen):
    definitions: tuple[SeverityDefinition, ...]
    thresholds: SeverityBands


class NewSeverityBands(Checked):
    """The highest score of each level but the last; `low_max` < `medium_max` < `high_max` must hold."""

    low_max: Whole = Field(ge=1, le=98)
    medium_max: Whole = Field(ge=2, le=99)
    high_max: Whole = Field(ge=3, le=99)

    def bands(self) -> SeverityBands:
        """Raises BadRequest where they do not rise."""
        try:
            return SeverityBands(**self.model_dump())
        except ValidationError:
            wrong = "medium_max" if self.low_max >= self.medium_max else "high_max"
            raise BadRequest(wrong, "thresholds must rise strictly: low_max < medium_max < high_max") from None


class AnomalyConfig(Frozen):
    threshold_stdev: float = Field(ge=0, le=MOST_DEVIATIONS)
    """From how many standard deviations on an appearance counts as unusual."""
    min_samples: int = Field(ge=1, le=MOST_SAMPLES)
    """Appearances that a camera must have on record before anything is called unusual."""
    decay_factor: float
    """Per day: an appearance t days old counts e^(-factor * t). It cannot be changed while the system runs."""
    window_days: int
    """Hours of the week in which nothing appeared for so long count as empty. It cannot be changed either."""


class AnomalyConfigChange(PartialChange):
    """What is left out stays as it is. `decay_factor` and `window_days` are part of stored history."""

    threshold_stdev: float = may_be_named(strict=True, ge=0, le=MOST_DEVIATIONS, allow_inf_nan=False)
    min_samples: Whole = may_be_named(ge=1, le=MOST_SAMPLES)


class Configuration:
    """Reads the stored row at every call, so that all replicas answer alike at once."""

    def __init__(self, configs: RuntimeConfigs) -> None:
        self._configs = configs

    async def system(self) -> SystemConfig:
        return _system(await self._configs.current())

    async def change_system(self, change: SystemConfigChange, caller: Caller) -> SystemConfig:
        return _system(await self._configs.change(SYSTEM, change.named(), caller))

    async def severity(self) -> SeverityView:
        return _severity(await self._configs.current())

    async def change_severity(self, new: NewSeverityBands, caller: Caller) -> SeverityView:
        """Raises BadRequest."""
        return _severity(await self._configs.change(SEVERITY, {"severity": new.bands()}, caller))

    async def anomaly(self) -> AnomalyConfig:
        return _anomaly(await self._configs.current())

    async def change_anomaly(self, change: AnomalyConfigChange, caller: Caller) -> AnomalyConfig:
        fields = {shown: field for field, shown in ANOMALY_FIELDS.items()}
        named = {fields[shown]: value for shown, value in change.named().items()}
        return _anomaly(await self._configs.change(ANOMALY, named, caller))


def _system(config: RuntimeConfig) -> SystemConfig:
    return SystemConfig(app_name=APP_NAME, version=VERSION, **config.model_dump(include=set(SYSTEM_FIELDS)))


def _severity(config: RuntimeConfig) -> SeverityView:
    return SeverityView(definitions=definitions(config.severity), thresholds=config.severity)


def _anomaly(config: RuntimeConfig) -> AnomalyConfig:
    return AnomalyConfig(
        threshold_stdev=config.anomaly_threshold_stdev,
        min_samples=config.anomaly_min_samples,
        decay_factor=config.anomaly_decay_factor,
        window_days=config.anomaly_window_days,
    )
