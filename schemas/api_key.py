"""API keys: who may come in. A key itself is never kept, only its SHA-256."""

from enum import StrEnum

from schemas.frozen import Frozen, UtcTime


class KeySource(StrEnum):
    SETTINGS = "settings"
    """API_KEYS: comes and goes with that list."""
    MADE = "made"
    """Made by the program, and shown once."""


class ApiKey(Frozen):
    """A key as it is kept."""

    name: str
    """Who asks, in the audit trail."""
    key_sha256: bytes


class ApiSession(Frozen):
    """A page that has shown a key; the cookie holds the id, and only its SHA-256 is kept."""

    id_sha256: bytes
    key_name: str
    expires_at: UtcTime
