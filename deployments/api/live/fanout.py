"""One reader of the live bus a replica, whatever the number of its clients."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from deployments.api.live.ending import end
from deployments.api.live.outbox import Outgoing, outgoing
from schemas.breaker import BreakerState
from storage.errors import StoreUnavailable
from storage.live_bus import LiveBus
from storage.live_feed import LiveFeed

_log = logging.getLogger(__name__)
_BEGIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class BroadcasterState:
    """How a broadcaster is: `closed` while frames flow, `open` after a failure, `half_open` during the next try."""

    state: BreakerState
    failures: int
    """Since the last success."""
    last_failure: datetime | None


class Member(Protocol):
    def offer(self, frame: Outgoing) -> None:
        """Takes note of a frame; never waits and never raises."""

    def dismiss(self) -> None:
        """The replica goes: say goodbye."""


class LiveFanout:
    """Begins to read with the first client, then goes on: who comes back finds it reading."""

    def __init__(self, bus: LiveBus) -> None:
        self._bus = bus
        self._members: set[Member] = set()
        self._feed: LiveFeed | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._closed = False

    @asynccontextmanager
    async def joined(self, member: Member) -> AsyncIterator[None]:
        """Inside, the member is offered every frame published from then on."""
        self._members.add(member)
        try:
            await self._begin()
            if self._closed:
                member.dismiss()
            yield
        finally:
            self._members.discard(member)

    @property
    def connected(self) -> bool:
        """Whether frames are being read at this moment; False before the first client."""
        return self._feed is not None and self._feed.connected

    async def state(self) -> BroadcasterState:
        """How the reading goes; begins it where no client has yet, so that the answer is true. Takes 0.2 s at most."""
        if self._reading is None and not self._closed:
            if self._asked is None or self._asked.done():
                self._asked = asyncio.create_task(self._begin(), name="live-fanout-begin")
            await asyncio.wait([self._asked], timeout=_BEGIN_SECONDS)
        feed = self._feed
        if feed is None or (self._reading is None and not feed.failures):
            return BroadcasterState(BreakerState.HALF_OPEN, 0, None)
        if not feed.failures:
            return BroadcasterState(BreakerState.CLOSED, 0, feed.last_failure)
        state = BreakerState.HALF_OPEN if feed.retrying else BreakerState.OPEN
        return BroadcasterState(state, feed.failures, feed.last_failure)

    async def close(self) -> None:
        self._closed = True
        for member in tuple(self._members):
            member.dismiss()
        await end(task for task in (self._asked, self._reading) if task is not None)

    async def _begin(self) -> None:
        async with self._beginning:
            if self._closed or (self._reading is not None and not self._reading.done()):
                return
            feed = self._feed = self._bus.feed()
            with suppress(StoreUnavailable):  # then it begins where it finds Redis
                await feed.start()
            if self._closed:
                return
            self._reading = asyncio.create_task(self._read(feed), name="live-fanout")

    async def _read(self, feed: LiveFeed) -> None:
        async for frame in feed:
            text = outgoing(frame)
            for member in tuple(self._members):
                member.offer(text)
