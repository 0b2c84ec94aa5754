"""What a request shows at the door: a key in a header, a session's cookie, and for a WebSocket two ways more.

A browser cannot set a header on a WebSocket: it offers the key as the subprotocol `api-key.KEY`, or writes it into the
address, and has a cookie where the page has signed in. A browser also hangs up unless one of the offered subprotocols
is agreed on. Offered together with `hsi`, the key is not repeated in the answer.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import Scope

COOKIE = "hsi_session"
SUBPROTOCOL = "hsi"
_KEY_OFFER = "api-key."
_MOST_BYTES = 512
_MISSING = "A key is needed: send it as X-API-Key."
_MISSING_LIVE = "a key is needed: ?api_key= or the subprotocol api-key.KEY"


class Way(StrEnum):
    NONE = "none"
    KEY = "key"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Credentials:
    way: Way
    secret: bytes | None = field(default=None, repr=False)
    fault: str = _MISSING
    """Why there is no secret, for the client."""
    subprotocol: str | None = field(default=None, repr=False)
    """What to agree on with a WebSocket's client."""

    @property
    def wrong(self) -> str:
        return "The session has ended: sign in again." if self.way is Way.SESSION else "This key is not known."

    @classmethod
    def of(cls, scope: Scope, headers: Headers) -> "Credentials":
        """The first of header, address, subprotocol and cookie that is there at all decides."""
        live = scope["type"] == "websocket"
        offers = _offers(headers) if live else []
        agreed = _agreed(offers)
        shown = [value.strip() for name, value in scope["headers"] if name == b"x-api-key"]
        if live and not shown:
            shown = _keys_in_address(scope)
            shown = shown or [offer[len(_KEY_OFFER) :].encode() for offer in offers if offer.startswith(_KEY_OFFER)]
        if shown:
            return _by_key(shown, agreed)
        session = _session(headers)
        if session is not None:
            return cls(Way.SESSION, session, subprotocol=agreed)
        return cls(Way.NONE, None, _MISSING_LIVE if live else _MISSING, agreed)


def _by_key(shown: list[bytes], agreed: str | None) -> Credentials:
    if len(shown) > 1:
        return Credentials(Way.KEY, None, "Send one key, not several.", agreed)
    if not shown[0]:
        return Credentials(Way.KEY, None, "The key is empty.", agreed)
    if len(shown[0]) > _MOST_BYTES:
        return Credentials(Way.KEY, None, "This key is not known.", agreed)
    return Credentials(Way.KEY, shown[0], subprotocol=agreed)


def _keys_in_address(scope: Scope) -> list[bytes]:
    query: bytes = scope.get("query_string", b"")
    if b"api_key" not in query:
        return []
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return [value.encode("latin-1", "replace") for name, value in pairs if name == "api_key"]


def _offers(headers: Headers) -> list[str]:
    return [offer.strip() for line in headers.getlist("sec-websocket-protocol") for offer in line.split(",")]


def _agreed(offers: list[str]) -> str | None:
    """Only a client that offers nothing but its key is answered with it: it would hang up otherwise."""
    if SUBPROTOCOL in offers:
        return SUBPROTOCOL
    return next((offer for offer in offers if offer.startswith(_KEY_OFFER)), None)


def _session(headers: Headers) -> bytes | None:
    for line in headers.getlist("cookie"):
        if COOKIE not in line or len(line) > 8192:
            continue
        try:
            morsel = SimpleCookie(line).get(COOKIE)
        except CookieError:
            continue
        if morsel is not None and 0 < len(morsel.value) <= _MOST_BYTES:
            return morsel.value.encode("latin-1", "replace")
    return None
