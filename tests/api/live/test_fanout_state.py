"""How the reading of live frames goes, as the health of the WebSockets shows it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import redis.asyncio

from deployments.api.live.fanout import BroadcasterState, LiveFanout
from schemas.breaker import BreakerState
from storage.embedded import EmbeddedRedis
from storage.live_bus import LiveBus
from storage.redis import connect_redis
from tests.eventually import eventually
from tests.storage.embedded_stores import kill
from tests.stores import data_folder

WELL = BroadcasterState(BreakerState.CLOSED, 0, None)


@pytest.fixture
async def fanout(redis_client: redis.asyncio.Redis) -> AsyncIterator[LiveFanout]:
    made = LiveFanout(LiveBus(redis_client))
    yield made
    await made.close()


async def test_it_is_closed_while_frames_can_flow_even_before_the_first_client(fanout: LiveFanout) -> None:
    assert await fanout.state() == WELL
    await eventually(lambda: fanout.connected)
    assert await fanout.state() == WELL


async def test_asking_leaves_one_reader(fanout: LiveFanout) -> None:
    await asyncio.gather(*(fanout.state() for _ in range(20)))
    assert len([task for task in asyncio.all_tasks() if task.get_name() == "live-fanout"]) == 1


async def test_without_redis_it_is_open_from_the_first_question_on() -> None:
    client = connect_redis("redis://127.0.0.1:1/0")
    fanout = LiveFanout(LiveBus(client))
    state = await fanout.state()
    assert state.state is not BreakerState.CLOSED
    assert state.failures >= 1
    assert state.last_failure is not None
    assert abs((datetime.now(UTC) - state.last_failure).total_seconds()) < 60
    assert not fanout.connected
    await fanout.close()
    await client.aclose()


async def test_a_redis_that_says_nothing_is_being_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = connect_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        fanout = LiveFanout(LiveBus(client))
        assert (await fanout.state()).state is BreakerState.HALF_OPEN
        await fanout.close()
        await client.aclose()


async def test_it_closes_again_when_redis_is_back_and_remembers_when_it_failed() -> None:
    with data_folder() as folder:
        server = EmbeddedRedis(folder)
        client = connect_redis(server.start())
        fanout = LiveFanout(LiveBus(client))
        assert await fanout.state() == WELL
        await eventually(lambda: fanout.connected)
        kill(server)
        await eventually(lambda: _is_closed(fanout, False))
        await asyncio.to_thread(server.restart_if_dead)
        await eventually(lambda: _is_closed(fanout, True))
        state = await fanout.state()
        assert (state.failures, state.last_failure is None) == (0, False)
        await fanout.close()
        await client.aclose()
        server.stop()


async def _is_closed(fanout: LiveFanout, closed: bool) -> bool:
    return ((await fanout.state()).state is BreakerState.CLOSED) is closed
