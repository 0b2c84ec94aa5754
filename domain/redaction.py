"""Secrets taken out of text before it is stored or printed."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
SHORTEST = 4
"""A shorter secret cannot be told from ordinary text, and is only hidden where its place gives it away."""
_SHORTEST_PART = 8

_PLACES = (
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s/:@\"']*):[^\s/@\"']+@", re.IGNORECASE), rf"\1:{HIDDEN}@"),
    # api_key=…, token: …, X-API-Key: …, also within JSON and query strings
    (
        re.compile(
            r"((?:api[_-]?keys?|access[_-]?token|auth[_-]?token|password|passwd|secret)[\"']?\s*[=:]\s*)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s&\"',;}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(\bBearer\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
)
_MAY_HOLD = re.compile(r"://|key|token|password|passwd|secret|bearer", re.IGNORECASE)
_SECRET_NAME = re.compile(r"api[_-]?key|token|password|passwd|secret|authorization", re.IGNORECASE)


class Redactor:
    """Replaces known secrets, and what stands where a secret stands, by `***`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        longest_first = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def text(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        if _MAY_HOLD.search(text):
            for pattern, instead in _PLACES:
                text = pattern.sub(instead, text)
        return text

    def value(self, value: Any) -> Any:
        """The same for what JSON can hold; a value under a name such as `password` goes altogether."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                self.text(key): HIDDEN if isinstance(inner, str) and _SECRET_NAME.search(key) else self.value(inner)
                for key, inner in value.items()
            }
        return [self.value(inner) for inner in value] if isinstance(value, list) else value


def spellings(secret: str) -> set[str]:
    """A secret setting's value and the parts of it that are secret by themselves: a URL's password, path and query."""
    found = {secret, unquote(secret)}
    if "://" not in secret:
        _, _, key = secret.partition(":")  # API_KEYS: name:key
        return found | ({key} if len(key) >= _SHORTEST_PART else set())
    try:
        url = urlsplit(secret)
        password = url.password
    except ValueError:  # no proper URL: its whole is hidden
        return found
    parts = [password] if password else []
    if url.scheme.partition("+")[0] not in ("postgres", "postgresql", "redis", "rediss", "unix"):
        # A web hook or a push address: its token may stand anywhere behind the scheme.
        places = [url.username, url.netloc, url.path.strip("/"), *url.path.split("/"), url.query]
        parts += [part for part in places if part and _looks_made(part)]
    return found | {spelt for part in parts for spelt in (part, unquote(part))}


def _looks_made(part: str) -> bool:
    """Whether it can be a token: a host or an ordinary word is not hidden wherever it stands."""
    if "." in part or "@" in part or len(part) < _SHORTEST_PART:
        return False
    return any(char.isdigit() for char in part) or len(part) >= 20
