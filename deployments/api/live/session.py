"""One live connection: reads what the client says, writes what it wants to hear, and lets a silent one go.

fanout ──offer──▶ outbox ──▶ writer ──▶ client ──▶ reader ──answers──▶ outbox
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from deployments.api.live.ending import end
from deployments.api.live.fanout import Member
from deployments.api.live.messages import Fault, Ping, Resync, Subscribe, Unsubscribe, notice, read_message
from deployments.api.live.outbox import Dropped, LiveOutbox, Outgoing, outgoing
from deployments.api.live.policy import LivePolicy
from domain.clock import Clock
from domain.subscriptions import RefusedPatterns, Subscriptions
from schemas.frame import LiveChannel
from storage.errors import StoreUnavailable
from storage.live_bus import LiveBus

NORMAL, GONE, TOO_LARGE, RESTARTING = 1000, 1001, 1009, 1012
_OVERLAP_SECONDS = 5.0
"""For so long after a replay, the feed may still bring what the replay has brought."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    code: int
    reason: str


class Fanout(Protocol):
    """Where a session hears of frames."""

    def joined(self, member: Member) -> AbstractAsyncContextManager[None]: ...


class LiveSession:
    """`channels`: those that the socket carries, so that a resync of another is refused."""

    def __init__(
        self,
        socket: WebSocket,
        fanout: Fanout,
        bus: LiveBus,
        clock: Clock,
        policy: LivePolicy,
        channels: Collection[LiveChannel] = tuple(LiveChannel),
    ) -> None:
        self._socket = socket
        self._channels = channels
        self._fanout = fanout
        self._bus = bus
        self._clock = clock
        self._policy = policy
        self._outbox = LiveOutbox(policy.most_frames, policy.most_replies)
        self._subscriptions = Subscriptions()
        self._wanted: dict[str, bool] = {}
        self._replayed: dict[LiveChannel, tuple[int, float]] = {}
        self._leaving = asyncio.Event()

    def offer(self, frame: Outgoing) -> None:
        if self._wants(frame.type):
            self._outbox.offer(frame)

    def dismiss(self) -> None:
        self._leaving.set()

    async def run(self) -> None:
        """Until the client goes, falls silent, or the replica ends."""
        async with self._fanout.joined(self):
            await self._socket.accept()
            tasks = [asyncio.create_task(part) for part in (self._read(), self._write(), self._dismissed())]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await end(tasks)
        goodbye = done.pop().result()
        if goodbye.code != GONE:
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(self._policy.goodbye_seconds):
                    await self._socket.close(goodbye.code, goodbye.reason)

    async def _dismissed(self) -> Goodbye:
        await self._leaving.wait()
        return Goodbye(RESTARTING, "the server restarts; connect again and resync")

    async def _read(self) -> Goodbye:
        policy = self._policy
        heard = pinged = self._clock.monotonic()
        receiving = asyncio.create_task(self._socket.receive(), name="live-receive")
        try:
            while True:
                next_moment = min(heard + policy.silence_seconds, pinged + policy.ping_seconds)
                await asyncio.wait([receiving], timeout=max(0.0, next_moment - self._clock.monotonic()))
                now = self._clock.monotonic()
                if receiving.done():
                    heard = now
                    goodbye = await self._take(receiving.result())
                    if goodbye is not None:
                        return goodbye
                    receiving = asyncio.create_task(self._socket.receive(), name="live-receive")
                elif now - heard >= policy.silence_seconds:
                    return Goodbye(NORMAL, f"nothing came from you for {policy.silence_seconds:g} s")
                if now - pinged >= policy.ping_seconds:
                    pinged = now
                    self._outbox.reply_if_room(self._notice("ping", {}))
        finally:
            receiving.cancel()

    async def _take(self, message: Message) -> Goodbye | None:
        policy = self._policy
        if message["type"] == "websocket.disconnect":
            return Goodbye(GONE, "")
        text = message.get("text")
        if text is not None and len(text) > policy.most_message_chars:
            return Goodbye(TOO_LARGE, f"a message has at most {policy.most_message_chars} characters")
        try:
            async with asyncio.timeout(policy.silence_seconds):
                await self._hear(text)
        except TimeoutError:
            return Goodbye(NORMAL, f"you read no answer for {policy.silence_seconds:g} s")
        return None

    async def _hear(self, text: str | None) -> None:
        """Answers one message; waits while the client does not read what it was answered before."""
        match Fault("invalid_message", "messages are text") if text is None else read_message(text):
            case Ping():
                await self._answer("pong", {})
            case Subscribe(patterns):
                await self._subscribe("subscribed", self._subscriptions.subscribe(patterns))
            case Unsubscribe(patterns):
                await self._subscribe("unsubscribed", self._subscriptions.unsubscribe(patterns))
            case Resync(channel) as resync if channel in self._channels:
                await self._outbox.reply(resync)
            case Resync():
                carried = f"this socket carries {', '.join(self._channels)} only: resync other channels on /ws/events"
                await self._answer("error", {"code": "invalid_message", "message": carried})
            case Fault(code, message):
                await self._answer("error", {"code": code, "message": message})
            case _:
                pass  # a pong: it was heard, and that is all it is for

    async def _subscribe(self, told: str, outcome: Subscriptions | RefusedPatterns) -> None:
        if isinstance(outcome, RefusedPatterns):
            await self._answer("error", {"code": "invalid_patterns", "message": outcome.message})
            return
        self._subscriptions = outcome
        self._wanted.clear()
        await self._answer(told, {"patterns": sorted(outcome.patterns)})

    async def _answer(self, kind: str, data: Mapping[str, object]) -> None:
        await self._outbox.reply(self._notice(kind, data))

    async def _write(self) -> Goodbye:
        with suppress(WebSocketDisconnect):
            while True:
                match await self._outbox.take():
                    case str() as text:
                        await self._socket.send_text(text)
                    case Dropped(count):
                        await self._socket.send_text(self._notice("dropped", {"count": count}))
                    case Resync() as resync:
                        await self._replay(resync)
                    case Outgoing() as frame if self._wants(frame.type) and not self._came_by_replay(frame):
                        await self._socket.send_text(frame.text)
        return Goodbye(GONE, "")

    async def _replay(self, resync: Resync) -> None:
        try:
            frames, truncated = await self._bus.replay(resync.channel, resync.last_sequence)
        except StoreUnavailable:
            away = {"code": "unavailable", "message": "live frames cannot be read at the moment; resync again later"}
            await self._socket.send_text(self._notice("error", away))
            return
        wanted = [frame for frame in frames if self._wants(frame.type)]
        for frame in wanted:
            await self._socket.send_text(outgoing(frame).text)
        reached = frames[-1].sequence if frames else min(resync.last_sequence, await self._newest(resync))
        self._replayed[resync.channel] = (reached, self._clock.monotonic() + _OVERLAP_SECONDS)
        told = {
            "channel": resync.channel.value,
            "last_sequence": reached,
            "replayed": len(wanted),
            "truncated": truncated,
        }
        await self._socket.send_text(self._notice("resynced", told))

    async def _newest(self, resync: Resync) -> int:
        try:
            return await self._bus.last_sequence(resync.channel)
        except StoreUnavailable:
            return resync.last_sequence

    def _came_by_replay(self, frame: Outgoing) -> bool:
        """The feed is a little behind a replay: what both bring is sent once."""
        reached, until = self._replayed.get(frame.channel, (0, 0.0))
        return frame.sequence is not None and frame.sequence <= reached and self._clock.monotonic() < until

    def _wants(self, frame_type: str) -> bool:
        if frame_type not in self._wanted:
            self._wanted[frame_type] = self._subscriptions.wants(frame_type)
        return self._wanted[frame_type]

    def _notice(self, kind: str, data: Mapping[str, object]) -> str:
        return notice(kind, data, self._clock.now())
