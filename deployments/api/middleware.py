"""What every request passes on its way in and out; plain ASGI, so that nothing is buffered and nothing blocks.

RequestFrame ─▶ HeadAsGet ─▶ Door ─▶ BodyLimit ─▶ the application
id, log,                     access/door.py: who, from where, how often
headers, last resort
"""

import logging
import re
from uuid import uuid4

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deployments.api.problem_response import problem_response, shown_path
from deployments.api.request_figures import RequestFigures
from domain.clock import Clock
from storage.log_context import request_id

MOST_BODY_BYTES = 10 * 1024 * 1024

_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_UNLESS_SET = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_HANG_UP = {"Connection": "close"}  # or the server would read, and throw away, what is still to come

_log = logging.getLogger(__name__)


class RequestIds(logging.Filter):
    """Gives every log record of a request its `request_id`; put it on a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get() or "-"
        return True


class RequestFrame:
    """Names the request, counts and logs it, sets the security headers, answers what nobody caught with a bare 500."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._figures = RequestFigures()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        name = _given_or_new(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = name
        token = request_id.set(name)
        try:
            if scope["type"] == "websocket":
                await self._app(scope, receive, send)
            else:
                await self._answer(scope, receive, send, name)
        finally:
            request_id.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, name: str) -> None:
        started = self._clock.monotonic()
        status: int | None = None

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _dress(MutableHeaders(scope=message), name)
            await send(message)

        try:
            await self._app(scope, receive, framed)
        except Exception:  # the last resort: whatever it is, the client gets a problem and the log gets the trace
            _log.exception("%s %s failed, request %s", scope["method"], shown_path(scope), name)
            if status is not None:
                raise
            await problem_response(scope, 500, "Something went wrong here; the log has it under this request id.")(
                scope, receive, framed
            )
        finally:
            ended = self._clock.monotonic()
            self._figures.count(scope, status, ended - started)
            if self._figures.worth_a_line(scope, status, ended - started, ended):
                self._tell(scope, status, (ended - started) * 1000, name)

    @staticmethod
    def _tell(scope: Scope, status: int | None, milliseconds: float, name: str) -> None:
        _log.info(
            "%s %s %s %.1f ms, request %s",
            scope["method"],
            shown_path(scope),
            status or "-",
            milliseconds,
            name,
            extra={"duration_ms": round(milliseconds, 3)},
        )


class BodyLimit:
    """Refuses a body that is too large, by its announced length or as soon as too much of it has come."""

    def __init__(self, app: ASGIApp, most_bytes: int = MOST_BODY_BYTES) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and (len(announced) > 18 or int(announced) > self._most):
            await problem_response(scope, 413, self._detail, headers=_HANG_UP)(scope, receive, send)
            return
        come = 0

        async def counted() -> Message:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > self._most:
                raise HTTPException(413, self._detail, _HANG_UP)
            return message

        await self._app(scope, counted, send)

    @property
    def _detail(self) -> str:
        return f"A body may have at most {self._most // (1024 * 1024)} MB."


class HeadAsGet:
    """HEAD is GET without the body, for every route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        inner = {**scope, "method": "GET"}
        await self._app(inner, receive, without_body)
        scope["route"] = inner.get("route")  # for who counts requests by their route


def _given_or_new(name: str | None) -> str:
    return name if name is not None and _SANE_ID.fullmatch(name) else uuid4().hex


def _dress(headers: MutableHeaders, name: str) -> None:
    headers["X-Request-ID"] = name
    for header, value in _ALWAYS.items():
        headers[header] = value
    for header, value in _UNLESS_SET.items():
        headers.setdefault(header, value)
