"""Outside text made fit to be stored in a log: bounded, and with nothing in it that a terminal or a page would obey."""

import math
import unicodedata
from collections.abc import Mapping
from typing import Any

MESSAGE_CHARS = 8192
MOST_ITEMS = 50
MOST_DEPTH = 5
STRING_CHARS = 2000
EXTRA_CHARS = 16_000
"""All strings and keys of one line's extra together."""
_CUT = "…"
# Controls, lone surrogates, line and paragraph separators, and the format characters that reorder or hide text.
_ESCAPED = ("Cc", "Cs", "Zl", "Zp", "Cf")


def visible(text: str, limit: int, keep_lines: bool = False) -> str:
    r"""At most `limit` characters; what is not plain is written as `\n`, `\x1b`, `\u202e`; null characters go.

    `keep_lines` leaves line ends and tabs as they are, for traces.
    """
    kept = "\n\t" if keep_lines else ""
    cut = text[: limit + 1]
    if not cut.isascii() or not cut.isprintable():
        cut = "".join(
            char if char in kept or unicodedata.category(char) not in _ESCAPED else _escaped(char)
            for char in cut
            if char != "\x00"
        )
    return cut if len(cut) <= limit else cut[: limit - 1] + _CUT


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def bounded(value: object, budget: int = EXTRA_CHARS) -> Any:
    """The value as JSON may hold it: at most five levels, 50 entries each and `budget` characters; the rest is cut."""
    return _Bounded(budget).of(value, MOST_DEPTH)


class _Bounded:
    def __init__(self, budget: int) -> None:
        self._left = budget

    def of(self, value: object, depth: int) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if abs(value) < 2**63 else self._text(str(value)[:80])
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, str):
            return self._text(value)
        if depth == 0 or self._left <= 0:
            return _CUT
        if isinstance(value, Mapping):
            entries = list(value.items())[:MOST_ITEMS]
            return {self._text(str(key))[:200]: self.of(inner, depth - 1) for key, inner in entries if self._left > 0}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.of(inner, depth - 1) for inner in list(value)[:MOST_ITEMS] if self._left > 0]
        return self._text(_said_of(value))

    def _text(self, text: str) -> str:
        shown = visible(text, max(1, min(STRING_CHARS, self._left)), keep_lines=True)
        self._left -= len(shown)
        return shown


def _said_of(value: object) -> str:
    try:
        return str(value)
    except Exception:  # whatever somebody's __str__ does, the line is worth keeping
        return f"<{type(value).__name__}>"
