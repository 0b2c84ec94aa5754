"""Examples for the API reference, a module a topic; a test reads each back as the model that it shows."""

from typing import Any


def page(plural: str, row: dict[str, Any]) -> dict[str, Any]:
    """A first page with one row."""
    return {plural: [row], "count": 1, "limit": 50, "offset": 0, "next_cursor": None}
