"""What a server's refusal or silence means, in words for whoever can mend it, without the key or more of the URL."""

import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from socket import gaierror

import httpx

from language.errors import ModelAway, ModelBusy, ModelUnusable, QuestionRefused
from language.server_replies import refusal

LONGEST_REST_SECONDS = 60.0
_BUSY = (429, 503)
_TRY_AGAIN = (408, 409, 425, 429)


@dataclass(frozen=True)
class Answered:
    """A whole answer, or the beginning of one that says no."""

    status: int
    body: bytes
    retry_after: str | None = None
    date: str | None = None


def trouble(answered: Answered, path: str, origin: str, key: str | None) -> ModelAway | QuestionRefused:
    """What to raise for any status but 200."""
    status = answered.status
    if status in (401, 403):
        has = "does not accept the key in NEMOTRON_API_KEY" if key else "asks for a key: set NEMOTRON_API_KEY"
        return ModelUnusable(f"{origin} {has} (HTTP {status})")
    words = refusal(answered.body, key)
    said = f"{origin} answered HTTP {status}" + (f": {words}" if words else "")
    if status in (400, 422) and path != "/models":
        return QuestionRefused(said)
    if status == 413 and path != "/models":
        return QuestionRefused(f"{origin} finds the question too large (HTTP 413)" + (f": {words}" if words else ""))
    if status == 404:
        return ModelUnusable(
            f"{said}; it has no {path} at the address in NEMOTRON_URL, which usually ends with /v1, "
            "or no longer the model that was asked for"
        )
    if 300 <= status < 400:
        return ModelUnusable(f"{origin} redirects (HTTP {status}), which is not followed: set NEMOTRON_URL to the end")
    if status == 429:
        return ModelBusy(said)
    if 400 <= status < 500 and status not in _TRY_AGAIN:
        return ModelUnusable(f"{said}; see NEMOTRON_URL")
    return ModelAway(said)


def exclusion(answered: Answered, names: Iterable[str]) -> str | None:
    """Which of the parameters `names` the server does not take, where it refuses a question and names it."""
    if answered.status not in (400, 422):
        return None
    said = answered.body.decode("utf-8", "replace")
    return next((name for name in names if re.search(rf"\b{name}\b", said)), None)


def left_alone_seconds(answered: Answered) -> float:
    """How long a busy server asks to wait, bounded; a point in time counts from the answer's own date."""
    if answered.status not in _BUSY or answered.retry_after is None:
        return 0.0
    if re.fullmatch(r"[0-9]{1,9}", answered.retry_after.strip()):
        return min(float(answered.retry_after), LONGEST_REST_SECONDS)
    try:
        asked = parsedate_to_datetime(answered.retry_after) - parsedate_to_datetime(answered.date or "")
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(asked.total_seconds(), 0.0), LONGEST_REST_SECONDS)


def unreachable(error: Exception, origin: str) -> ModelAway:
    """Words of our own: an exception's text may hold an address or what the other side wrote."""
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return ModelUnusable(
            f"the certificate of {origin} cannot be verified: SSL_CERT_FILE may name the authority that signed it"
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return ModelUnusable(f"no TLS with {origin}: does it speak plain http://?")
    if any(isinstance(cause, gaierror) for cause in causes):
        return ModelAway(f"the host of {origin} is not known")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return ModelAway(f"nothing listens at {origin}")
    if isinstance(error, httpx.ConnectTimeout):
        return ModelAway(f"{origin} does not take the connection")
    if isinstance(error, httpx.ConnectError):
        return ModelAway(f"{origin} cannot be reached")
    if isinstance(error, httpx.ProtocolError):
        return ModelAway(f"{origin} ended the connection, or answered with something that is not HTTP")
    return ModelAway(f"the connection to {origin} broke off")


def _causes(error: BaseException) -> Iterable[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        yield from cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        cause = cause.__cause__ or cause.__context__
