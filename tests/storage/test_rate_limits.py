"""Buckets in Redis: shared, filled by Redis's clock, forgotten when full."""

import asyncio

import pytest
import redis.asyncio

from domain.rate_limit import Limit
from storage.errors import StoreUnavailable
from storage.rate_limits import RateLimits
from storage.redis import connect_redis


async def test_a_bucket_gives_a_minutes_worth_and_then_nothing(redis_client: redis.asyncio.Redis) -> None:
    limits = RateLimits(redis_client)
    grants = [(await limits.take("read", "x", Limit(3), 1)).tokens for _ in range(5)]
    assert grants == [1, 1, 1, 0, 0]


async def test_it_fills_with_time(redis_client: redis.asyncio.Redis) -> None:
    limits = RateLimits(redis_client)
    await limits.take("read", "x", Limit(6), 6)
    assert (await limits.take("read", "x", Limit(6), 1)).tokens == 0
    at = float(await redis_client.hget("hsi:limit:read:x", "at") or 0)
    await redis_client.hset("hsi:limit:read:x", "at", f"{at - 10:.6f}")
    assert (await limits.take("read", "x", Limit(6), 1)).tokens == 1


async def test_takers_at_once_share_it(redis_client: redis.asyncio.Redis) -> None:
    both = RateLimits(redis_client), RateLimits(redis_client)
    taken = await asyncio.gather(*(both[n % 2].take("read", "x", Limit(30), 4) for n in range(20)))
    assert sum(grant.tokens for grant in taken) == 30


async def test_tiers_and_clients_are_apart(redis_client: redis.asyncio.Redis) -> None:
    limits = RateLimits(redis_client)
    taken = [await limits.take(tier, who, Limit(1), 1) for tier in ("read", "change") for who in ("x", "y")]
    assert [grant.tokens for grant in taken] == [1, 1, 1, 1]


async def test_a_bucket_is_forgotten_when_it_would_be_full(redis_client: redis.asyncio.Redis) -> None:
    await RateLimits(redis_client).take("read", "x", Limit(60), 30)
    assert 29_000 < await redis_client.pttl("hsi:limit:read:x") <= 31_100


async def test_a_smaller_limit_counts_at_once(redis_client: redis.asyncio.Redis) -> None:
    limits = RateLimits(redis_client)
    await limits.take("read", "x", Limit(1000), 1)
    assert (await limits.take("read", "x", Limit(5), 100)).tokens == 5


async def test_without_redis_it_says_so() -> None:
    client = connect_redis("redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnavailable):
        await RateLimits(client).take("read", "x", Limit(1), 1)
    await client.aclose()
