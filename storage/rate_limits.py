"""Buckets of tokens in Redis, which all API replicas share; one script, one round trip, by Redis's own clock."""

import redis.asyncio

from domain.rate_limit import Grant, Limit
from storage.redis import redis_errors
from storage.redis_keys import rate_limit

_TAKE = """
local capacity, per_second, asked = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or capacity, tonumber(bucket[2]) or now
tokens = math.min(capacity, tokens + math.max(0, now - at) * per_second)
local granted = math.min(asked, math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / per_second * 1000) + 1000)
return {granted, string.format('%.6f', tokens)}
"""


class RateLimits:
    """Every client's bucket for each tier; a full one is forgotten."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._take = client.register_script(_TAKE)

    async def take(self, tier: str, client: str, limit: Limit, asked: int) -> Grant:
        """As many tokens as there are, at most those asked for. Raises StoreUnavailable."""
        with redis_errors():
            granted, left = await self._take(
                keys=[rate_limit(tier, client)], args=[limit.per_minute, limit.per_second, asked]
            )
        return Grant(int(granted), float(left))
