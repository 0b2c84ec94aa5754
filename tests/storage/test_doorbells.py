"""Doorbells: heard across processes, sticky, and harmless when Redis is away."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import redis.asyncio

from storage.doorbells import Doorbells
from storage.embedded import EmbeddedRedis
from storage.redis import connect_redis
from tests.eventually import eventually
from tests.storage.embedded_stores import kill
from tests.stores import data_folder

LONG = 60.0


@pytest_asyncio.fixture
async def doorbells(redis_client: redis.asyncio.Redis) -> AsyncIterator[Doorbells]:
    doorbells = Doorbells(redis_client)
    yield doorbells
    await doorbells.aclose()


@pytest_asyncio.fixture
async def elsewhere(redis_url: str) -> AsyncIterator[Doorbells]:
    """Another process's: a client and a subscription of its own."""
    client = connect_redis(redis_url)
    doorbells = Doorbells(client)
    yield doorbells
    await doorbells.aclose()
    await client.aclose()


async def listening(doorbells: Doorbells, *names: str) -> None:
    """The subscription stands and its greeting is consumed."""
    assert all(await asyncio.gather(*(doorbells.wait(name, LONG) for name in names)))


async def test_a_ring_elsewhere_wakes_a_waiter(doorbells: Doorbells, elsewhere: Doorbells) -> None:
    await listening(doorbells, "media")
    waiting = asyncio.create_task(doorbells.wait("media", LONG))
    await elsewhere.ring("media")
    assert await waiting is True


async def test_a_ring_between_look_and_wait_is_not_lost(doorbells: Doorbells, elsewhere: Doorbells) -> None:
    bell = doorbells.bell("media")
    assert await bell.wait(LONG)
    await elsewhere.ring("media")
    await eventually(bell._rung.is_set)
    assert await bell.wait(0) is True


async def test_a_ring_is_consumed_by_the_wait_that_heard_it(doorbells: Doorbells) -> None:
    await listening(doorbells, "media")
    await doorbells.ring("media")
    assert await doorbells.wait("media", LONG) is True
    assert await doorbells.wait("media", 0) is False


async def test_a_ring_for_another_name_wakes_nobody(doorbells: Doorbells) -> None:
    await listening(doorbells, "media", "batches")
    await doorbells.ring("batches")
    assert await doorbells.wait("batches", LONG) is True
    assert await doorbells.wait("media", 0) is False


async def test_every_ear_of_a_process_hears_a_ring(doorbells: Doorbells, elsewhere: Doorbells) -> None:
    bells = [doorbells.bell("media") for _ in range(3)]
    for bell in bells:
        assert await bell.wait(LONG)
    await elsewhere.ring("media")
    assert await asyncio.gather(*(bell.wait(LONG) for bell in bells)) == [True, True, True]


async def test_many_ears_share_one_subscription(doorbells: Doorbells, redis_client: redis.asyncio.Redis) -> None:
    await listening(doorbells, "media", "batches", "deliveries")
    assert await redis_client.pubsub_numpat() == 1


async def test_several_names_ring_at_once(doorbells: Doorbells) -> None:
    await listening(doorbells, "media", "batches")
    await doorbells.ring("media", "batches")
    assert await doorbells.wait("media", LONG)
    assert await doorbells.wait("batches", LONG)


async def test_rings_on_their_way_get_through_when_the_ringer_closes(
    doorbells: Doorbells, elsewhere: Doorbells
) -> None:
    await listening(doorbells, "media")
    await elsewhere.ring("media")
    await elsewhere.aclose()
    assert await doorbells.wait("media", LONG) is True


@pytest.fixture
def own_redis() -> Iterator[EmbeddedRedis]:
    """A server that a test may kill."""
    with data_folder() as folder:
        server = EmbeddedRedis(folder)
        server.start()
        yield server
        server.stop()


async def test_without_redis_a_ring_is_counted_and_a_wait_ends_in_time() -> None:
    client = connect_redis("redis://127.0.0.1:1/0")
    doorbells = Doorbells(client)
    await doorbells.ring("media")
    await eventually(lambda: doorbells.failures == 1)
    assert await doorbells.wait("media", 0.01) is False
    await doorbells.aclose()
    await client.aclose()


async def test_a_waiter_looks_and_hears_again_when_redis_is_back(own_redis: EmbeddedRedis) -> None:
    client = connect_redis(own_redis.start())
    doorbells = Doorbells(client)
    await listening(doorbells, "media")
    kill(own_redis)
    await eventually(lambda: not doorbells.connected)
    await asyncio.to_thread(own_redis.restart_if_dead)
    assert await doorbells.wait("media", LONG) is True  # what was rung meanwhile was not heard, so: look
    await doorbells.ring("media")
    assert await doorbells.wait("media", LONG) is True
    await doorbells.aclose()
    await client.aclose()
