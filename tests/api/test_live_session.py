"""A live client that asks and never reads: it is read no further, and let go."""

import asyncio
from typing import Any

import redis.asyncio
from starlette.types import Message
from starlette.websockets import WebSocket

from deployments.api.live.fanout import LiveFanout
from deployments.api.live.policy import LivePolicy
from deployments.api.live.session import LiveSession
from domain.clock import SystemClock
from storage.live_bus import LiveBus


class DeafClient:
    """Sends pings without end; what is sent to it goes nowhere, but for the handshake and the close."""

    def __init__(self) -> None:
        self.asked = 0
        self.closed: Message | None = None
        self._connected = False

    async def receive(self) -> Message:
        if not self._connected:
            self._connected = True
            return {"type": "websocket.connect"}
        self.asked += 1
        await asyncio.sleep(0)
        return {"type": "websocket.receive", "text": "ping"}

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            await asyncio.Event().wait()
        if message["type"] == "websocket.close":
            self.closed = message


async def test_a_client_that_reads_no_answer_is_let_go_after_the_silence(redis_client: redis.asyncio.Redis) -> None:
    client, bus, clock = DeafClient(), LiveBus(redis_client), SystemClock()
    policy = LivePolicy(silence_seconds=0.2, most_replies=4)
    socket = WebSocket({"type": "websocket", "headers": [], "path": "/ws/events"}, client.receive, client.send)
    fanout = LiveFanout(bus)
    await LiveSession(socket, fanout, bus, clock, policy).run()
    await fanout.close()
    assert client.closed is not None
    assert (client.closed["code"], client.closed["reason"]) == (1000, "you read no answer for 0.2 s")
    assert client.asked < 20
