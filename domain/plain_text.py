"""Outside text made fit to stand in one of our sentences."""

import unicodedata

# They reorder or hide what is around them.
_INVISIBLE = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")
_LINE_BREAKS_AND_CONTROLS = ("Cc", "Cs", "Zl", "Zp")


def plain(text: str, limit: int) -> str:
    """One line of at most `limit` characters: controls become spaces, direction marks go, runs of space are one."""
    shown = "".join(
        " " if unicodedata.category(char) in _LINE_BREAKS_AND_CONTROLS else char
        for char in text
        if char not in _INVISIBLE
    )
    line = " ".join(shown.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
