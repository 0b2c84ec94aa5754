"""The live bus: numbers without gaps, the last thousand kept, replays that tell what is missing."""

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime
from uuid import UUID

import pytest
import redis.asyncio

from schemas.frame import LiveChannel, NewFrame
from storage.errors import StoreUnavailable
from storage.live_bus import KEPT, LiveBus
from storage.redis import connect_redis
from storage.redis_keys import live_stream
from tests.storage.embedded_stores import ROOT

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
EVENTS, ALERTS = LiveChannel.EVENTS, LiveChannel.ALERTS
PUBLISHER = """
import asyncio, sys
from datetime import UTC, datetime
from schemas.frame import LiveChannel, NewFrame
from storage.live_bus import LiveBus
from storage.redis import connect_redis

async def main():
    client = connect_redis(sys.argv[1])
    bus = LiveBus(client)
    frame = NewFrame(type="event.created", channel=LiveChannel.EVENTS, data={})
    for _ in range(50):
        assert await bus.publish([frame, frame], datetime.now(UTC)) == 2
    await client.aclose()

asyncio.run(main())
"""


def frames(count: int, channel: LiveChannel = EVENTS) -> list[NewFrame]:
    frame_type = "event.created" if channel is EVENTS else "alert.created"
    return [NewFrame(type=frame_type, channel=channel, data={"id": number}) for number in range(count)]


@pytest.fixture
def bus(redis_client: redis.asyncio.Redis) -> LiveBus:
    return LiveBus(redis_client)


async def sequences(bus: LiveBus, channel: LiveChannel = EVENTS, after: int = 0) -> list[int]:
    return [frame.sequence for frame in (await bus.replay(channel, after))[0]]


async def test_numbers_begin_at_one_and_rise_by_one_in_each_channel(bus: LiveBus) -> None:
    assert await bus.publish([*frames(2), *frames(3, ALERTS), *frames(1)], NOW) == 6
    assert await sequences(bus) == [1, 2, 3]
    assert await sequences(bus, ALERTS) == [1, 2, 3]


async def test_a_frame_comes_back_as_it_was_published(bus: LiveBus) -> None:
    data = {"summary": "a person at the Tür", "score": 0.5, "none": None, "ids": [1, 2], "box": {"x": 1.25}}
    await bus.publish([NewFrame(type="event.created", channel=EVENTS, data=data)], NOW)
    (frame,), truncated = await bus.replay(EVENTS, 0)
    assert (frame.type, frame.data, frame.timestamp, frame.sequence) == ("event.created", data, NOW, 1)
    assert (frame.channel, frame.replay, truncated) == (EVENTS, True, False)


async def test_times_and_ids_in_the_data_become_text(bus: LiveBus) -> None:
    some_id = UUID("12345678-1234-5678-1234-567812345678")
    await bus.publish([NewFrame(type="alert.created", channel=ALERTS, data={"at": NOW, "id": some_id})], NOW)
    (frame,), _ = await bus.replay(ALERTS, 0)
    assert frame.data == {"at": "2026-05-01T12:00:00Z", "id": str(some_id)}


async def test_nothing_to_publish_is_nothing(bus: LiveBus, redis_client: redis.asyncio.Redis) -> None:
    assert await bus.publish([], NOW) == 0
    assert await redis_client.dbsize() == 0


async def test_a_replay_gives_what_follows_the_number(bus: LiveBus) -> None:
    await bus.publish(frames(5), NOW)
    assert await sequences(bus, after=3) == [4, 5]
    assert await bus.replay(EVENTS, 5) == ((), False)


async def test_a_replay_of_a_silent_channel_is_empty_and_whole(bus: LiveBus) -> None:
    assert await bus.replay(EVENTS, 0) == ((), False)
    assert await bus.last_sequence(EVENTS) == 0


async def test_exactly_the_last_thousand_are_kept(bus: LiveBus, redis_client: redis.asyncio.Redis) -> None:
    await bus.publish(frames(KEPT + 7), NOW)
    assert await redis_client.xlen(live_stream(EVENTS)) == KEPT == 1000
    assert await sequences(bus, after=1000) == list(range(1001, 1008))


async def test_a_replay_from_before_what_is_kept_says_that_it_is_not_whole(bus: LiveBus) -> None:
    await bus.publish(frames(KEPT + 7), NOW)
    kept, truncated = await bus.replay(EVENTS, 6)
    assert (kept[0].sequence, truncated) == (8, True)
    kept, truncated = await bus.replay(EVENTS, 7)
    assert (kept[0].sequence, truncated) == (8, False)


async def test_a_number_that_was_not_given_out_yet_gets_everything_and_is_told_so(bus: LiveBus) -> None:
    await bus.publish(frames(3), NOW)
    kept, truncated = await bus.replay(EVENTS, 57)
    assert ([frame.sequence for frame in kept], truncated) == ([1, 2, 3], True)


async def test_a_negative_number_is_the_beginning(bus: LiveBus) -> None:
    await bus.publish(frames(2), NOW)
    assert await sequences(bus, after=-5) == [1, 2]


async def test_a_publisher_goes_on_counting_when_redis_has_lost_everything(
    bus: LiveBus, redis_client: redis.asyncio.Redis
) -> None:
    await bus.publish(frames(3), NOW)
    await redis_client.flushall()
    await bus.publish(frames(1), NOW)
    assert await bus.replay(EVENTS, 3) == (tuple((await bus.replay(EVENTS, 0))[0]), False)
    assert await sequences(bus) == [4]


async def test_the_script_is_sent_again_when_redis_has_forgotten_it(
    bus: LiveBus, redis_client: redis.asyncio.Redis
) -> None:
    await bus.publish(frames(1), NOW)
    await redis_client.script_flush()
    assert await bus.publish(frames(1), NOW) == 1


async def test_publishers_at_once_leave_no_gap_and_no_double(redis_url: str, bus: LiveBus) -> None:
    clients = [connect_redis(redis_url) for _ in range(4)]
    buses = [LiveBus(client) for client in clients]
    await asyncio.gather(*(each.publish(frames(5), NOW) for each in buses for _ in range(20)))
    assert await sequences(bus) == list(range(1, 401))
    for client in clients:
        await client.aclose()


async def test_publishers_in_four_processes_leave_no_gap_and_no_double(redis_url: str, bus: LiveBus) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
    command = [sys.executable, "-c", PUBLISHER, redis_url]
    publishers = [await asyncio.create_subprocess_exec(*command, env=environment) for _ in range(4)]
    assert [await publisher.wait() for publisher in publishers] == [0, 0, 0, 0]
    assert await sequences(bus) == list(range(1, 401))


async def test_without_redis_frames_are_counted_as_lost_and_nothing_is_raised() -> None:
    client = connect_redis("redis://127.0.0.1:1/0")
    bus = LiveBus(client)
    assert await bus.publish(frames(3), NOW) == 0
    assert await bus.publish(frames(2), NOW) == 0
    assert bus.lost == 5
    await client.aclose()


async def test_a_redis_that_hangs_is_not_waited_for_again_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, by the kernel's queue, and says nothing
        silent.setblocking(False)
        client = connect_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        bus = LiveBus(client)
        for _ in range(100):
            assert await bus.publish(frames(1), NOW) == 0
        assert bus.lost == 100
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # one connection was made for all of them
            silent.accept()
        await client.aclose()


async def test_a_publish_that_was_given_up_does_not_disturb_the_next(redis_client: redis.asyncio.Redis) -> None:
    bus = LiveBus(redis_client)
    publishing = asyncio.create_task(bus.publish(frames(500), NOW))
    await asyncio.sleep(0)
    publishing.cancel()
    await asyncio.gather(publishing, return_exceptions=True)
    assert await bus.publish(frames(1, ALERTS), NOW) == 1
    assert await sequences(bus, ALERTS) == [1]


async def test_without_redis_a_replay_is_an_outage() -> None:
    client = connect_redis("redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnavailable):
        await LiveBus(client).replay(EVENTS, 0)
    await client.aclose()


async def test_data_that_is_no_json_is_an_error_and_publishes_nothing(
    bus: LiveBus, redis_client: redis.asyncio.Redis
) -> None:
    bad = NewFrame(type="event.created", channel=EVENTS, data={"object": object()})
    with pytest.raises(ValueError, match="serialize"):
        await bus.publish([*frames(1), bad], NOW)
    assert await redis_client.dbsize() == 0


@pytest.mark.parametrize(("frame_type", "channel"), [("event.invented", EVENTS), ("event.created", ALERTS)])
async def test_a_type_that_is_not_registered_for_its_channel_is_an_error(
    bus: LiveBus, redis_client: redis.asyncio.Redis, frame_type: str, channel: LiveChannel
) -> None:
    with pytest.raises(ValueError, match="registered"):
        await bus.publish([*frames(1), NewFrame(type=frame_type, channel=channel, data={})], NOW)
    assert await redis_client.dbsize() == 0


async def test_the_newest_frame_of_a_type_is_found_among_others(bus: LiveBus) -> None:
    def status(number: int) -> NewFrame:
        return NewFrame(type="system.status", channel=LiveChannel.SYSTEM, data={"number": number})

    other = NewFrame(type="gpu.stats_updated", channel=LiveChannel.SYSTEM, data={})
    await bus.publish([status(1), other, status(2), other, other], NOW)
    newest = await bus.newest(LiveChannel.SYSTEM, "system.status")
    assert newest is not None
    assert (newest.data, newest.sequence, newest.replay) == ({"number": 2}, 3, True)
    assert await bus.newest(LiveChannel.SYSTEM, "service_status") is None
