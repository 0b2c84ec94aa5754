"""A wire between a client and a real server, which a test can cut, mend and hold."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Wire:
    """`async with Wire(address) as wire:` and `wire.address` leads to the same server."""

    def __init__(self, address: str) -> None:
        self._to = urlsplit(address)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0
        self._open = asyncio.Event()
        self._open.set()

    @property
    def address(self) -> str:
        login = self._to.netloc.rpartition("@")[0]
        return self._to._replace(netloc=f"{login}@127.0.0.1:{self._port}").geturl()

    @property
    def is_cut(self) -> bool:
        return self._server is None

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Every connection ends, and new ones are refused."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def hold(self) -> None:
        """New connections are taken, and nothing of them is carried before `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._open.wait()
        far_reader, far_writer = await asyncio.open_connection(self._to.hostname, self._to.port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
