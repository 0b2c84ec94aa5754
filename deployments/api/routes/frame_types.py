"""The types of live frames, each with its schema and an example."""

from fastapi import APIRouter

from deployments.api.examples.frames import FRAME_TYPES
from deployments.api.responses import shows
from deployments.api.views.frame_types import FrameTypes, frame_types

router = APIRouter(prefix="/api/system/websocket", tags=["live"])


@router.get("/events", responses=shows(FRAME_TYPES))
async def list_frame_types() -> FrameTypes:
    """Every type of frame that /ws/events and /ws/system send, with the JSON Schema of its `data` and an example.

    A deprecated type is still sent, beside the one that replaces it.
    """
    return frame_types()
