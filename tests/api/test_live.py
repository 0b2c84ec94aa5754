"""/ws/events on a real server, over the real live bus."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deployments.api.deps import Services
from deployments.api.live.policy import LivePolicy
from schemas.frame import LiveChannel, NewFrame
from settings import Settings, load_settings
from storage.live_bus import KEPT

NOW = datetime(2025, 12, 23, 12, 0, tzinfo=UTC)
FRAME_KEYS = {"type", "data", "timestamp", "sequence", "channel"}


@pytest.fixture
def settings(tmp_path: Path, redis_url: str) -> Settings:
    """Live frames need no database."""
    return load_settings(
        {"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": redis_url}
    )


@asynccontextmanager
async def _client(served: str, **options: Any) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://{served}/ws/events", **options) as socket:
        yield socket


def _frame(kind: str = "alert.created", channel: LiveChannel = LiveChannel.ALERTS, **data: Any) -> NewFrame:
    return NewFrame(type=kind, channel=channel, data=data)


async def _next(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def _hear_for_ever(socket: ClientConnection) -> None:
    while True:
        await _next(socket)


async def _ask(socket: ClientConnection, **message: Any) -> dict[str, Any]:
    await socket.send(json.dumps(message))
    return await _next(socket)


async def test_a_published_frame_arrives_in_its_documented_form(served: str, services: Services) -> None:
    async with _client(served) as socket:
        await services.bus.publish([_frame(id="a")], NOW)
        frame = await _next(socket)
    assert set(frame) == FRAME_KEYS
    assert frame == {
        "type": "alert.created",
        "data": {"id": "a"},
        "timestamp": "2025-12-23T12:00:00Z",
        "sequence": 1,
        "channel": "alerts",
    }


async def test_numbers_rise_by_one_in_each_channel(served: str, services: Services) -> None:
    async with _client(served) as socket:
        for _ in range(3):
            await services.bus.publish([_frame(), _frame("event.created", LiveChannel.EVENTS)], NOW)
        frames = [await _next(socket) for _ in range(6)]
    for channel in ("alerts", "events"):
        assert [frame["sequence"] for frame in frames if frame["channel"] == channel] == [1, 2, 3]


async def test_every_client_gets_every_frame_in_the_same_order(served: str, services: Services) -> None:
    async with _client(served) as one, _client(served) as other:
        await services.bus.publish([_frame(number=n) for n in range(20)], NOW)
        received = [[(await _next(socket))["data"]["number"] for _ in range(20)] for socket in (one, other)]
    assert received == [list(range(20))] * 2


async def test_a_subscription_keeps_what_its_patterns_cover(served: str, services: Services) -> None:
    async with _client(served) as socket:
        told = await _ask(socket, type="subscribe", data={"patterns": ["alert.*", "event.created"]})
        assert (told["type"], told["data"]) == ("subscribed", {"patterns": ["alert.*", "event.created"]})
        frames = [
            _frame("event.updated", LiveChannel.EVENTS),
            _frame("alert.updated"),
            _frame("event.created", LiveChannel.EVENTS),
        ]
        await services.bus.publish(frames, NOW)
        assert {(await _next(socket))["type"], (await _next(socket))["type"]} == {"alert.updated", "event.created"}
        told = await _ask(socket, type="unsubscribe", data={"patterns": ["alert.*"]})
        assert (told["type"], told["data"]) == ("unsubscribed", {"patterns": ["event.created"]})
        await services.bus.publish([_frame("alert.created"), _frame("event.created", LiveChannel.EVENTS)], NOW)
        assert (await _next(socket))["type"] == "event.created"


async def test_nothing_subscribed_means_everything_again(served: str, services: Services) -> None:
    async with _client(served) as socket:
        await _ask(socket, type="subscribe", data={"patterns": ["event.*"]})
        await _ask(socket, type="unsubscribe", data={"patterns": ["*"]})
        await services.bus.publish([_frame("alert.created")], NOW)
        assert (await _next(socket))["type"] == "alert.created"


async def test_a_resync_replays_what_followed_and_says_that_it_is_complete(served: str, services: Services) -> None:
    await services.bus.publish([_frame(number=n) for n in range(1, 6)], NOW)
    async with _client(served) as socket:
        await socket.send(json.dumps({"type": "resync", "data": {"channel": "alerts", "last_sequence": 2}}))
        replayed = [await _next(socket) for _ in range(3)]
        told = await _next(socket)
    assert [(frame["sequence"], frame["replay"]) for frame in replayed] == [(3, True), (4, True), (5, True)]
    assert told["type"] == "resynced"
    assert told["data"] == {"channel": "alerts", "last_sequence": 5, "replayed": 3, "truncated": False}


async def test_a_resync_tells_when_frames_are_gone(served: str, services: Services) -> None:
    await services.bus.publish([_frame() for _ in range(KEPT + 5)], NOW)
    async with _client(served) as socket:
        await socket.send(json.dumps({"type": "resync", "data": {"channel": "alerts", "last_sequence": 2}}))
        first = await _next(socket)
        while (told := await _next(socket))["type"] != "resynced":
            pass
    assert first["sequence"] == 6
    assert told["data"] == {"channel": "alerts", "last_sequence": KEPT + 5, "replayed": KEPT, "truncated": True}


async def test_a_client_from_before_redis_lost_its_data_gets_everything(served: str, services: Services) -> None:
    await services.bus.publish([_frame(number=1)], NOW)
    async with _client(served) as socket:
        first = await _ask(socket, type="resync", data={"channel": "alerts", "last_sequence": 700})
        told = await _next(socket)
    assert (first["sequence"], first["replay"]) == (1, True)
    assert told["data"] == {"channel": "alerts", "last_sequence": 1, "replayed": 1, "truncated": True}


async def test_a_resync_with_nothing_to_bring_says_so(served: str) -> None:
    async with _client(served) as socket:
        told = await _ask(socket, type="resync", data={"channel": "jobs", "last_sequence": 0})
    assert told["data"] == {"channel": "jobs", "last_sequence": 0, "replayed": 0, "truncated": False}


async def test_a_resync_brings_only_what_is_subscribed(served: str, services: Services) -> None:
    await services.bus.publish([_frame("alert.created"), _frame("alert.updated")], NOW)
    async with _client(served) as socket:
        await _ask(socket, type="subscribe", data={"patterns": ["alert.updated"]})
        frame = await _ask(socket, type="resync", data={"channel": "alerts", "last_sequence": 0})
        told = await _next(socket)
    assert (frame["type"], told["data"]["replayed"], told["data"]["last_sequence"]) == ("alert.updated", 1, 2)


async def test_resyncs_amid_a_stream_lose_nothing_and_repeat_nothing(served: str, services: Services) -> None:
    async with _client(served) as socket:
        seen: list[int] = []
        for _ in range(10):
            await services.bus.publish([_frame() for _ in range(10)], NOW)
            await socket.send(
                json.dumps({"type": "resync", "data": {"channel": "alerts", "last_sequence": max(seen, default=0)}})
            )
            while (message := await _next(socket))["type"] != "resynced":
                if message["sequence"] not in seen:
                    seen.append(message["sequence"])
        while len(seen) < 100:
            frame = await _next(socket)
            assert frame["sequence"] not in seen
            seen.append(frame["sequence"])
    assert seen == list(range(1, 101))


@pytest.mark.parametrize("message", ["ping", " ping\n", '{"type": "ping"}', '{"type": "ping", "data": {}}'])
async def test_a_ping_in_any_form_gets_a_pong(served: str, message: str) -> None:
    async with _client(served) as socket:
        await socket.send(message)
        pong = await _next(socket)
    assert set(pong) == FRAME_KEYS
    assert (pong["type"], pong["sequence"], pong["channel"]) == ("pong", None, None)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{not json", "invalid_json"),
        ("[" * 10_000, "invalid_json"),
        ("", "invalid_json"),
        ("[]", "invalid_message"),
        ('{"data": {}}', "invalid_message"),
        ('{"type": 5}', "invalid_message"),
        ('{"type": "shout"}', "unknown_type"),
        ('{"type": "subscribe"}', "invalid_patterns"),
        ('{"type": "subscribe", "data": {"patterns": "alert.*"}}', "invalid_patterns"),
        ('{"type": "subscribe", "data": {"patterns": ["(a+)+$"]}}', "invalid_patterns"),
        ('{"type": "resync", "data": {"channel": "secrets", "last_sequence": 1}}', "invalid_message"),
        ('{"type": "resync", "data": {"channel": "alerts", "last_sequence": -1}}', "invalid_message"),
        ('{"type": "resync", "data": {"channel": "alerts", "last_sequence": true}}', "invalid_message"),
        ('{"type": "resync", "data": {"channel": "alerts", "last_sequence": 1e999}}', "invalid_message"),
        ('{"type": "resync", "data": {"channel": ["alerts"], "last_sequence": 1}}', "invalid_message"),
        (b"\x00\x01", "invalid_message"),
    ],
)
async def test_what_makes_no_sense_gets_an_error_and_the_connection_stays(
    served: str, message: str | bytes, code: str
) -> None:
    async with _client(served) as socket:
        await socket.send(message)
        error = await _next(socket)
        assert (error["type"], error["data"]["code"]) == ("error", code)
        await socket.send("ping")
        assert (await _next(socket))["type"] == "pong"


async def test_a_message_that_is_too_large_ends_the_connection(served: str) -> None:
    async with _client(served) as socket:
        await socket.send("x" * 16_385)
        with pytest.raises(ConnectionClosed):
            await _next(socket)
        assert socket.close_code == 1009


class TestImpatient:
    @pytest.fixture
    def live_policy(self) -> LivePolicy:
        return LivePolicy(ping_seconds=0.02, silence_seconds=1.0)

    async def test_the_server_pings(self, served: str) -> None:
        async with _client(served) as socket:
            assert [(await _next(socket))["type"] for _ in range(3)] == ["ping"] * 3

    async def test_a_client_that_answers_stays(self, served: str) -> None:
        async with _client(served) as socket:
            for _ in range(80):
                assert (await _next(socket))["type"] == "ping"
                await socket.send('{"type": "pong"}')

    async def test_a_silent_client_is_let_go_normally(self, served: str) -> None:
        async with _client(served) as socket:
            with pytest.raises(ConnectionClosed):
                await _hear_for_ever(socket)
            assert (socket.close_code, socket.close_reason) == (1000, "nothing came from you for 1 s")


class TestSlowClient:
    @pytest.fixture
    def live_policy(self) -> LivePolicy:
        return LivePolicy(most_frames=50)

    async def test_a_slow_client_loses_its_oldest_frames_and_slows_nobody(
        self, served: str, services: Services
    ) -> None:
        many, large = 1500, "x" * 20_000
        async with _client(served, max_queue=1, compression=None) as slow, _client(served) as quick:
            await _ask(slow, type="ping")
            for start in range(0, many, 25):
                await services.bus.publish([_frame(number=start + n, large=large) for n in range(25)], NOW)
                for number in range(start, start + 25):
                    assert (await _next(quick))["data"]["number"] == number
            numbers: list[int] = []
            dropped = 0
            while not numbers or numbers[-1] < many - 1:
                message = await _next(slow)
                if message["type"] == "dropped":
                    dropped += message["data"]["count"]
                else:
                    numbers.append(message["data"]["number"])
        assert dropped > 0
        assert dropped + len(numbers) == many
        assert numbers == sorted(numbers)


class TestWithoutRedis:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        nobody = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
        return load_settings({"DATA_DIR": str(tmp_path)} | nobody)

    async def test_a_client_is_let_in_and_told_when_it_asks_for_what_is_away(self, served: str) -> None:
        async with _client(served) as socket:
            assert (await _ask(socket, type="ping"))["type"] == "pong"
            error = await _ask(socket, type="resync", data={"channel": "alerts", "last_sequence": 1})
            assert (error["type"], error["data"]["code"]) == ("error", "unavailable")
            assert (await _ask(socket, type="ping"))["type"] == "pong"


async def test_a_page_of_another_site_is_not_let_in(served: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with _client(served, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_our_own_page_and_pages_of_this_machine_are_let_in(served: str) -> None:
    proxied = {"X-Forwarded-Host": "home.example"}
    for options in (
        {"origin": f"http://{served}"},
        {"origin": "http://localhost:5173"},
        {"origin": "https://home.example", "additional_headers": proxied},
    ):
        async with _client(served, **options) as socket:
            assert (await _ask(socket, type="ping"))["type"] == "pong"


async def test_a_replica_that_ends_says_that_it_restarts(served: str, services: Services) -> None:
    async with _client(served) as socket:
        await _ask(socket, type="ping")
        await services.fanout.close()
        with pytest.raises(ConnectionClosed):
            await _next(socket)
        assert socket.close_code == 1012


async def test_one_reader_serves_all_clients(served: str, services: Services) -> None:
    sockets = [await connect(f"ws://{served}/ws/events") for _ in range(20)]
    readers = [task for task in asyncio.all_tasks() if task.get_name() == "live-fanout"]
    assert len(readers) == 1
    for socket in sockets:
        await socket.close()
