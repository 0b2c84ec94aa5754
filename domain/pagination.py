"""Pagination by keyset: the sort values of a page's last row as an opaque text, and back.

    base64url( digest[4] + compact JSON array )        a time is microseconds since 1970, a UUID its text

The digest is no secret; it makes a cursor that was cut off or edited an error instead of a page from elsewhere.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

CursorValue = datetime | int | str | UUID
CursorKind = type[datetime] | type[int] | type[str] | type[UUID]

MAX_CURSOR_CHARS = 2048
_DIGEST_BYTES = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = range(-(2**63), 2**63)


class BadCursor(Exception):
    """The text is no cursor of this list; the message is for a person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def encode_cursor(values: Sequence[CursorValue]) -> str:
    """A url-safe text of at most 2,048 characters.

    ValueError for what could not be read back: a naive time, an integer beyond 64 bits, a string that PostgreSQL
    could not hold, too much of it all.
    """
    plain = [_to_json(value) for value in values]
    text = _wrapped(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode())
    if len(text) > MAX_CURSOR_CHARS:
        raise ValueError(f"a cursor of {len(text)} characters is longer than {MAX_CURSOR_CHARS}")
    return text


def decode_cursor(text: str, kinds: Sequence[CursorKind]) -> tuple[CursorValue, ...]:
    """The values, one of each kind in order; BadCursor for any text that `encode_cursor` does not make."""
    if len(text) > MAX_CURSOR_CHARS:
        raise BadCursor("the cursor is too long")
    try:
        plain = json.loads(_unwrapped(text))
        if not isinstance(plain, list) or len(plain) != len(kinds):
            raise ValueError("another number of values")
        values = tuple(_from_json(item, kind) for item, kind in zip(plain, kinds, strict=True))
        if encode_cursor(values) != text:  # the digest, the base64 and the JSON in one comparison
            raise ValueError("not as it was made")
    except (ValueError, OverflowError, RecursionError):
        raise BadCursor("the cursor is not one that this list gave") from None
    return values


def _wrapped(payload: bytes) -> str:
    digest = hashlib.blake2s(payload, digest_size=_DIGEST_BYTES).digest()
    return base64.urlsafe_b64encode(digest + payload).decode().rstrip("=")


def _unwrapped(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))[_DIGEST_BYTES:]


def _to_json(value: CursorValue) -> int | str:
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError("a naive time cannot be a cursor")
        return (value - _EPOCH) // timedelta(microseconds=1)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a string with a null character cannot be a cursor")
        return value
    if value not in _INT64:
        raise ValueError("an integer beyond 64 bits cannot be a cursor")
    return int(value)


def _from_json(item: object, kind: CursorKind) -> CursorValue:
    # `type(...) is`, since a JSON true would pass for an integer.
    if kind is datetime and type(item) is int:
        return _EPOCH + timedelta(microseconds=item)
    if kind is int and type(item) is int:
        return item
    if kind is str and type(item) is str:
        return item
    if kind is UUID and type(item) is str:
        return UUID(item)
    raise ValueError("another kind of value")
