"""One reader of the live bus a replica, whatever the number of its clients."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from deployments.api.live.ending import end
from deployments.api.live.outbox import Outgoing, outgoing
from storage.errors import StoreUnavailable
from storage.live_bus import LiveBus
from storage.live_feed import LiveFeed

_log = logging.getLogger(__name__)


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
        self._reading: asyncio.Task[None] | None = None
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

    async def close(self) -> None:
        self._closed = True
        for member in tuple(self._members):
            member.dismiss()
        if self._reading is not None:
            await end([self._reading])

    async def _begin(self) -> None:
        async with self._beginning:
            if self._closed or (self._reading is not None and not self._reading.done()):
                return
            feed = self._bus.feed()
            with suppress(StoreUnavailable):  # then it begins where it finds Redis
                await feed.start()
            self._reading = asyncio.create_task(self._read(feed), name="live-fanout")

    async def _read(self, feed: LiveFeed) -> None:
        async for frame in feed:
            text = outgoing(frame)
            for member in tuple(self._members):
                member.offer(text)
