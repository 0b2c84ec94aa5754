"""Examples of who asks."""

from typing import Any

SIGNED_IN: dict[str, Any] = {"actor": "owner", "keys_required": True, "expires_at": "2026-01-22T10:30:00Z"}
SESSION: dict[str, Any] = SIGNED_IN
