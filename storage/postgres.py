"""The connection pool to PostgreSQL, and the one place where its driver's errors become ours."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

import asyncpg

from storage.errors import Conflict, InvalidValue, StoreError, StoreUnavailable

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    PooledConnection: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:  # the driver's classes are generic in its stubs only
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection
    PooledConnection = asyncpg.pool.PoolConnectionProxy

CONNECT_SECONDS = 10.0  # on a machine whose processors a model keeps busy, 5 s were too few
# A whole start depends on its first connections, and the machine is at its busiest then: they may take their time.
START_CONNECT_SECONDS = 60.0
ACQUIRE_SECONDS = 10.0
COMMAND_SECONDS = 30.0
ADDRESS_HELP = (
    "write it as postgresql://user:password@host:5432/database, with special characters in the password percent-encoded"
)

# The server gives up a little before the client does, so that its error tells why and the connection lives on.
_SESSION = {
    "timezone": "UTC",
    "statement_timeout": "28s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}

_UNFIT = (asyncpg.DataError, asyncpg.exceptions._base.DataError, asyncpg.ProgramLimitExceededError)
_LATER = (
    OSError,  # TimeoutError among them
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, statement timeout
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,  # no such database
    asyncpg.PostgresSystemError,  # the server's disk fails
    asyncpg.InterfaceError,  # the connection or the pool is closed
    asyncpg.InternalClientError,
)

P = ParamSpec("P")
T = TypeVar("T")


def translate(error: BaseException) -> StoreError | None:
    """Our error for the driver's; None for one that is not the driver's."""
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        name = error.constraint_name or ""
        return Conflict(f"this contradicts what is stored ({name or error.column_name})", name)
    words = str(error)[:300] or type(error).__name__
    if isinstance(error, _UNFIT):
        return InvalidValue(f"the database cannot hold this value: {words}")
    if isinstance(error, _LATER):
        return StoreUnavailable(f"PostgreSQL: {words}")
    if isinstance(error, asyncpg.PostgresError):
        return StoreError(f"PostgreSQL refused a statement: {words}")
    return None


class StoreErrors:
    """`with store_errors():` around, or `@store_errors()` over a coroutine function that talks to PostgreSQL.

    Every OSError inside counts as PostgreSQL's: do no other input or output there.
    """

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        translated = translate(error) if error is not None else None
        if translated is not None:
            raise translated from error

    def __call__(self, function: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(function)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with self:
                return await function(*args, **kwargs)

        return guarded


def store_errors() -> StoreErrors:
    """The driver's errors become those of `storage.errors`; asyncpg's never leave."""
    return StoreErrors()


async def connect_pool(
    dsn: str, min_size: int, max_size: int, application_name: str, connect_seconds: float | None = None
) -> Pool:
    """A pool with at least one open connection; `StoreUnavailable` when there is no way to get one.

    `connect_seconds` is for whoever has more patience than CONNECT_SECONDS. Values of `json` and `jsonb` columns come
    and go as Python objects.
    """
    with store_errors(), _unquoted_address():
        return await asyncpg.create_pool(
            dsn,
            min_size=max(1, min_size),  # at 0 nothing would be tried, and an absent server not noticed
            max_size=max(1, min_size, max_size),
            timeout=connect_seconds or CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings=_SESSION | {"application_name": application_name[:63]},
            init=_prepare,
        )


async def connect_once(
    dsn: str,
    application_name: str,
    command_seconds: float = COMMAND_SECONDS,
    connect_seconds: float | None = None,
) -> Connection:
    """A connection outside any pool, for migrations and probes; the caller closes it.

    `connect_seconds` is for whoever has more patience than CONNECT_SECONDS.
    """
    with store_errors(), _unquoted_address():
        connection: Connection = await asyncpg.connect(
            dsn,
            timeout=connect_seconds or CONNECT_SECONDS,
            command_timeout=command_seconds,
            server_settings={"timezone": "UTC", "application_name": application_name[:63]},
        )
        return connection


@asynccontextmanager
async def acquired(pool: Pool) -> AsyncIterator[PooledConnection]:
    """One connection for several statements; a pool with none to give within 10 s is `StoreUnavailable`."""
    with store_errors():
        try:
            connection = await pool.acquire(timeout=ACQUIRE_SECONDS)
        except TimeoutError:
            raise StoreUnavailable("PostgreSQL: no connection became free") from None
        try:
            yield connection
        finally:
            await pool.release(connection)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[PooledConnection]:
    """One transaction: committed when the block ends, rolled back when it raises."""
    async with acquired(pool) as connection, connection.transaction():
        yield connection


@contextmanager
def _unquoted_address() -> Iterator[None]:
    """The driver's complaint about an address may quote a part of the password; ours does not."""
    try:
        yield
    except ValueError:
        raise StoreUnavailable(f"the address of the PostgreSQL database cannot be understood: {ADDRESS_HELP}") from None


async def _prepare(connection: Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    _keep_alive(connection)


def _keep_alive(connection: Connection) -> None:
    """Notice a server that vanished without a word (power, firewall); asyncpg has no public way to its socket."""
    transport: asyncio.BaseTransport | None = getattr(connection, "_transport", None)
    raw = transport.get_extra_info("socket") if transport is not None else None
    if raw is None or raw.family not in (socket.AF_INET, socket.AF_INET6):
        return
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # not on every system
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
