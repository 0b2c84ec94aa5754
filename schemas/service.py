"""A service: a part of the system that runs, can fail, and is shown with its state."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class ServiceCategory(StrEnum):
    INFRASTRUCTURE = "infrastructure"
    AI = "ai"
    MONITORING = "monitoring"


class ServiceStatus(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    """It runs, and cannot do its work; the message says why."""
    STOPPED = "stopped"
    DISABLED = "disabled"
    NOT_CONFIGURED = "not_configured"


class Health(Frozen):
    """What an actor answers to `health()`."""

    healthy: bool
    message: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict)


class Service(Frozen):
    name: str
    category: ServiceCategory
    status: ServiceStatus
    enabled: bool = True
    failure_count: int = 0
    last_restart: UtcTime | None = None
    message: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    checked_at: UtcTime
    """When the supervisor last looked; an old one means that the supervisor itself is away."""
