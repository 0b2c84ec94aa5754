"""What an OpenAI-compatible server says, read as text from outside: its list of models, its answers, its refusals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.plain_text import plain

_NAME = 200
_WORDS = 300
_MODELS_KEPT = 100
_SHORTEST_TELLING_PART = 8


class OtherShape(Exception):
    """What came is not what this protocol says; the words are ours and go on after the server's name."""


@dataclass(frozen=True)
class ServedModel:
    id: str
    """As the server writes it, for it must be sent back letter by letter."""
    root: str | None
    """What it was loaded from, where the server tells."""
    max_model_len: int | None
    owned_by: str | None


@dataclass(frozen=True)
class ChatAnswer:
    text: str | None
    finish_reason: str | None
    model: str
    fingerprint: str | None
    prompt_tokens: int | None
    completion_tokens: int | None


def read_models(body: bytes) -> tuple[ServedModel, ...]:
    """What GET /models lists, the first hundred of it; entries without a name are left out."""
    listed = _object(body).get("data")
    if not isinstance(listed, list):
        raise OtherShape("lists no models under `data`: is it a server that speaks OpenAI's protocol?")
    entries = (entry for entry in listed if isinstance(entry, dict))
    named = [(entry, _encodable(entry["id"])) for entry in entries if isinstance(entry.get("id"), str)]
    return tuple(
        ServedModel(name, _word(entry.get("root")), _count(entry.get("max_model_len")), _word(entry.get("owned_by")))
        for entry, name in named[:_MODELS_KEPT]
        if name and len(name) <= _NAME
    )


def read_chat(body: bytes) -> ChatAnswer:
    """The one answer to the one question."""
    said = _object(body)
    choices = said.get("choices")
    if not isinstance(choices, list):
        raise OtherShape("answered without `choices`")
    if len(choices) != 1 or not isinstance(choices[0], dict) or choices[0].get("index", 0) != 0:
        raise OtherShape(f"answered with {len(choices)} choices, or another one, where the first alone was asked for")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        raise OtherShape("answered without a `message`")
    content = message.get("content")
    if content is not None and not isinstance(content, str):
        raise OtherShape("answered with a `content` that is no text")
    usage = said.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return ChatAnswer(
        # A reasoning parser puts thoughts into `reasoning`, and null here when nothing followed them.
        text=_encodable(content) if content else None,
        finish_reason=_word(choices[0].get("finish_reason"), 40),
        model=_word(said.get("model")) or "",
        fingerprint=_word(said.get("system_fingerprint")),
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def refusal(body: bytes, key: str | None) -> str:
    """The server's own words on why not, on one line; nothing at all where they repeat a part of the key."""
    try:
        said = _object(body)
    except OtherShape:
        return ""
    error = said.get("error", said)
    message = error.get("message", error.get("detail")) if isinstance(error, dict) else error
    if not isinstance(message, str):
        message = json.dumps(message) if isinstance(message, list) else ""
    return "" if _repeats(message, key) else plain(message, _WORDS)


def _repeats(text: str, key: str | None) -> bool:
    if not key:
        return False
    length = min(len(key), _SHORTEST_TELLING_PART)
    return any(key[at : at + length] in text for at in range(len(key) - length + 1))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise OtherShape("answered with something that is not JSON") from None
    if not isinstance(said, dict):
        raise OtherShape("answered with JSON that is no object")
    return said


def _word(value: object, limit: int = _NAME) -> str | None:
    return (plain(value, limit) or None) if isinstance(value, str) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _encodable(text: str) -> str:
    """JSON may write half a surrogate pair, which no store takes."""
    return text.encode("utf-8", "replace").decode()
