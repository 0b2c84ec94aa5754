"""How a live frame lies in its stream: the id is its sequence number, the one field everything else."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from schemas.frame import Frame, LiveChannel, NewFrame
from schemas.frozen import UtcTime

FIELD = "frame"


class Entry(BaseModel):
    type: str
    timestamp: UtcTime
    data: dict[str, Any]


def entry_text(frame: NewFrame, now: datetime) -> str:
    return Entry(type=frame.type, timestamp=now, data=frame.data).model_dump_json()


def sequence_of(entry_id: str) -> int:
    return int(entry_id.partition("-")[0])


def frame_of(channel: LiveChannel, entry_id: str, fields: dict[str, str], *, replay: bool = False) -> Frame:
    entry = Entry.model_validate_json(fields[FIELD])
    return Frame(
        type=entry.type,
        data=entry.data,
        timestamp=entry.timestamp,
        sequence=sequence_of(entry_id),
        channel=channel,
        replay=replay,
    )
