"""A pool that opens no connection until one is needed: for whoever must come up while PostgreSQL is away."""

import asyncpg

from storage.postgres import _SESSION, COMMAND_SECONDS, CONNECT_SECONDS, Pool, _prepare, _unquoted_address, store_errors


async def lazy_pool(dsn: str, max_size: int, application_name: str, command_seconds: float = COMMAND_SECONDS) -> Pool:
    """As `storage.postgres.connect_pool`, but tries nothing: a server that is away shows at the first query.

    Each query that finds no connection tries to make one, so it works again as soon as the server does.
    """
    with store_errors(), _unquoted_address():
        return await asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=max_size,
            timeout=CONNECT_SECONDS,
            command_timeout=command_seconds,
            server_settings=_SESSION | {"application_name": application_name[:63]},
            init=_prepare,
        )
