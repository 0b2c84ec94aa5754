"""The one connection by which a process writes its log and its figures: opened when needed, given back when idle."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from schemas.log import NewLog
from schemas.metric import MetricSnapshot
from storage.errors import StoreError, StoreUnavailable
from storage.logs import insert_logs
from storage.metric_snapshots import report, retire_silent, touch
from storage.postgres import Connection, connect_once, store_errors

COMMAND_SECONDS = 10.0

_log = logging.getLogger(__name__)


class TelemetryStore(Protocol):
    """Where a process's lines and figures go. Every method may raise StoreUnavailable: the same call may work later."""

    async def write(self, lines: Sequence[NewLog]) -> int:
        """How many were stored; those that the database cannot hold are left out."""
        ...

    async def report(self, snapshot: MetricSnapshot, *, known: bool) -> bool: ...

    async def touch(self, process: str) -> bool: ...

    async def retire_silent(self) -> int: ...

    async def close(self) -> None: ...


class LogWriter:
    """A `TelemetryStore` in PostgreSQL; for one event loop, one call at a time."""

    def __init__(self, dsn: str, name: str) -> None:
        self._dsn = dsn
        self._name = f"{name} log"
        self._connection: Connection | None = None

    async def write(self, lines: Sequence[NewLog]) -> int:
        try:
            async with self._connected() as connection:
                await insert_logs(connection, lines)
        except StoreUnavailable:
            raise
        except StoreError as error:
            if len(lines) == 1:
                _log.error("a log line of %s cannot be stored: %s", lines[0].component, error)
                return 0
            return sum([await self.write([line]) for line in lines])
        return len(lines)

    async def report(self, snapshot: MetricSnapshot, *, known: bool) -> bool:
        async with self._connected() as connection:
            return await report(connection, snapshot, known=known)

    async def touch(self, process: str) -> bool:
        async with self._connected() as connection:
            return await touch(connection, process)

    async def retire_silent(self) -> int:
        async with self._connected() as connection:
            return await retire_silent(connection)

    async def close(self) -> None:
        """Gives the connection back; the next call opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with store_errors():
                await connection.close(timeout=2)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Connection]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect_once(self._dsn, self._name, command_seconds=COMMAND_SECONDS)
        try:
            with store_errors():
                yield self._connection
        except (StoreUnavailable, asyncio.CancelledError):
            # Nobody knows what this connection still has to say.
            self._connection.terminate()
            self._connection = None
            raise
