"""Everything an operator can set, read once from the environment; a secret may come from the file NAME_FILE."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from schemas.alert_rule import TimeZoneName
from schemas.runtime_config import DEFAULT_CLASSES, RuntimeConfig

VERSION = "0.1.0"
DEMO_WEIGHTS = Path(__file__).parent / "demo" / "weights" / "drawings.onnx"

CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class SettingsError(Exception):
    """The environment holds something that cannot be used; the message names each variable and the fix."""


class Settings(BaseSettings):
    """One field an environment variable, upper case; see docs/settings.md for the table."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    api_replicas: int = Field(default=2, ge=1, le=64)
    """Two, so that one may die without a caller noticing."""

    data_dir: Path = Path("data")
    """Everything that the system keeps: stores, thumbnails, logs, exported models."""
    camera_root: Path | None = None
    """Holds one folder a camera; DATA_DIR/cameras when unset."""
    database_url: SecretStr | None = None
    """PostgreSQL 14 or newer; unset, the system runs its own under DATA_DIR."""
    redis_url: SecretStr | None = None
    """Redis 6.2 or newer; unset, the system runs its own under DATA_DIR."""

    detector_weights: str = str(DEMO_WEIGHTS)
    """.onnx, .pt, .engine or an OpenVINO folder; `yolo26n.pt` fetches the public COCO weights."""
    detector_replicas: int = Field(default=1, ge=1, le=64)
    detector_device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda)$")
    """`cuda`: the card that Ray gives the replica."""
    detector_threads: int | None = Field(default=None, ge=1, le=256)
    """Frames run at once on a CPU; one a core when unset."""
    detection_workers: int = Field(default=1, ge=1, le=64)
    detection_confidence_threshold: float = Field(default=0.5, ge=0, le=1)
    detection_classes: CommaSeparated = DEFAULT_CLASSES
    urgent_classes: CommaSeparated = ()

    batch_window_seconds: int = Field(default=90, ge=1)
    batch_idle_timeout_seconds: int = Field(default=30, ge=1)
    retention_days: int = Field(default=30, ge=1, le=365)
    gpu_poll_interval_seconds: float = Field(default=5.0, ge=1, le=3600)
    timezone: TimeZoneName = "UTC"
    """The house's zone, for schedules, quiet hours and the time of day that a score depends on."""

    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from_address: str = "home-security@localhost"
    smtp_to: CommaSeparated = ()
    """Who gets the e-mail."""
    smtp_tls: Literal["auto", "starttls", "tls", "none"] = "auto"
    default_webhook_url: SecretStr | None = None
    webhook_allowed_hosts: CommaSeparated = ()
    """Hosts, addresses or networks to which http and private addresses are allowed."""
    webhook_secret: SecretStr | None = None
    push_urls: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Apprise URLs, separated by spaces (a comma may be part of one)."""

    media_polling: bool = False
    """Look for new files by polling, for network shares on which inotify sees nothing."""
    ray_dashboard: bool = True
    ray_dashboard_port: int = Field(default=8265, ge=1, le=65535)

    @field_validator("push_urls", mode="before")
    @classmethod
    def _split_spaces(cls, value: Any) -> Any:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("detection_classes", "urgent_classes", "smtp_to", "webhook_allowed_hosts", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("camera_root", "database_url", "redis_url", "smtp_host", "default_webhook_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("data_dir", "camera_root")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value if value is None else Path(os.path.abspath(value.expanduser()))

    @property
    def cameras(self) -> Path:
        """The folder below which every camera has its own."""
        return self.camera_root or self.data_dir / "cameras"

    def runtime_config(self) -> RuntimeConfig:
        """What holds until an operator changes it while the system runs."""
        return RuntimeConfig(
            retention_days=self.retention_days,
            batch_window_seconds=self.batch_window_seconds,
            batch_idle_timeout_seconds=self.batch_idle_timeout_seconds,
            detection_confidence_threshold=self.detection_confidence_threshold,
            detection_classes=self.detection_classes,
            urgent_classes=self.urgent_classes,
        )


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment; a bad value raises SettingsError that names the variable and the fix."""
    values = dict(os.environ if environment is None else environment)
    if values.get("API_KEY_ENABLED", "").lower() in ("1", "true", "yes", "on"):
        raise SettingsError(
            "API_KEY_ENABLED: this version has no API keys yet; unset it, and keep API_HOST on loopback"
        )
    fields = {name.upper(): name for name in Settings.model_fields}
    chosen: dict[str, Any] = {}
    for variable, name in fields.items():
        if variable in values:
            chosen[name] = values[variable]
        elif variable + "_FILE" in values:
            chosen[name] = _read_secret(variable + "_FILE", values[variable + "_FILE"])
    try:
        return _FromValues(**chosen)
    except ValidationError as error:
        lines = [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
        raise SettingsError("; ".join(lines)) from None


class _FromValues(Settings):
    """Settings that look at nothing but what they are given: `load_settings` has read the environment already."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def not_yet(environment: Mapping[str, str] | None = None) -> list[str]:
    """What the environment asks for and this version does not do, each in a sentence."""
    values = os.environ if environment is None else environment
    asked = [name for name in ("NEMOTRON_MODEL", "NEMOTRON_URL") if values.get(name)]
    return [
        f"{name} is set, but this version has no language model: every event says who assessed it" for name in asked
    ]


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SettingsError(f"{variable}: cannot read {path}: {error.strerror}; mend the path or its rights") from None
