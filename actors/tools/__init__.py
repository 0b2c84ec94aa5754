"""What each actor opens in its own process: a module an actor, so that none loads what only another needs."""

import redis.asyncio as redis_client

from settings import Settings
from storage.postgres import Pool, connect_pool
from storage.redis import connect_redis

CONNECTIONS_AN_ACTOR = 4


async def open_pool(settings: Settings, name: str) -> Pool:
    """Raises StoreUnavailable while PostgreSQL is away; the caller's loop tries again."""
    assert settings.database_url is not None, "the stores are started before the actors"
    return await connect_pool(settings.database_url.get_secret_value(), 1, CONNECTIONS_AN_ACTOR, name)


def open_redis(settings: Settings) -> redis_client.Redis:
    """Connects at the first command; Redis may be away."""
    assert settings.redis_url is not None, "the stores are started before the actors"
    return connect_redis(settings.redis_url.get_secret_value())
