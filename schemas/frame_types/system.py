"""Frames of the channel `system`; a figure that nobody has measured is null."""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from schemas.frame import LiveChannel
from schemas.frame_types.payload import Payload
from schemas.frozen import Frozen
from schemas.service import ServiceStatus


class SystemHealth(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class GpuFigures(Frozen):
    """GPU 0's; all null on a machine without one."""

    utilization: float | None
    """Percent."""
    memory_used: int | None
    """MB."""
    memory_total: int | None
    """MB."""
    temperature: float | None
    """Degrees Celsius."""
    inference_fps: float | None
    """Frames that the detector finished in the last 60 s, divided by 60."""


class CameraFigures(Frozen):
    active: int | None
    """Cameras that are online; null when nobody can tell."""
    total: int | None


class QueueFigures(Frozen):
    pending: int | None
    """Files that wait for the detector; null when nobody can tell."""
    processing: int | None
    """Files that a detection worker holds."""


class SystemStatus(Payload):
    """How the system is: every 5 s, and at once when a client connects to /ws/system."""

    frame_type = "system.status"
    channel = LiveChannel.SYSTEM
    example: ClassVar[dict[str, Any]] = {
        "gpu": {
            "utilization": 45.0,
            "memory_used": 8192,
            "memory_total": 24576,
            "temperature": 65.0,
            "inference_fps": 30.5,
        },
        "cameras": {"active": 4, "total": 6},
        "queue": {"pending": 2, "processing": 1},
        "health": "healthy",
    }

    gpu: GpuFigures
    cameras: CameraFigures
    queue: QueueFigures
    health: SystemHealth


class SystemHealthChanged(Payload):
    """The system became healthy, degraded or unhealthy."""

    frame_type = "system.health_changed"
    channel = LiveChannel.SYSTEM
    example: ClassVar[dict[str, Any]] = {
        "health": "degraded",
        "previous_health": "healthy",
        "components": {"database": "healthy", "redis": "healthy", "yolo26": "unhealthy", "nemotron": "not_configured"},
    }

    health: SystemHealth
    previous_health: SystemHealth | None
    """Null at the first look after a start."""
    components: dict[str, str]
    """The state of each part, by its name."""


class GpuStatsUpdated(Payload):
    """A fresh sample of GPU 0."""

    frame_type = "gpu.stats_updated"
    channel = LiveChannel.SYSTEM
    example: ClassVar[dict[str, Any]] = {
        "utilization": 45.0,
        "memory_used": 8192,
        "memory_total": 24576,
        "temperature": 65.0,
        "inference_fps": 30.5,
    }

    utilization: float | None = Field(description="Percent.")
    memory_used: int | None = Field(description="MB.")
    memory_total: int | None = Field(description="MB.")
    temperature: float | None = Field(description="Degrees Celsius.")
    inference_fps: float | None = Field(description="Frames the detector finished in the last 60 s, divided by 60.")


class ServiceStatusChanged(Payload):
    """A service started, stopped, failed or was switched off."""

    frame_type = "service.status_changed"
    channel = LiveChannel.SYSTEM
    example: ClassVar[dict[str, Any]] = {
        "service": "detection_worker",
        "status": "running",
        "previous_status": "stopped",
        "message": "restarted (number 1)",
    }

    service: str
    status: ServiceStatus
    previous_status: ServiceStatus | None
    """Null for a service that was not known before."""
    message: str | None


class LegacyServiceStatus(Payload):
    """A service's status, as it was told before `service.status_changed`; sent beside it."""

    frame_type = "service_status"
    channel = LiveChannel.SYSTEM
    replacement = "service.status_changed"
    example: ClassVar[dict[str, Any]] = {
        "service": "detection_worker",
        "status": "running",
        "message": "restarted (number 1)",
    }

    service: str
    status: ServiceStatus
    message: str | None
