"""What one live client has not been sent yet: a full outbox loses its own oldest frames, and counts them."""

import asyncio
from collections import deque
from dataclasses import dataclass

from deployments.api.live.messages import Resync
from schemas.frame import Frame, LiveChannel


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A frame, put into words once for all clients."""

    type: str
    channel: LiveChannel
    sequence: int | None
    """None for a frame that the replica made itself."""
    text: str


@dataclass(frozen=True, slots=True)
class Dropped:
    count: int


def outgoing(frame: Frame) -> Outgoing:
    """`replay` is left out but where it is true."""
    return Outgoing(frame.type, frame.channel, frame.sequence, frame.model_dump_json(exclude_defaults=True))


class LiveOutbox:
    """Frames never wait for room, answers do; answers go out first."""

    def __init__(self, most_frames: int, most_replies: int) -> None:
        self._frames: deque[Outgoing] = deque()
        self._most_frames = most_frames
        self._replies: asyncio.Queue[str | Resync] = asyncio.Queue(most_replies)
        self._dropped = 0
        self._something = asyncio.Event()

    def offer(self, frame: Outgoing) -> None:
        if len(self._frames) >= self._most_frames:
            self._frames.popleft()
            self._dropped += 1
        self._frames.append(frame)
        self._something.set()

    async def reply(self, answer: str | Resync) -> None:
        """Waits while the client reads none of its answers."""
        await self._replies.put(answer)
        self._something.set()

    def reply_if_room(self, answer: str) -> None:
        if not self._replies.full():
            self._replies.put_nowait(answer)
            self._something.set()

    async def take(self) -> str | Resync | Dropped | Outgoing:
        while True:
            if not self._replies.empty():
                return self._replies.get_nowait()
            if self._dropped:
                count, self._dropped = self._dropped, 0
                return Dropped(count)
            if self._frames:
                return self._frames.popleft()
            self._something.clear()
            await self._something.wait()
