"""Performance at one moment: GPU, models, stores, host, services, and what of it is alarming."""

from enum import StrEnum

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class AlertSeverity(StrEnum):
    WARNING = "warning"
    CRITICAL = "critical"


class Metric(StrEnum):
    """What performance alerts watch."""

    GPU_TEMPERATURE = "gpu_temperature"
    GPU_MEMORY = "gpu_memory"
    CPU = "cpu"
    RAM = "ram"
    DISK = "disk"
    DATABASE_POOL = "database_pool"


class PerformanceAlert(Frozen):
    severity: AlertSeverity
    metric: Metric
    resource: str | None
    """Which GPU, as `node/index`; null where there is only one of its kind."""
    value: float
    threshold: float
    """The one that was reached."""
    message: str
    since: UtcTime
    """When it was first seen at this severity."""


class GpuLoad(Frozen):
    """GPU 0's; all null without one."""

    name: str | None
    utilization: float | None = Field(description="Percent.")
    memory_used_mb: int | None
    memory_total_mb: int | None
    temperature_c: float | None
    power_watts: float | None


class ModelLoad(Frozen):
    status: str = Field(examples=["loaded", "unloaded", "not_configured", "unknown"])
    vram_mb: int | None
    """Null where nobody can tell."""
    message: str | None = None
    """Why it is not loaded."""


class InferenceLoad(Frozen):
    """Of the detector, from the rows of what it looked at."""

    avg_latency_ms: float | None
    """From the claim of a file to the detector's answer, over the last 5 minutes; null when there was none."""
    p95_latency_ms: float | None
    throughput_fps: float | None
    """Frames finished in the last 60 s, divided by 60; null while the database is away."""


class PostgresLoad(Frozen):
    status: str = Field(examples=["healthy", "unhealthy"])
    connections: int | None
    max_connections: int | None = None
    pool_use_percent: float | None = None
    """Connections that are open, of those that may be."""


class RedisLoad(Frozen):
    status: str = Field(examples=["healthy", "unhealthy"])
    memory_mb: float | None


class DatabaseLoads(Frozen):
    postgres: PostgresLoad
    redis: RedisLoad


class HostLoad(Frozen):
    cpu_percent: float | None
    """Over the time since the sample before; null in the first one."""
    ram_percent: float | None
    disk_percent: float | None
    """Of the disk that holds DATA_DIR."""


class ContainerStatus(Frozen):
    """A service of this system: it runs as an actor, a deployment or a store, not as a container of its own."""

    name: str
    status: str = Field(examples=["running", "unhealthy", "stopped"])


class PerformanceSnapshot(Frozen):
    gpu: GpuLoad
    ai_models: dict[str, ModelLoad]
    inference: InferenceLoad
    databases: DatabaseLoads
    host: HostLoad
    containers: tuple[ContainerStatus, ...]
    alerts: tuple[PerformanceAlert, ...]
    timestamp: UtcTime
