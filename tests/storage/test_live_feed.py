"""The live feed: every frame once, in order, through reconnects and losses of Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio
import redis.asyncio

from schemas.frame import Frame, LiveChannel, NewFrame
from schemas.frame_types import CHANNEL_OF
from storage.embedded import EmbeddedRedis
from storage.errors import StoreUnavailable
from storage.live_bus import LiveBus
from storage.redis import connect_redis
from storage.redis_keys import live_stream
from tests.storage.embedded_stores import kill
from tests.stores import data_folder

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
EVENTS, ALERTS = LiveChannel.EVENTS, LiveChannel.ALERTS


def frame(channel: LiveChannel = EVENTS) -> NewFrame:
    frame_type = next(name for name, its_channel in CHANNEL_OF.items() if its_channel is channel)
    return NewFrame(type=frame_type, channel=channel, data={})


async def take(feed: AsyncIterator[Frame], count: int) -> list[tuple[LiveChannel, int]]:
    taken = [await anext(feed) for _ in range(count)]
    return [(frame.channel, frame.sequence) for frame in taken]


@pytest.fixture
def bus(redis_client: redis.asyncio.Redis) -> LiveBus:
    return LiveBus(redis_client)


@pytest.fixture
def own_redis() -> Iterator[EmbeddedRedis]:
    """A server that a test may kill."""
    with data_folder() as folder:
        server = EmbeddedRedis(folder)
        server.start()
        yield server
        server.stop()


@pytest_asyncio.fixture
async def own_client(own_redis: EmbeddedRedis) -> AsyncIterator[redis.asyncio.Redis]:
    client = connect_redis(own_redis.start())
    yield client
    await client.aclose()


async def test_it_begins_at_the_current_end(bus: LiveBus) -> None:
    await bus.publish([frame(), frame()], NOW)
    feed = bus.feed()
    await feed.start()
    await bus.publish([frame()], NOW)
    assert await take(aiter(feed), 1) == [(EVENTS, 3)]


async def test_it_carries_every_channel(bus: LiveBus) -> None:
    feed = bus.feed()
    await feed.start()
    await bus.publish([frame(channel) for channel in LiveChannel], NOW)
    assert sorted(await take(aiter(feed), 6)) == sorted((channel, 1) for channel in LiveChannel)


async def test_its_frames_are_not_marked_as_replayed(bus: LiveBus) -> None:
    feed = bus.feed()
    await feed.start()
    await bus.publish([frame()], NOW)
    assert (await anext(aiter(feed))).replay is False


async def test_two_feeds_get_every_frame_each(bus: LiveBus) -> None:
    feeds = [bus.feed(), bus.feed()]
    for feed in feeds:
        await feed.start()
    await bus.publish([frame(), frame()], NOW)
    for feed in feeds:
        assert await take(aiter(feed), 2) == [(EVENTS, 1), (EVENTS, 2)]


async def test_a_second_iteration_goes_on_where_the_first_ended(bus: LiveBus) -> None:
    feed = bus.feed()
    await feed.start()
    await bus.publish([frame()], NOW)
    assert await take(aiter(feed), 1) == [(EVENTS, 1)]
    await bus.publish([frame()], NOW)
    assert await take(aiter(feed), 1) == [(EVENTS, 2)]


async def test_more_frames_than_one_read_gives_come_in_order(bus: LiveBus) -> None:
    feed = bus.feed()
    await feed.start()
    await bus.publish([frame()] * 900, NOW)
    assert await take(aiter(feed), 900) == [(EVENTS, number) for number in range(1, 901)]
    assert feed.missed == 0


async def test_frames_that_were_gone_before_they_could_be_read_are_counted(bus: LiveBus) -> None:
    feed = bus.feed()
    await feed.start()
    await bus.publish([frame()] * 1010, NOW)
    assert await take(aiter(feed), 1) == [(EVENTS, 11)]
    assert feed.missed == 10


async def test_an_entry_that_is_no_frame_is_passed_over(bus: LiveBus, redis_client: redis.asyncio.Redis) -> None:
    feed = bus.feed()
    await feed.start()
    await redis_client.xadd(live_stream(EVENTS), {"frame": "not json"}, id="1-0")
    await redis_client.xadd(live_stream(EVENTS), {"other": "field"}, id="2-0")
    await bus.publish([frame()], NOW)
    assert await take(aiter(feed), 1) == [(EVENTS, 3)]


async def test_after_a_loss_of_all_data_it_goes_on_with_the_new_numbers(
    bus: LiveBus, redis_client: redis.asyncio.Redis
) -> None:
    await bus.publish([frame()] * 5, NOW)
    feed = bus.feed()
    await feed.start()
    await redis_client.flushall()
    await LiveBus(redis_client).publish([frame()], NOW)  # a publisher that knows of no earlier numbers
    assert await take(aiter(feed), 1) == [(EVENTS, 1)]
    assert (feed.restarts, feed.missed) == (1, 0)


async def test_a_restart_of_redis_costs_no_frame(own_redis: EmbeddedRedis, own_client: redis.asyncio.Redis) -> None:
    bus = LiveBus(own_client)
    feed = bus.feed()
    await feed.start()
    await bus.publish([frame(), frame(ALERTS)], NOW)
    frames = aiter(feed)
    assert sorted(await take(frames, 2)) == [(ALERTS, 1), (EVENTS, 1)]
    kill(own_redis)
    await asyncio.to_thread(own_redis.restart_if_dead)
    await bus.publish([frame(), frame()], NOW)
    assert await take(frames, 2) == [(EVENTS, 2), (EVENTS, 3)]
    assert (feed.restarts, feed.missed) == (0, 0)


async def test_a_feed_that_is_begun_without_redis_begins_when_it_is_there(
    own_redis: EmbeddedRedis, own_client: redis.asyncio.Redis
) -> None:
    kill(own_redis)
    feed = LiveBus(own_client).feed()
    with pytest.raises(StoreUnavailable):
        await feed.start()
    await asyncio.to_thread(own_redis.restart_if_dead)
    await feed.start()
    await LiveBus(own_client).publish([frame()], NOW)
    assert await take(aiter(feed), 1) == [(EVENTS, 1)]
