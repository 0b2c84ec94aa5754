"""What a live client may say, and what it is told.

ping (or the bare text)                                              ▶ pong
pong
{"type": "subscribe", "data": {"patterns": ["alert.*"]}}             ▶ subscribed
{"type": "unsubscribe", "data": {"patterns": ["alert.*"]}}           ▶ unsubscribed
{"type": "resync", "data": {"channel": "alerts", "last_sequence": 7}} ▶ frames marked `replay`, then resynced
anything else                                                        ▶ error, and the connection stays
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.frame import LiveChannel
from schemas.frozen import utc_text

_PATTERN_KEYS = ("patterns", "events", "types")
_MOST_SEQUENCE = 2**53


@dataclass(frozen=True)
class Ping:
    pass


@dataclass(frozen=True)
class Pong:
    pass


@dataclass(frozen=True)
class Subscribe:
    patterns: object
    """As they came; `Subscriptions` says whether they can be taken."""


@dataclass(frozen=True)
class Unsubscribe:
    patterns: object


@dataclass(frozen=True)
class Resync:
    channel: LiveChannel
    last_sequence: int


@dataclass(frozen=True)
class Fault:
    code: str
    message: str


ClientMessage = Ping | Pong | Subscribe | Unsubscribe | Resync | Fault


def read_message(text: str) -> ClientMessage:
    """A Fault for whatever is none of the above."""
    if text.strip() in ("ping", "pong"):
        return Ping() if text.strip() == "ping" else Pong()
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return Fault("invalid_json", "this is not JSON")
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return Fault("invalid_message", 'a message is an object with a "type"')
    data = message.get("data")
    return _understood(message["type"], data if isinstance(data, dict) else message)


def _understood(kind: str, data: Mapping[str, Any]) -> ClientMessage:
    if kind == "ping":
        return Ping()
    if kind == "pong":
        return Pong()
    if kind in ("subscribe", "unsubscribe"):
        patterns = next((data[key] for key in _PATTERN_KEYS if key in data), None)
        return Subscribe(patterns) if kind == "subscribe" else Unsubscribe(patterns)
    if kind == "resync":
        return _resync(data.get("channel"), data.get("last_sequence"))
    return Fault("unknown_type", "the types are ping, pong, subscribe, unsubscribe and resync")


def _resync(channel: object, last: object) -> Resync | Fault:
    if not isinstance(channel, str) or channel not in list(LiveChannel):
        return Fault("invalid_message", f"channel must be one of {', '.join(LiveChannel)}")
    if not isinstance(last, int) or isinstance(last, bool) or not 0 <= last <= _MOST_SEQUENCE:
        return Fault("invalid_message", "last_sequence must be the number of a frame, or 0")
    return Resync(LiveChannel(channel), last)


def notice(kind: str, data: Mapping[str, Any], now: datetime, channel: LiveChannel | None = None) -> str:
    """A frame from the replica itself: it was not published, so it has no number."""
    return json.dumps(
        {"type": kind, "data": data, "timestamp": utc_text(now), "sequence": None, "channel": channel},
        ensure_ascii=False,
    )
