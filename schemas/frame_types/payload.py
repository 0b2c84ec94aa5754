"""What a live frame carries: every type is a payload class that knows its name, its channel and an example."""

from typing import Any, ClassVar

from pydantic import ConfigDict

from schemas.frame import LiveChannel, NewFrame
from schemas.frozen import Frozen


class Payload(Frozen):
    """The `data` of one type of frame; the class's docstring is the type's description."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    frame_type: ClassVar[str]
    channel: ClassVar[LiveChannel]
    replacement: ClassVar[str | None] = None
    """What a deprecated type gave way to; None for a type that is not deprecated."""
    example: ClassVar[dict[str, Any]]
    """The data as it is sent."""


def frame(payload: Payload) -> NewFrame:
    """The frame that carries the payload: the one way to make a frame, so that each is as its schema says."""
    return NewFrame(type=payload.frame_type, channel=payload.channel, data=payload.model_dump(mode="json"))
