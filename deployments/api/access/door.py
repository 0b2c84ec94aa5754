"""The door: every request passes it before it is routed; plain ASGI, and no store is asked for most of them.

probe? ─▶ in
else: name in Host ─▶ preflight ─▶ key or session ─▶ page's origin ─▶ limit ─▶ in
      421             204 403      401               403              429
"""

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.api.access.caller import LOCAL
from deployments.api.access.client_address import ClientAddresses, bucket_of
from deployments.api.access.credentials import Credentials, Way
from deployments.api.access.key_ring import KeyRing
from deployments.api.access.limiter import STRANGERS, RateLimiter
from deployments.api.access.origin import Hosts, Origins
from deployments.api.access.refusal import Refusal
from deployments.api.access.table import Access, access, methods_of
from deployments.api.problem_response import NO_SUCH_METHOD
from domain.rate_limit import Verdict
from schemas.audit import Caller
from settings import Settings
from storage.errors import StoreUnavailable

_ALLOWED_FOR_PAGES = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Content-Type, If-None-Match, X-API-Key, X-Request-ID",
    "Access-Control-Max-Age": "600",
}
_SHOWN_TO_PAGES = (
    b"Content-Disposition, ETag, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID"
)
Lines = list[tuple[bytes, bytes]]


class Door:
    """Whom it lets in stands in `scope["state"]["caller"]`, how they came in `["credentials"]`."""

    def __init__(
        self, app: ASGIApp, settings: Settings, keys: KeyRing, limiter: RateLimiter, behind_own_proxy: bool
    ) -> None:
        self._app = app
        self._keys = keys
        self._limiter = limiter
        self._asks_for_keys = settings.asks_for_keys
        self._addresses = ClientAddresses(settings.trusted_proxy_ips, behind_own_proxy)
        self._hosts = Hosts(settings)
        self._origins = Origins(settings.cors_allowed_origins, trust_this_machine=not self._asks_for_keys)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        method = scope["method"] if kind == "http" else "WEBSOCKET"
        asked = access(method, _path(scope))
        if asked is Access.OPEN:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        lines = self._lines_for_page(headers)
        credentials = Credentials.of(scope, headers)
        try:
            if not self._hosts.is_ours(headers):
                raise Refusal(421, "This is not a name of this system; see ALLOWED_HOSTS.")
            if method == "OPTIONS" and headers.get("access-control-request-method") is not None:
                raise self._preflight(headers)
            verdict = await self._admit(scope, asked, headers, credentials)
            self._require_method(method, _path(scope))
        except Refusal as refusal:
            await refusal.answer(scope, receive, _with_lines(send, lines), credentials.subprotocol)
            return
        if verdict is not None:
            lines.extend(_limit_lines(verdict))
        if kind == "websocket":
            send = _with_subprotocol(send, credentials.subprotocol)
        await self._app(scope, receive, _with_lines(send, lines) if lines else send)

    def _require_method(self, method: str, path: str) -> None:
        known = methods_of(path)
        if known is not None and method not in known and method != "WEBSOCKET":
            raise Refusal(405, NO_SUCH_METHOD, {"Allow": ", ".join(sorted(known))})

    async def _admit(self, scope: Scope, asked: Access, headers: Headers, credentials: Credentials) -> Verdict | None:
        """Says who it is in the scope, and counts the request. Raises Refusal."""
        address, by_tls = self._addresses.of(scope)
        state = scope.setdefault("state", {})
        state["credentials"], state["by_tls"] = credentials, by_tls or scope["scheme"] in ("https", "wss")
        self._require_own_page(scope, asked, headers, credentials)
        name = LOCAL
        if self._asks_for_keys and asked is not Access.SIGN_IN:
            name = await self._name(credentials, address)
            client = f"key:{name}"
        else:
            client = f"address:{bucket_of(address)}"
        state["caller"] = Caller(actor=name, ip_address=address)
        return None if asked is Access.HEALTH else await self._count(asked, client)

    def _require_own_page(self, scope: Scope, asked: Access, headers: Headers, credentials: Credentials) -> None:
        if asked in (Access.READ, Access.HEALTH) and scope["type"] == "http":
            return
        by_cookie = credentials.way is Way.SESSION and scope["type"] == "http"
        by_cookie = by_cookie and self._asks_for_keys and asked is not Access.SIGN_IN
        if not (self._origins.is_proved(headers) if by_cookie else self._origins.is_ours(headers)):
            raise Refusal(403, "A page from elsewhere may not do this; see CORS_ALLOWED_ORIGINS.", early=True)

    async def _name(self, credentials: Credentials, address: str | None) -> str:
        """The key's name. Raises Refusal."""
        if credentials.secret is None:
            raise Refusal(401, credentials.fault)
        await self._keys.keep_fresh()
        name = self._known_name(credentials)
        if name is None:
            await self._count(STRANGERS, f"address:{bucket_of(address)}")
            await self._look_now()
            name = self._known_name(credentials)
        if name is None:
            raise Refusal(401, credentials.wrong)
        return name

    async def _look_now(self) -> None:
        try:
            await self._keys.look_now()
        except StoreUnavailable:
            detail = "Keys cannot be looked up at the moment; try again shortly."
            raise Refusal(503, detail, {"Retry-After": "2"}) from None

    def _known_name(self, credentials: Credentials) -> str | None:
        assert credentials.secret is not None
        if credentials.way is Way.KEY:
            return self._keys.key_name(credentials.secret)
        session = self._keys.session(credentials.secret)
        return session.key_name if session else None

    async def _count(self, tier: str, client: str) -> Verdict | None:
        verdict = await self._limiter.take(tier, client)
        if verdict is not None and not verdict.allowed:
            raise Refusal(
                429,
                f"Too many requests; try again in {verdict.retry_after_seconds} s.",
                {"Retry-After": str(verdict.retry_after_seconds)} | _limit_headers(verdict),
            )
        return verdict

    def _preflight(self, headers: Headers) -> Refusal:
        if headers.get("origin", "").lower() in self._origins.listed:
            return Refusal(204, "", _ALLOWED_FOR_PAGES)
        return Refusal(403, "Pages from there may not use this API; see CORS_ALLOWED_ORIGINS.")

    def _lines_for_page(self, headers: Headers) -> Lines:
        """What lets a listed page read the answer, whatever it is."""
        if not self._origins.listed:
            return []
        origin, lines = headers.get("origin", "").lower(), [(b"vary", b"Origin")]
        if origin in self._origins.listed:
            lines += [
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", _SHOWN_TO_PAGES),
            ]
        return lines


def _path(scope: Scope) -> str:
    """As the router sees it: without the prefix that the application is mounted at."""
    path: str = scope["path"]
    prefix: str = scope.get("root_path", "")
    return path[len(prefix) :] if prefix and path.startswith(prefix) else path


def _limit_headers(verdict: Verdict) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(verdict.limit),
        "X-RateLimit-Remaining": str(verdict.remaining),
        "X-RateLimit-Reset": str(verdict.reset_seconds),
    }


def _limit_lines(verdict: Verdict) -> Iterable[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in _limit_headers(verdict).items()]


def _with_lines(send: Send, lines: Lines) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *lines]}
        await send(message)

    return sending


def _with_subprotocol(send: Send, chosen: str | None) -> Send:
    """The one that the client offered and that is agreed on."""

    async def sending(message: Message) -> None:
        if message["type"] == "websocket.accept" and chosen is not None and not message.get("subprotocol"):
            message = {**message, "subprotocol": chosen}
        await send(message)

    return sending
