"""The push channel: Apprise, one URL a delivery, so that one broken service never hides another.

Apprise sends wherever its URL says, so the URLs come from the operator's environment and from nowhere else. They are
secrets as a whole: outside this module a service is known by its schema and a short digest, `ntfy:1a2b3c4d`.
"""

import asyncio
import contextlib
import hashlib
import logging
import re
import threading
from collections.abc import Sequence

import apprise
from apprise.attachment.memory import AttachMemory

from notify.message import AlertMessage
from notify.outcome import Delivered, Failed
from notify.render import push_body, subject
from schemas.severity import Severity

LARGEST_PICTURE_BYTES = 3_000_000
_MOST_HANGING = 2
_SCHEMA = re.compile(r"\s*([A-Za-z][A-Za-z0-9]{0,19})://")
_STATUS = re.compile(r"\berror=([1-5][0-9]{2})\b")
_TRY_AGAIN = frozenset({408, 425, 429})
_TYPES = {
    Severity.LOW: apprise.NotifyType.INFO,
    Severity.MEDIUM: apprise.NotifyType.INFO,
    Severity.HIGH: apprise.NotifyType.WARNING,
    Severity.CRITICAL: apprise.NotifyType.FAILURE,
}


def push_recipient(url: str) -> str:
    """`ntfy:1a2b3c4d`, the same at every start. The digest is a slow one: a short password in a URL is guessable."""
    schema = _SCHEMA.match(url)
    digest = hashlib.scrypt(url.encode(), salt=b"push recipient", n=2**12, r=8, p=1, dklen=4).hex()
    return f"{schema[1].lower() if schema else 'push'}:{digest}"


class PushChannel:
    """Runs Apprise, which blocks, in threads that nobody waits for longer than `total_seconds`."""

    def __init__(self, urls: Sequence[str], *, total_seconds: float = 20.0) -> None:
        self._urls = {push_recipient(url): url for url in urls}
        self._total_seconds = total_seconds
        self._hanging: dict[str, list[threading.Thread]] = {name: [] for name in self._urls}
        _keep_urls_out_of_logs()

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(self._urls)

    async def send(self, recipient: str, message: AlertMessage) -> Delivered | Failed:
        url = self._urls.get(recipient)
        if url is None:
            return Failed("the recipient is not one of PUSH_URLS", permanent=True)
        self._hanging[recipient] = [thread for thread in self._hanging[recipient] if thread.is_alive()]
        if len(self._hanging[recipient]) >= _MOST_HANGING:
            return Failed(f"{recipient}: earlier messages still wait for an answer", permanent=False)
        try:
            async with asyncio.timeout(self._total_seconds):
                return await self._in_thread(recipient, url, message)
        except TimeoutError:
            return Failed(f"{recipient} did not answer within {self._total_seconds:g} s", permanent=False)

    async def _in_thread(self, recipient: str, url: str, message: AlertMessage) -> Delivered | Failed:
        # A daemon thread of our own: a pool's thread that hangs would also hang the end of the process.
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Delivered | Failed] = loop.create_future()

        def work() -> None:
            result: Delivered | Failed = Failed(f"{recipient} failed in Apprise", permanent=False)
            try:
                result = _notify(recipient, url, message)
            finally:
                # The loop may be gone by now, and with it everybody who would want to know.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(_settle, outcome, result)

        thread = threading.Thread(target=work, name=f"push {recipient}", daemon=True)
        thread.start()
        try:
            return await outcome
        finally:
            if outcome.cancelled():
                self._hanging[recipient].append(thread)


def _settle(outcome: "asyncio.Future[Delivered | Failed]", result: Delivered | Failed) -> None:
    if not outcome.done():
        outcome.set_result(result)


def _notify(recipient: str, url: str, message: AlertMessage) -> Delivered | Failed:
    """Blocks. Whatever a plug-in throws is one more way for a delivery to fail, and its text may hold the URL."""
    try:
        service = apprise.Apprise.instantiate(url, asset=_asset())
        if service is None:
            return Failed(f"{recipient} is not a URL that Apprise understands", permanent=True)
        sender = apprise.Apprise(asset=_asset())
        sender.add(service)
        result = sender.notify(
            title=subject(message),
            body=push_body(message),
            body_format=apprise.NotifyFormat.TEXT,
            notify_type=_TYPES[message.severity],
            attach=_attachment(message),
        )
    except Exception as error:
        return Failed(f"{recipient} failed in Apprise ({type(error).__name__})", permanent=False)
    # Not the result's own truth: a URL with `optional=yes` is a success to Apprise when it fails.
    if any(bool(attempt) for service_result in result for attempt in service_result):
        return Delivered(f"accepted by {recipient}")
    return _failed(recipient, [entry.message for entry in result.logs()])


def _failed(recipient: str, log: list[str]) -> Failed:
    """Of Apprise's own words only the HTTP status is taken: the rest may hold hosts, names and tokens."""
    statuses = [int(found[1]) for line in log if (found := _STATUS.search(line))]
    if not statuses:
        return Failed(f"{recipient} could not be reached or refused the message", permanent=False)
    status = statuses[-1]
    refused = 300 <= status < 500 and status not in _TRY_AGAIN
    return Failed(f"{recipient} answered HTTP {status}", permanent=refused)


def _attachment(message: AlertMessage) -> AttachMemory | None:
    if message.picture is None or len(message.picture) > LARGEST_PICTURE_BYTES:
        return None
    return AttachMemory(content=message.picture, name="alert.jpg", mimetype="image/jpeg")


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(
        app_id="Home Security",
        app_desc="Alerts of the home security system",
        async_mode=False,
        # A redirect would carry the credentials to wherever the answer points.
        http_redirects=False,
        secure_logging=True,
        storage_mode="memory",
        pgp_autogen=False,
        pem_autogen=False,
        service_timeout=0,
    )


def _keep_urls_out_of_logs() -> None:
    """Apprise logs hosts at warning and whole URLs at debug level, urllib3 every path; we log outcomes ourselves."""
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logging.getLogger("urllib3").setLevel(logging.ERROR)
