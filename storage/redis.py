"""The connection to Redis: bounded in every wait, and its driver's errors become ours.

Only commands of Redis 6.2 are used, so that any server of the last years serves, Valkey too.
"""

import socket
from types import TracebackType

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, OutOfMemoryError, RedisError, ResponseError

from storage.errors import StoreError, StoreUnavailable

CONNECT_SECONDS = 2.0
REPLY_SECONDS = 5.0
ADDRESS_HELP = "write it as redis://:password@host:6379/0, with special characters in the password percent-encoded"
_KEEP_ALIVE = {
    getattr(socket, option): value
    for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
    if hasattr(socket, option)  # not on every system
}


def connect_redis(url: str) -> redis.asyncio.Redis:
    """A client that connects when it is first used; text in, text out.

    No call takes longer than a few seconds whatever the server does, and none is repeated by itself: a repeated
    INCR or XADD would count or send twice.
    """
    try:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=64,
            timeout=CONNECT_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=REPLY_SECONDS,
            socket_keepalive=True,
            socket_keepalive_options=_KEEP_ALIVE,
            health_check_interval=30,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,  # CLIENT SETINFO is younger than 6.2
            decode_responses=True,
        )
    except ValueError:  # may quote a part of the password
        raise StoreUnavailable(f"the address of Redis cannot be understood: {ADDRESS_HELP}") from None
    return redis.asyncio.Redis.from_pool(pool)


class RedisErrors:
    """`with redis_errors():` around what talks to Redis; every OSError inside counts as Redis's."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, RedisError | OSError):
            words = f"Redis: {str(error)[:300] or type(error).__name__}"
            # What the server answers is a defect of ours, but for a login that fails or memory that is full.
            ours = isinstance(error, ResponseError) and not isinstance(error, AuthenticationError | OutOfMemoryError)
            raise StoreError(words) if ours else StoreUnavailable(words) from error


def redis_errors() -> RedisErrors:
    """The driver's errors become those of `storage.errors`."""
    return RedisErrors()
