"""Frames of the channel `detections`."""

from typing import Any, ClassVar

from schemas.batch import CloseReason
from schemas.detection import BoundingBox
from schemas.frame import LiveChannel
from schemas.frame_types.payload import Payload
from schemas.frozen import UtcTime


class DetectionNew(Payload):
    """The detector found an object."""

    frame_type = "detection.new"
    channel = LiveChannel.DETECTIONS
    example: ClassVar[dict[str, Any]] = {
        "detection_id": 4711,
        "camera_id": "front_door",
        "batch_id": "2f1e8f64-6c0e-4d53-9a4e-0b7f2f4f5a10",
        "label": "person",
        "confidence": 0.91,
        "bbox": {"x": 412.5, "y": 180.0, "width": 96.0, "height": 310.5},
        "timestamp": "2025-12-23T02:13:05Z",
    }

    detection_id: int
    camera_id: str
    batch_id: str
    label: str
    """The object's class."""
    confidence: float
    bbox: BoundingBox
    """In the picture's pixels."""
    timestamp: UtcTime
    """When the camera took the picture or frame."""


class DetectionBatch(Payload):
    """A camera's batch of detections is closed; it becomes one event."""

    frame_type = "detection.batch"
    channel = LiveChannel.DETECTIONS
    example: ClassVar[dict[str, Any]] = {
        "batch_id": "2f1e8f64-6c0e-4d53-9a4e-0b7f2f4f5a10",
        "camera_id": "front_door",
        "detection_count": 3,
        "started_at": "2025-12-23T02:13:05Z",
        "closed_at": "2025-12-23T02:14:11Z",
        "close_reason": "idle",
    }

    batch_id: str
    camera_id: str
    detection_count: int
    started_at: UtcTime
    """When its first picture was taken."""
    closed_at: UtcTime
    close_reason: CloseReason
