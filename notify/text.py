"""Outside text made safe to show: no control characters, no invisible reordering, bounded."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

# Controls that reorder what is read (a summary that shows "gpj.exe" backwards), and invisible characters with no
# use in a name: bidirectional marks, embeddings, overrides and isolates, the byte order mark, annotations, tags.
_INVISIBLE = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
# Half a surrogate pair stands in names that came from undecodable file names; it cannot be encoded.
_HALF_PAIR = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """`text` with line ends as \\n, and without control characters, bidirectional controls and lone surrogates."""
    text = _LINE_END.sub("\n", text)
    text = _CONTROL.sub(" ", text)
    return _HALF_PAIR.sub("\ufffd", _INVISIBLE.sub("", text))


def shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def one_line(text: str, limit: int) -> str:
    """At most `limit` characters on one line, fit for a header."""
    return shortened(" ".join(plain(text).split()), limit)


def paragraphs(text: str, limit: int) -> list[str]:
    """The non-empty lines of `text`, at most `limit` characters in all."""
    lines = (" ".join(line.split()) for line in shortened(plain(text).strip(), limit).split("\n"))
    return [line for line in lines if line]


def plain_json(value: Any) -> Any:
    """`value` with every string cleaned and every number finite, so that it is JSON that any parser takes."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {plain(str(key)): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_json(item) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    return plain(str(value))
