"""The webhook channel: one signed JSON POST to a checked and pinned address, bounded in time and in bytes.

It drives httpcore, the engine of httpx, directly: httpx would add redirects, proxies from the environment, cookies,
content decoding and a log line with the whole URL, and a webhook's URL is often its secret.
"""

import asyncio
import hashlib
import hmac
import ssl
from dataclasses import dataclass
from functools import cache

import certifi
import httpcore

from notify.allowed_hosts import AllowedHosts
from notify.guard import HIDDEN, Destination, Refused, Resolver, WebhookUrl, check_url, shown, system_resolver
from notify.message import AlertMessage
from notify.outcome import Delivered, Failed
from notify.pinned import PinnedBackend
from notify.receipt import retry_after_seconds, snippet
from notify.render import webhook_body
from notify.text import one_line

USER_AGENT = "home-security-webhook/1"
BODY_LIMIT = 65_536
_TRY_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True)
class _Answer:
    status: int
    retry_after_seconds: float | None
    body: bytes | None
    """None when it did not arrive whole, up to the limit."""


class WebhookChannel:
    """`send` takes the recipient's name as `recipients` gives it, or a URL; both pass the guard each time."""

    def __init__(
        self,
        url: str,
        allowed: AllowedHosts,
        *,
        secret: str | None = None,
        resolve: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        answer_seconds: float = 8.0,
        body_seconds: float = 2.0,
    ) -> None:
        self._url = url
        self._allowed = allowed
        self._secret = secret.encode() if secret else None
        self._resolve = resolve
        self._tls = tls
        self._answer_seconds = answer_seconds
        self._body_seconds = body_seconds

    @property
    def recipient(self) -> str:
        """The configured URL as it may be stored and shown."""
        return shown(self._url)

    async def send(self, recipient: str, message: AlertMessage) -> Delivered | Failed:
        url = self._url if recipient == self.recipient else recipient
        if url.endswith(HIDDEN):
            return Failed(f"{one_line(recipient, 200)} is no longer the configured webhook", permanent=True)
        body = webhook_body(message)
        name = shown(url)
        try:
            async with asyncio.timeout(self._answer_seconds) as limit:
                checked = await check_url(url, self._allowed, self._resolve)
                if isinstance(checked, Refused):
                    return Failed(checked.reason, checked.permanent)
                answer = await self._post(checked, body, self._headers(checked.url, message, body), limit)
        except TimeoutError:
            return Failed(f"{name} did not answer within {self._answer_seconds:g} s", permanent=False)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return Failed(f"{name}: {_trouble(error)}", permanent=False)
        return _outcome(answer, checked.url)

    def _headers(self, url: WebhookUrl, message: AlertMessage, body: bytes) -> list[tuple[bytes, bytes]]:
        headers = {
            "Host": url.authority,
            "User-Agent": USER_AGENT,
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Idempotency-Key": message.idempotency_key,
        }
        if self._secret:
            headers["X-Signature-SHA256"] = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        return [(name.encode(), value.encode()) for name, value in headers.items()]

    async def _post(
        self, to: Destination, body: bytes, headers: list[tuple[bytes, bytes]], limit: asyncio.Timeout
    ) -> _Answer:
        scheme, host = to.url.scheme.encode(), str(to.url.host).encode()
        request = httpcore.Request(
            b"POST",
            httpcore.URL(scheme=scheme, host=host, port=to.url.port, target=to.url.target.encode()),
            headers=headers,
            content=body,
        )
        backend = PinnedBackend(to.addresses)
        connection = httpcore.AsyncHTTPConnection(
            origin=request.url.origin,
            ssl_context=(self._tls or _public_tls()) if to.url.scheme == "https" else None,
            network_backend=backend,
        )
        try:
            response = await connection.handle_async_request(request)
            # The receiver has answered: from here on nothing may turn that into "no answer" and a second sending.
            limit.reschedule(None)
            named = {name.lower(): value.decode("latin-1") for name, value in response.headers}
            wait = retry_after_seconds(named.get(b"retry-after"), named.get(b"date"))
            return _Answer(response.status, wait, await self._read(response))
        finally:
            await backend.aclose()

    async def _read(self, response: httpcore.Response) -> bytes | None:
        """At most 64 KB; the status has decided already, so a body that drips, hangs or breaks off changes nothing."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in response.aiter_stream():
                    body += chunk
                    if len(body) >= BODY_LIMIT:
                        break
        except (TimeoutError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError):
            return None
        return bytes(body[:BODY_LIMIT])


def _outcome(answer: _Answer, url: WebhookUrl) -> Delivered | Failed:
    words = snippet(answer.body, url) if answer.body else ""
    told = f"HTTP {answer.status}" + (f": {words}" if words else "")
    if 200 <= answer.status < 300:
        return Delivered(told)
    if 300 <= answer.status < 400:
        return Failed(f"{url.shown} answered HTTP {answer.status}: redirects are not followed", permanent=True)
    temporary = answer.status in _TRY_AGAIN or answer.status >= 500
    wait = answer.retry_after_seconds if temporary else None
    return Failed(f"{url.shown} answered {told}", permanent=not temporary, retry_after_seconds=wait)


def _trouble(error: Exception) -> str:
    """What went wrong in words of our own: an exception's text may hold anything."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "the certificate cannot be verified"
        if isinstance(cause, ssl.SSLError):
            return "the TLS handshake failed"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
        return "the connection was refused or timed out"
    if isinstance(error, httpcore.ProtocolError):
        return "the answer was not HTTP"
    return "the connection broke off"


@cache
def _public_tls() -> ssl.SSLContext:
    """The system's authorities (and SSL_CERT_FILE) beside Mozilla's, since a bare machine may have none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
