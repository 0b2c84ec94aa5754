"""A live frame: what the WebSockets send, numbered without a gap within its channel."""

from enum import StrEnum
from typing import Any

from schemas.frozen import Frozen, UtcTime


class LiveChannel(StrEnum):
    DETECTIONS = "detections"
    EVENTS = "events"
    ALERTS = "alerts"
    CAMERAS = "cameras"
    JOBS = "jobs"
    SYSTEM = "system"


class Frame(Frozen):
    type: str
    data: dict[str, Any]
    timestamp: UtcTime
    sequence: int
    channel: LiveChannel
    replay: bool = False
    """True for a frame that is sent again after a `resync`."""


class NewFrame(Frozen):
    """A frame before the live bus has numbered it."""

    type: str
    channel: LiveChannel
    data: dict[str, Any]
