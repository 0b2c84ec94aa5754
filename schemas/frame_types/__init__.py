"""The registry of live frames: 24 types, each a payload class; `frame(EventCreated(...))` makes the frame."""

from schemas.frame import LiveChannel
from schemas.frame_types.alerts import AlertAcknowledged, AlertCreated, AlertDismissed, AlertResolved, AlertUpdated
from schemas.frame_types.cameras import CameraDisabled, CameraEnabled, CameraStatusChanged
from schemas.frame_types.detections import DetectionBatch, DetectionNew
from schemas.frame_types.events import EventCreated, EventDeleted, EventUpdated, LegacyEvent, SceneChangeDetected
from schemas.frame_types.jobs import JobCompleted, JobFailed, JobProgress, JobStarted
from schemas.frame_types.payload import Payload, frame
from schemas.frame_types.system import (
    CameraFigures,
    GpuFigures,
    GpuStatsUpdated,
    LegacyServiceStatus,
    QueueFigures,
    ServiceStatusChanged,
    SystemHealth,
    SystemHealthChanged,
    SystemStatus,
)

PAYLOADS: tuple[type[Payload], ...] = (
    DetectionNew,
    DetectionBatch,
    EventCreated,
    EventUpdated,
    EventDeleted,
    SceneChangeDetected,
    LegacyEvent,
    AlertCreated,
    AlertUpdated,
    AlertAcknowledged,
    AlertResolved,
    AlertDismissed,
    CameraStatusChanged,
    CameraEnabled,
    CameraDisabled,
    JobStarted,
    JobProgress,
    JobCompleted,
    JobFailed,
    SystemHealthChanged,
    SystemStatus,
    GpuStatsUpdated,
    ServiceStatusChanged,
    LegacyServiceStatus,
)
"""Every type, in the order in which the registry shows them."""

CHANNEL_OF: dict[str, LiveChannel] = {payload.frame_type: payload.channel for payload in PAYLOADS}
"""By type; a type that is not here does not exist."""

__all__ = [
    "CHANNEL_OF",
    "PAYLOADS",
    "AlertAcknowledged",
    "AlertCreated",
    "AlertDismissed",
    "AlertResolved",
    "AlertUpdated",
    "CameraDisabled",
    "CameraEnabled",
    "CameraFigures",
    "CameraStatusChanged",
    "DetectionBatch",
    "DetectionNew",
    "EventCreated",
    "EventDeleted",
    "EventUpdated",
    "GpuFigures",
    "GpuStatsUpdated",
    "JobCompleted",
    "JobFailed",
    "JobProgress",
    "JobStarted",
    "LegacyEvent",
    "LegacyServiceStatus",
    "Payload",
    "QueueFigures",
    "SceneChangeDetected",
    "ServiceStatusChanged",
    "SystemHealth",
    "SystemHealthChanged",
    "SystemStatus",
    "frame",
]
