"""What /ws/system hears: the channel `system`, and a status at least every 5 s even when nobody publishes one.

bus ──▶ LiveFanout ──channel system──▶ SystemFanout ──▶ members
                                            ▲
                     SystemStatusView ──────┘   when the newest status is older than 5.5 s
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

from deployments.api.live.ending import end
from deployments.api.live.fanout import BroadcasterState, LiveFanout, Member
from deployments.api.live.messages import notice
from deployments.api.live.outbox import Outgoing, outgoing
from deployments.api.live.policy import LivePolicy
from domain.clock import Clock
from schemas.frame import LiveChannel
from schemas.frame_types import SystemStatus
from storage.errors import StoreError
from storage.live_bus import LiveBus

_log = logging.getLogger(__name__)
_FRESH = timedelta(seconds=10)
_READ_SECONDS = 0.5
"""How long Redis may take over the newest kept status, before one is made from rows."""


class SystemFanout:
    """One a replica; who joins is sent a status at once."""

    def __init__(
        self,
        fanout: LiveFanout,
        bus: LiveBus,
        status: Callable[[], Awaitable[SystemStatus]],
        clock: Clock,
        policy: LivePolicy,
    ) -> None:
        self._fanout = fanout
        self._bus = bus
        self._status = status
        self._clock = clock
        self._policy = policy
        self._members: set[Member] = set()
        self._ungreeted: set[Member] = set()
        self._greeted: dict[Member, int] = {}
        self._told_at = 0.0
        self._made_here = False
        self._dismissed = False
        self._as_member = AsyncExitStack()
        self._beginning = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def joined(self, member: Member) -> AsyncIterator[None]:
        """Inside, the member is offered every frame of the channel, and a status every 5 s, the first one at once."""
        self._members.add(member)
        self._ungreeted.add(member)
        greeting: asyncio.Task[None] | None = None
        try:
            await self._begin()
            if self._dismissed:
                member.dismiss()
            greeting = asyncio.create_task(self._greet(member), name="live-greeting")
            yield
        finally:
            self._members.discard(member)
            self._ungreeted.discard(member)
            self._greeted.pop(member, None)
            if greeting is not None:
                await end([greeting])

    async def state(self) -> BroadcasterState:
        """The channel `system` comes over the one reader that all channels share."""
        return await self._fanout.state()

    async def close(self) -> None:
        if self._watching is not None:
            await end([self._watching])
        await self._as_member.aclose()

    def offer(self, frame: Outgoing) -> None:
        """From the fanout of all channels."""
        if frame.channel is not LiveChannel.SYSTEM:
            return
        if frame.type == SystemStatus.frame_type:
            self._told_at, self._made_here = self._clock.monotonic(), False
            self._ungreeted.clear()
        for member in tuple(self._members):
            if frame.sequence != self._greeted.get(member):
                member.offer(frame)

    def dismiss(self) -> None:
        self._dismissed = True
        for member in tuple(self._members):
            member.dismiss()

    async def _begin(self) -> None:
        async with self._beginning:
            if self._watching is None:
                self._told_at = self._clock.monotonic()
                await self._as_member.enter_async_context(self._fanout.joined(self))
                self._watching = asyncio.create_task(self._watch(), name="live-system-status")

    async def _greet(self, member: Member) -> None:
        """The newest status that was published, marked as a replay; made here when there is none of late."""
        greeting = await self._kept() or await self._made()
        if member in self._ungreeted:  # else one was published meanwhile
            self._ungreeted.discard(member)
            if greeting.sequence is not None:
                self._greeted[member] = greeting.sequence
            member.offer(greeting)

    async def _kept(self) -> Outgoing | None:
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_READ_SECONDS):
                newest = await self._bus.newest(LiveChannel.SYSTEM, SystemStatus.frame_type)
            if newest is not None and self._clock.now() - newest.timestamp < _FRESH:
                return outgoing(newest)
        return None

    async def _made(self) -> Outgoing:
        """It was not published, so it has no number."""
        data = (await self._status()).model_dump(mode="json")
        text = notice(SystemStatus.frame_type, data, self._clock.now(), LiveChannel.SYSTEM)
        return Outgoing(SystemStatus.frame_type, LiveChannel.SYSTEM, None, text)

    async def _watch(self) -> None:
        """Makes a status whenever the publisher is late with it."""
        while True:
            patience = self._policy.status_seconds + (0 if self._made_here else self._policy.late_seconds)
            wait = self._told_at + patience - self._clock.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            self._told_at, self._made_here = self._clock.monotonic(), True
            if self._members:
                await self._tell_made()

    async def _tell_made(self) -> None:
        try:
            made = await self._made()
        except Exception:  # the next one is due in 5 s, whatever became of this one
            _log.exception("no status could be made")
            return
        for member in tuple(self._members):
            member.offer(made)
