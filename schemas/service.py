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
    """Switched off by a person; nobody starts it again."""
    NOT_CONFIGURED = "not_configured"
    """A choice that was not made."""
    UNKNOWN = "unknown"
    """Only shown, never stored: the supervisor has not reported lately."""


class ServiceAction(StrEnum):
    """What a person may ask for."""

    RESTART = "restart"
    START = "start"
    ENABLE = "enable"
    DISABLE = "disable"


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
    """False: a person has switched it off."""
    failure_count: int = 0
    """Failed probes in a row, and restarts since it was last trusted."""
    last_restart: UtcTime | None = None
    """The last time that it was started again, by the supervisor or by hand."""
    restarts: int = 0
    """By the supervisor since the service was last trusted: what the back-off doubles with."""
    next_restart_at: UtcTime | None = None
    """When the supervisor starts it again if it keeps failing; null while it does not fail."""
    message: str | None = None
    detail: dict[str, Any] = Field(default_factory=dict)
    checked_at: UtcTime
    """When the supervisor last looked; an old one means that the supervisor itself is away."""


class ServiceActionDone(Frozen):
    """What became of a person's wish, and the service as it is now."""

    action: ServiceAction
    service: str
    success: bool
    message: str
    service_info: Service
