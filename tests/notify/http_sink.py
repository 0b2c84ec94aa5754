"""A real HTTP server on loopback that keeps what it received and answers as it is told."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

Answer = Callable[["HttpSink", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Received:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    """A whole answer; `Retry_After="1"` becomes the header Retry-After."""

    async def write(_: "HttpSink", writer: asyncio.StreamWriter) -> None:
        fields = {"Content-Length": str(len(body)), **{name.replace("_", "-"): v for name, v in headers.items()}}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {status} Told\r\n{head}\r\n".encode() + body)
        await writer.drain()

    return write


async def hang(sink: "HttpSink", _: asyncio.StreamWriter) -> None:
    """Takes the request and says nothing."""
    await sink.closing.wait()


async def drip_headers(sink: "HttpSink", writer: asyncio.StreamWriter) -> None:
    """A header a moment, each in good time for a reader that only limits the single read."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await _drip(sink, writer, b"X-More: y\r\n")


async def drip_body(sink: "HttpSink", writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    await _drip(sink, writer, b"x")


async def endless_body(sink: "HttpSink", writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not sink.closing.is_set():
        sink.body_bytes_written += 16_384
        writer.write(b"4000\r\n" + b"z" * 16_384 + b"\r\n")
        await writer.drain()


async def reset_mid_body(_: "HttpSink", writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    _reset(writer)


async def reset_before_answer(_: "HttpSink", writer: asyncio.StreamWriter) -> None:
    _reset(writer)


async def not_http(_: "HttpSink", writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _drip(sink: "HttpSink", writer: asyncio.StreamWriter, drop: bytes) -> None:
    while not sink.closing.is_set():
        writer.write(drop)
        await writer.drain()
        await asyncio.sleep(0.01)


class HttpSink:
    """`async with HttpSink(answer(200)) as sink:` listens on a free port."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._answers = answers
        self._tls = tls
        self._host = host
        self._handlers: set[asyncio.Task[None]] = set()
        self.closing = asyncio.Event()
        self.asked = asyncio.Event()
        self.received: list[Received] = []
        self.body_bytes_written = 0
        self.connections = 0
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}/hook"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._handle, self._host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.close()
        for handler in list(self._handlers):
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        self.connections += 1
        try:
            request = await _read_request(reader)
            self.received.append(request)
            self.asked.set()
            await self._answers[min(len(self.received), len(self._answers)) - 1](self, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # The client hung up, which is what several tests are about, or the test is over.
            writer.transport.abort()
        finally:
            self._handlers.discard(task)
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return Received(head[0], headers, await reader.readexactly(int(headers.get("content-length", 0))))
