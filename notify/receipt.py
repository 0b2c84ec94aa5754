"""What may be kept of a webhook's answer: its status and a few words, never what the URL keeps secret."""

import re
from email.utils import parsedate_to_datetime
from urllib.parse import unquote

from notify.guard import WebhookUrl
from notify.outcome import LONGEST_RETRY_AFTER_SECONDS
from notify.text import one_line

SNIPPET_CHARACTERS = 200
_SNIPPET_BYTES = 1_000
_SHORTEST_SECRET = 4


def snippet(body: bytes, url: WebhookUrl) -> str:
    """The beginning of `body`; nothing at all when it repeats a piece of the URL ("Cannot POST /hook/TOKEN")."""
    text = body.decode("utf-8", "replace")
    repeated = _squeezed(text)
    if any(piece in repeated for piece in _pieces(url)):
        return ""
    return one_line(body[:_SNIPPET_BYTES].decode("utf-8", "replace"), SNIPPET_CHARACTERS)


def retry_after_seconds(value: str | None, date: str | None) -> float | None:
    """The wait that was asked for, bounded; a point in time counts from the answer's own Date, so no clock is read."""
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", value.strip()):
        return min(float(value), LONGEST_RETRY_AFTER_SECONDS)
    try:
        wait = (parsedate_to_datetime(value) - parsedate_to_datetime(date or "")).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _pieces(url: WebhookUrl) -> list[str]:
    pieces = (_squeezed(piece) for piece in re.split(r"[/?&=;,]", url.target))
    return [piece for piece in pieces if len(piece) >= _SHORTEST_SECRET]


def _squeezed(text: str) -> str:
    """Letters and digits only, so that escaping, wrapping and case cannot hide a repetition."""
    return re.sub(r"[\W_]+", "", unquote(text)).lower()
