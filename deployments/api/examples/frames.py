"""Examples of the registry of live frames."""

from typing import Any

from deployments.api.views.frame_types import shown
from schemas.frame import LiveChannel
from schemas.frame_types import DetectionNew, EventCreated, LegacyEvent

FRAME_TYPES: dict[str, Any] = {
    "event_types": [shown(payload).model_dump(mode="json") for payload in (DetectionNew, EventCreated, LegacyEvent)],
    "channels": [channel.value for channel in LiveChannel],
    "total_count": 24,
    "deprecated_count": 2,
}
