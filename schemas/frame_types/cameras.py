"""Frames of the channel `cameras`."""

from typing import Any, ClassVar

from schemas.camera import CameraStatus
from schemas.frame import LiveChannel
from schemas.frame_types.payload import Payload
from schemas.frozen import UtcTime


class CameraStatusChanged(Payload):
    """A camera came online, went offline or is in error."""

    frame_type = "camera.status_changed"
    channel = LiveChannel.CAMERAS
    example: ClassVar[dict[str, Any]] = {
        "camera_id": "front_door",
        "camera_name": "Front Door",
        "status": "offline",
        "previous_status": "online",
        "reason": "its folder does not exist",
        "timestamp": "2025-12-23T10:30:00Z",
    }

    camera_id: str
    camera_name: str
    status: CameraStatus
    previous_status: CameraStatus
    reason: str | None
    timestamp: UtcTime


class CameraEnabled(Payload):
    """A camera was switched on: its pictures are looked at again."""

    frame_type = "camera.enabled"
    channel = LiveChannel.CAMERAS
    example: ClassVar[dict[str, Any]] = {"camera_id": "front_door", "enabled_at": "2025-12-23T10:30:00Z"}

    camera_id: str
    enabled_at: UtcTime


class CameraDisabled(Payload):
    """A camera was switched off or deleted: its pictures are left alone."""

    frame_type = "camera.disabled"
    channel = LiveChannel.CAMERAS
    example: ClassVar[dict[str, Any]] = {
        "camera_id": "front_door",
        "disabled_at": "2025-12-23T10:30:00Z",
        "reason": "set by a person",
    }

    camera_id: str
    disabled_at: UtcTime
    reason: str
