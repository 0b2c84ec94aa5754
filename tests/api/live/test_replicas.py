"""Several API replicas over one bus: every client sees one order, and a resync works on any of them."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator

import pytest
import uvicorn

from deployments.api.app import create_app
from deployments.api.deps import Services
from domain.clock import SystemClock
from schemas.frame import NewFrame
from schemas.frame_types import AlertAcknowledged, EventDeleted, frame
from settings import Settings
from storage.live_bus import LiveBus
from storage.redis import connect_redis
from tests.api.live.talking import client, heard, heard_of, say


@pytest.fixture
async def replicas(settings: Settings) -> AsyncIterator[list[str]]:
    """host:port of two replicas with services of their own."""
    running = []
    for _ in range(2):
        services = await Services.open(settings)
        listening = sockets.socket()
        listening.bind(("127.0.0.1", 0))
        app = create_app(services)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off", ws="websockets-sansio"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        running.append((listening.getsockname(), server, serving, services))
    yield [f"{host}:{port}" for (host, port), *_ in running]
    for _, server, serving, services in running:
        server.should_exit = True
        await serving
        await services.close()


@pytest.fixture
async def buses(redis_url: str) -> AsyncIterator[list[LiveBus]]:
    """Two publishers with connections of their own."""
    clients = [connect_redis(redis_url) for _ in range(2)]
    yield [LiveBus(one) for one in clients]
    for one in clients:
        await one.aclose()


def about(number: int) -> NewFrame:
    if number % 2:
        return frame(EventDeleted(id=number, reason="retention"))
    return frame(AlertAcknowledged.model_validate(AlertAcknowledged.example | {"event_id": number}))


async def publish(bus: LiveBus, start: int, count: int) -> None:
    for number in range(start, start + count):
        await bus.publish([about(number)], SystemClock().now())


async def test_clients_of_two_replicas_see_one_order(replicas: list[str], buses: list[LiveBus]) -> None:
    async with client(replicas[0], "/ws/events") as one, client(replicas[1], "/ws/events") as other:
        await asyncio.gather(*(publish(bus, 100 * n, 40) for n, bus in enumerate(buses)))
        seen = [[await heard(each) for _ in range(80)] for each in (one, other)]
    for channel in ("alerts", "events"):
        orders = [
            [(told["sequence"], told["data"]) for told in frames if told["channel"] == channel] for frames in seen
        ]
        assert orders[0] == orders[1]
        assert [number for number, _ in orders[0]] == list(range(1, 41))


async def test_a_client_goes_on_at_another_replica_without_loss_or_repetition(
    replicas: list[str], buses: list[LiveBus]
) -> None:
    async with client(replicas[0], "/ws/events") as socket:
        await say(socket, type="subscribe", data={"patterns": ["event.*"]})
        await heard_of(socket, "subscribed")
        await publish(buses[0], 0, 20)
        before = [(await heard(socket))["sequence"] for _ in range(10)]
    await publish(buses[1], 20, 20)
    async with client(replicas[1], "/ws/events") as socket:
        await say(socket, type="subscribe", data={"patterns": ["event.*"]})
        await heard_of(socket, "subscribed")
        await say(socket, type="resync", data={"channel": "events", "last_sequence": before[-1]})
        between: list[int] = []
        while (told := await heard(socket))["type"] != "resynced":
            between.append(told["sequence"])
        await publish(buses[0], 40, 20)
        after = [(await heard(socket))["sequence"] for _ in range(10)]
    assert [*before, *between, *after] == list(range(1, 31))
