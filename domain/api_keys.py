"""What a key looks like, how one is made from chance, and how two are compared."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

from schemas.api_key import ApiKey

OWNER = "owner"
"""The key that the program makes by itself."""
KEY_BYTES = 32
LEAST_CHARS = 16
MOST_CHARS = 256
LEAST_DIFFERENT_CHARS = 8

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_KEY = re.compile(r"[!-+\--~]*")  # visible ASCII without the comma, which separates keys


def key_text(chance: bytes) -> str:
    """A key made of random bytes; its characters may stand in a header, an address and a WebSocket's subprotocol."""
    return "hsi_" + base64.urlsafe_b64encode(chance).decode().rstrip("=")


def digest(secret: bytes) -> bytes:
    """SHA-256: enough for a secret that nobody can guess, and quick enough for every request."""
    return hashlib.sha256(secret).digest()


def same(one: bytes, other: bytes) -> bool:
    """In a time that does not tell how much of the two agrees."""
    return hmac.compare_digest(one, other)


def hashed(name: str, key: str) -> ApiKey:
    return ApiKey(name=name, key_sha256=digest(key.encode()))


def usable_name(name: str) -> str:
    """Raises ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError("a key's name has 1 to 64 letters, digits, dots, hyphens and underscores")
    return name


def named_keys(written: Iterable[str]) -> tuple[ApiKey, ...]:
    """`name:key`, or a bare key, which is named after its hash. Raises ValueError, which never repeats a key."""
    keys = tuple(_named(text, place) for place, text in enumerate(written, 1))
    for what, values in (("name", [key.name for key in keys]), ("key", [key.key_sha256 for key in keys])):
        if len(set(values)) != len(values):
            raise ValueError(f"two entries have the same {what}: give each its own")
    return keys


def _named(text: str, place: int) -> ApiKey:
    name, colon, key = text.partition(":")
    if not colon:
        name, key = f"key-{digest(text.encode()).hex()[:6]}", text
    if len(key) < LEAST_CHARS or len(set(key)) < LEAST_DIFFERENT_CHARS:
        raise ValueError(
            f"entry {place} is too easy to guess: a key has at least {LEAST_CHARS} characters, "
            f"{LEAST_DIFFERENT_CHARS} of them different; make one with `openssl rand -hex 32`"
        )
    if len(key) > MOST_CHARS or not _KEY.fullmatch(key):
        raise ValueError(f"entry {place}: a key has at most {MOST_CHARS} characters, visible ASCII without commas")
    try:
        return hashed(usable_name(name), key)
    except ValueError as error:
        raise ValueError(f"entry {place}: {error}") from None
