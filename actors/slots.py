"""Rows in work side by side: each is claimed alone, so that one that breaks off lets go of its own row and no other.

fill ──claim──▶ nothing there: the slot is free again
          └──▶ a row: in work until it is settled, beside all others; then the slot is free again
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from actors.claim_scope import ClaimScope, Release
from storage.errors import StoreUnavailable

logger = logging.getLogger(__name__)

FAREWELL_SECONDS = 3.0
Row = TypeVar("Row")


class Room:
    """How many rows may be in work at once, over several kinds of them."""

    def __init__(self, places: int) -> None:
        self.free = places
        self._freed = asyncio.Event()

    def take(self) -> None:
        self.free -= 1

    def give_back(self) -> None:
        self.free += 1
        self._freed.set()

    async def freed(self, within_seconds: float) -> None:
        """Returns when a place is free, or after so long."""
        self._freed.clear()
        if self.free <= 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), within_seconds)


class Slots:
    """At most `count` rows of one kind in work, each under a lease owner of its own: `owner/1`, `owner/2` …"""

    def __init__(self, owner: str, count: int, room: Room) -> None:
        self._idle = deque(ClaimScope(f"{owner}/{number}") for number in range(1, count + 1))
        self._room = room
        self._busy: dict[asyncio.Task[None], ClaimScope] = {}
        self._broken: set[str] = set()
        self.in_work = 0
        """Rows that are claimed and not settled."""

    @property
    def has_room(self) -> bool:
        return bool(self._idle) and self._room.free > 0

    @property
    def holds_broken(self) -> bool:
        """Whether a row waits to be let go of by the next claim of its slot."""
        return bool(self._broken)

    async def freed(self, within_seconds: float) -> None:
        """Returns when a row may be claimed again, or after so long; for when there is no room."""
        if self._idle:
            await self._room.freed(within_seconds)
        elif self._busy:
            await asyncio.wait([*self._busy], timeout=within_seconds, return_when=asyncio.FIRST_COMPLETED)

    async def fill(
        self, release: Release, claim: Callable[[str], Awaitable[Row | None]], settle: Callable[[Row], Awaitable[None]]
    ) -> bool:
        """Claims one row into a free slot and has it settled beside the others; answers whether there was one.

        What goes wrong with the claim is raised here. What goes wrong later ends that row's work alone: its slot comes
        next, and lets go of the row first.
        """
        scope = self._idle.popleft()
        self._room.take()
        claimed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._hold(scope, release, claim, settle, claimed), name=scope.owner)
        self._busy[task] = scope
        task.add_done_callback(self._ended)
        return await claimed

    async def stop(self, release: Release) -> None:
        """Waits a little for what is in work, then ends it and lets go of its rows, without a try counted."""
        if not self._busy:
            return
        await asyncio.wait([*self._busy], timeout=FAREWELL_SECONDS)
        ended = dict(self._busy)
        for task in ended:
            task.cancel()
        if ended:
            await asyncio.wait([*ended], timeout=1)
        for scope in ended.values():
            try:
                await release(scope.owner, False)
            except StoreUnavailable as error:
                logger.warning("the lease of %s runs out by itself: %s", scope.owner, error)

    async def _hold(
        self,
        scope: ClaimScope,
        release: Release,
        claim: Callable[[str], Awaitable[Row | None]],
        settle: Callable[[Row], Awaitable[None]],
        claimed: "asyncio.Future[bool]",
    ) -> None:
        try:
            async with scope.claim(release):
                row = await claim(scope.owner)
                self._broken.discard(scope.owner)
                if not claimed.done():
                    claimed.set_result(row is not None)
                if row is not None:
                    await self._settle(settle, row)
        except Exception as error:
            self._broken.add(scope.owner)
            if not claimed.done():
                claimed.set_exception(error)
            else:
                logger.warning("%s let go of its row: %s: %s", scope.owner, type(error).__name__, error)
        finally:
            claimed.cancel()

    async def _settle(self, settle: Callable[[Row], Awaitable[None]], row: Row) -> None:
        self.in_work += 1
        try:
            await settle(row)
        finally:
            self.in_work -= 1

    def _ended(self, task: "asyncio.Task[None]") -> None:
        scope = self._busy.pop(task)
        if scope.owner in self._broken:
            self._idle.appendleft(scope)
        else:
            self._idle.append(scope)
        self._room.give_back()
