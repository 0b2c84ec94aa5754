"""Everything an operator can set, read once from the environment; a secret may come from the file NAME_FILE."""

import os
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from domain.api_keys import named_keys
from domain.retention import clock_time
from domain.setting_values import (
    by_commas,
    by_spaces,
    keys_apart,
    lower_by_commas,
    model_server,
    require_host_name,
    require_network,
    require_origin,
    require_zoo_file,
    require_zoo_model,
    unset_if_empty,
)
from schemas.alert_rule import TimeZoneName
from schemas.api_key import ApiKey
from schemas.runtime_config import DEFAULT_CLASSES, MOST_BATCH_SECONDS, RuntimeConfig

VERSION = "0.1.0"
DEMO_WEIGHTS = Path(__file__).parent / "demo" / "weights" / "drawings.onnx"

CommaSeparated = Annotated[tuple[str, ...], NoDecode]

_REQUIRED: dict[str, Callable[[str], None]] = {
    "model_zoo_enabled": require_zoo_model,
    "model_zoo_disabled": require_zoo_model,
    "model_zoo_files": require_zoo_file,
    "trusted_proxy_ips": require_network,
    "cors_allowed_origins": require_origin,
    "allowed_hosts": require_host_name,
}
"""Of each part of a list."""


class SettingsError(Exception):
    """The environment holds something that cannot be used; the message names each variable and the fix."""


class Settings(BaseSettings):
    """One field an environment variable, upper case; see docs/settings.md for the table."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    api_replicas: int = Field(default=2, ge=1, le=64)
    """Two, so that one may die without a caller noticing."""

    api_key_enabled: bool | None = None
    """Whether a key is asked for; unset: where API_KEYS is set, or API_HOST is not on loopback."""
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """`name:key` or a bare key. Where it is set, these keys are the only ones."""
    allowed_hosts: CommaSeparated = ()
    """Names by which the API is asked, beside addresses, localhost and API_HOST; `*.example.org` for all below it."""
    cors_allowed_origins: CommaSeparated = ()
    """Pages from elsewhere that may use the API, as `https://example.org`."""
    trusted_proxy_ips: CommaSeparated = ()
    """Addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    rate_limit_enabled: bool = True
    rate_limit_read_per_minute: int = Field(default=60_000, ge=1, le=100_000_000)
    rate_limit_change_per_minute: int = Field(default=6_000, ge=1, le=100_000_000)
    rate_limit_logs_per_minute: int = Field(default=600, ge=1, le=100_000_000)
    """Front-end log requests."""
    rate_limit_sign_in_per_minute: int = Field(default=10, ge=1, le=100_000_000)

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

    batch_window_seconds: int = Field(default=90, ge=1, le=MOST_BATCH_SECONDS)
    batch_idle_timeout_seconds: int = Field(default=30, ge=1, le=MOST_BATCH_SECONDS)
    retention_days: int = Field(default=30, ge=1, le=365)
    log_retention_days: int = Field(default=7, ge=1, le=365)
    cleanup_time: str = "03:00"
    """When the daily clean-up runs, as HH:MM by the house's clock."""
    cleanup_delete_images: bool = False
    """Delete uploads too, once nothing that was seen in them is kept any more."""
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
    smtp_test_recipients: CommaSeparated = ()
    """Whom beside them a test e-mail may be sent to."""
    smtp_tls: Literal["auto", "starttls", "tls", "none"] = "auto"
    default_webhook_url: SecretStr | None = None
    webhook_allowed_hosts: CommaSeparated = ()
    """Hosts, addresses or networks to which http and private addresses are allowed."""
    webhook_secret: SecretStr | None = None
    push_urls: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Apprise URLs, separated by spaces (a comma may be part of one)."""

    model_zoo_dir: Path | None = None
    """Where the weights of the zoo's models are; DATA_DIR/models/zoo when unset."""
    model_zoo_device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda)$")
    """`cuda`: the card that Ray gives the zoo."""
    model_zoo_enabled: CommaSeparated = ()
    """Models switched on that are off by default."""
    model_zoo_disabled: CommaSeparated = ()
    """Models switched off; stronger than the one above."""
    model_zoo_files: CommaSeparated = ()
    """`name=file`, where a model's weights are not named as expected; the file relative to MODEL_ZOO_DIR."""
    vram_budget_mb: int = Field(default=1650, ge=1, le=10_000_000)
    """What all loaded models of the zoo may take together: of the card, or of the machine's memory without one."""

    nemotron_model: str | None = None
    """A Nemotron model that vLLM runs in the cluster: its name on the hub, or a local folder."""
    nemotron_url: str | None = None
    """Instead of it, a server that speaks OpenAI's protocol, as `http://gpu-box:8000/v1`."""
    nemotron_api_key: SecretStr | None = None
    """What that server asks for."""
    nemotron_url_model: str | None = None
    """Which of that server's models; unset, its only one or its first."""
    nemotron_engine: Literal["vllm", "ray_llm"] = "vllm"
    """`ray_llm`: through ray.serve.llm, for an engine over several nodes."""
    nemotron_replicas: int = Field(default=1, ge=1, le=64)
    nemotron_device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda)$")
    """`cuda`: the card that Ray gives the replica; `cpu`: a build of vLLM for processors, to try things out."""
    nemotron_tensor_parallel: int = Field(default=1, ge=1, le=64)
    """Cards of one node that share the model."""
    nemotron_pipeline_parallel: int = Field(default=1, ge=1, le=64)
    """Groups of such cards, on several nodes, that hold the model's layers in turn; with `ray_llm` only."""
    nemotron_gpu_memory_fraction: float | None = Field(default=None, gt=0, le=1)
    """Of the card, for vLLM; unset, what the detector and the model zoo leave (`hsi doctor` says how much)."""
    nemotron_max_model_len: int = Field(default=8192, ge=4096, le=1_048_576)
    """Tokens of prompt and answer together."""
    nemotron_max_in_flight: int = Field(default=8, ge=1, le=256)
    """Questions to one replica at once; further ones wait as rows."""
    nemotron_timeout_seconds: float = Field(default=45.0, ge=1, le=600)
    """For one assessment, its second try included."""
    nemotron_patience_seconds: float = Field(default=30.0, ge=0, le=3600)
    """So long a closed batch waits for a busy model; then its event is stored provisionally, and assessed later."""
    nemotron_thinking: bool = False
    """Whether the model may think aloud before it answers: slower, and with a token budget of its own."""
    nemotron_thinking_tokens: int = Field(default=1024, ge=1, le=32_768)
    nemotron_prefix_caching: Literal["auto", "on", "off"] = "auto"
    """`auto`: on, except for models whose layers keep a running state, where it brings nothing."""
    nemotron_vision: bool = False
    """Whether up to four key pictures go along with a question; the model must be one that sees."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    """What the system's own packages say at least; of others only warnings are kept."""
    media_polling: bool = False
    """Look for new files by polling, for network shares on which inotify sees nothing."""
    ray_dashboard: bool = True
    ray_dashboard_port: int = Field(default=8265, ge=1, le=65535)

    _apart = field_validator(
        "detection_classes",
        "urgent_classes",
        "smtp_to",
        "smtp_test_recipients",
        "webhook_allowed_hosts",
        "model_zoo_enabled",
        "model_zoo_disabled",
        "model_zoo_files",
        mode="before",
    )(by_commas)
    _lower_apart = field_validator("allowed_hosts", "cors_allowed_origins", "trusted_proxy_ips", mode="before")(
        lower_by_commas
    )
    _spaces_apart = field_validator("push_urls", mode="before")(by_spaces)
    _keys_apart = field_validator("api_keys", mode="before")(keys_apart)
    _empty_is_unset = field_validator(
        "api_key_enabled",
        "camera_root",
        "model_zoo_dir",
        "database_url",
        "redis_url",
        "smtp_host",
        "default_webhook_url",
        "nemotron_model",
        "nemotron_url",
        "nemotron_api_key",
        "nemotron_url_model",
        mode="before",
    )(unset_if_empty)

    @field_validator("nemotron_url")
    @classmethod
    def _server_of_ours(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("nemotron_model") is not None:
            raise ValueError("NEMOTRON_MODEL is set too: keep NEMOTRON_URL for a server, or NEMOTRON_MODEL for our own")
        return value if value is None else model_server(value)

    @field_validator("nemotron_api_key", "nemotron_url_model")
    @classmethod
    def _beside_a_server(cls, value: SecretStr | str | None, info: ValidationInfo) -> SecretStr | str | None:
        if value is not None and info.data.get("nemotron_url", ...) is None:
            raise ValueError("it is for a model's server alone: set NEMOTRON_URL, or unset it")
        return value

    @field_validator("nemotron_thinking_tokens")
    @classmethod
    def _room_beside_thoughts(cls, value: int, info: ValidationInfo) -> int:
        length = info.data.get("nemotron_max_model_len", value * 2)
        if info.data.get("nemotron_thinking") and value > length // 2:
            raise ValueError(f"half of NEMOTRON_MAX_MODEL_LEN ({length}) at most, for prompt and answer need the rest")
        return value

    @field_validator(*_REQUIRED)
    @classmethod
    def _each_usable(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        for written in value:
            _REQUIRED[str(info.field_name)](written)
        return value

    @field_validator("api_keys")
    @classmethod
    def _usable_keys(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        named_keys(key.get_secret_value() for key in value)
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: Any) -> Any:
        return value.strip().upper() if isinstance(value, str) else value

    @field_validator("cleanup_time")
    @classmethod
    def _time_of_day(cls, value: str) -> str:
        clock_time(value)
        return value

    @field_validator("data_dir", "camera_root", "model_zoo_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value if value is None else Path(os.path.abspath(value.expanduser()))

    @property
    def cameras(self) -> Path:
        """The folder below which every camera has its own."""
        return self.camera_root or self.data_dir / "cameras"

    @property
    def zoo_dir(self) -> Path:
        """The folder that holds the weights of the zoo's models."""
        return self.model_zoo_dir or self.data_dir / "models" / "zoo"

    @property
    def zoo_files(self) -> dict[str, str]:
        """By model: the file that MODEL_ZOO_FILES chooses for it."""
        return {name: file for name, _, file in (written.partition("=") for written in self.model_zoo_files)}

    @property
    def on_loopback(self) -> bool:
        """Whether only programs of this machine reach the API."""
        try:
            return ip_address(self.api_host).is_loopback
        except ValueError:
            return self.api_host == "localhost"

    @property
    def asks_for_keys(self) -> bool:
        """Beyond loopback always, whatever API_KEY_ENABLED says."""
        if not self.on_loopback:
            return True
        return bool(self.api_keys) if self.api_key_enabled is None else self.api_key_enabled

    @property
    def api_url(self) -> str:
        """Where a program of this machine finds the API."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.api_host, self.api_host)
        return f"http://[{host}]:{self.api_port}" if ":" in host else f"http://{host}:{self.api_port}"

    @property
    def has_language_model(self) -> bool:
        return self.nemotron_model is not None or self.nemotron_url is not None

    def given_keys(self) -> tuple[ApiKey, ...]:
        """API_KEYS by their hashes."""
        return named_keys(key.get_secret_value() for key in self.api_keys)

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
        faults = [(str(e["loc"][0]).upper(), e["msg"]) for e in error.errors(include_input=False)]
        raise SettingsError(
            "; ".join(f"{name}: {said.removeprefix('Value error, ')}" for name, said in faults)
        ) from None


class _FromValues(Settings):
    """Settings that look at nothing but what they are given: `load_settings` has read the environment already."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SettingsError(f"{variable}: cannot read {path}: {error.strerror}; mend the path or its rights") from None
