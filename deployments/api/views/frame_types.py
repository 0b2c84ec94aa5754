"""The registry of live frames as clients read it: made once from the payload classes."""

from functools import cache
from inspect import cleandoc
from typing import Any

from schemas.frame import LiveChannel
from schemas.frame_types import PAYLOADS, Payload
from schemas.frozen import Frozen


class FrameType(Frozen):
    type: str
    channel: LiveChannel
    description: str
    deprecated: bool
    replacement: str | None
    """The type to listen for instead of a deprecated one; null for the others."""
    payload_schema: dict[str, Any]
    """JSON Schema (2020-12) of the frame's `data`."""
    example: dict[str, Any]
    """The `data` of such a frame."""


class FrameTypes(Frozen):
    event_types: tuple[FrameType, ...]
    channels: tuple[LiveChannel, ...]
    total_count: int
    deprecated_count: int


@cache
def frame_types() -> FrameTypes:
    types = tuple(shown(payload) for payload in PAYLOADS)
    return FrameTypes(
        event_types=types,
        channels=tuple(LiveChannel),
        total_count=len(types),
        deprecated_count=sum(one.deprecated for one in types),
    )


def shown(payload: type[Payload]) -> FrameType:
    return FrameType(
        type=payload.frame_type,
        channel=payload.channel,
        description=cleandoc(payload.__doc__ or ""),
        deprecated=payload.replacement is not None,
        replacement=payload.replacement,
        payload_schema=payload.model_json_schema(mode="serialization"),
        example=payload.example,
    )
