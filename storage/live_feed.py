"""The live feed: every frame of every channel as it is published, through any number of reconnects."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from domain.clock import Clock
from schemas.frame import Frame, LiveChannel
from storage.errors import StoreUnavailable
from storage.live_frames import frame_of, sequence_of
from storage.redis import redis_errors
from storage.redis_keys import live_stream

_log = logging.getLogger(__name__)
_BLOCK_MS = 2000  # well below the client's reply time-out
_AT_ONCE = 500
_RETRY_SECONDS = 0.5
_CHECK_SECONDS = 2.0
_CHANNEL_OF = {live_stream(channel): channel for channel in LiveChannel}


class LiveFeed:
    """`async for frame in feed`: without end; with Redis away it waits, and goes on where it was.

    The position is kept here as numbers, not as "from now on": what was published during a reconnect comes too.
    """

    def __init__(self, client: redis.asyncio.Redis, clock: Clock) -> None:
        self.connected = False
        self.failures = 0
        """Failed reads since the last one that succeeded."""
        self.last_failure: datetime | None = None
        self.retrying = False
        """Whether, after a failure, a read is under way."""
        self.missed = 0
        """Frames that were gone before they could be read: more than 1,000 in one channel while Redis was away."""
        self.restarts = 0
        """How often a channel's numbers began again, because Redis had lost its data."""
        self._redis = client
        self._clock = clock
        self._after: dict[LiveChannel, int] | None = None
        self._began_again: set[LiveChannel] = set()
        self._check_at = 0.0

    async def start(self) -> None:
        """Take the current end as the beginning; without it, that is where the first iteration finds Redis.

        Raises StoreUnavailable when Redis is away.
        """
        try:
            with redis_errors():
                self._after = await self._ends()
        except StoreUnavailable:
            self._note_failure()
            raise

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while True:
            self.retrying = self.failures > 0
            try:
                entries = await self._next_entries()
            except (RedisError, OSError) as error:
                if self.connected:
                    _log.warning("live frames cannot be read at the moment: %s", error)
                self._note_failure()
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self.connected, self.failures, self.retrying = True, 0, False
            for channel, entry_id, fields in entries:
                self._advance(channel, sequence_of(entry_id))
                try:
                    frame = frame_of(channel, entry_id, fields)
                except (KeyError, ValueError) as error:
                    _log.error("an entry of %s is no frame of ours: %s", live_stream(channel), error)
                    continue
                yield frame

    def _note_failure(self) -> None:
        self.connected = self.retrying = False
        self.failures += 1
        self.last_failure = self._clock.now()
        self._check_at = 0.0

    async def _next_entries(self) -> list[tuple[LiveChannel, str, dict[str, str]]]:
        if self._after is None:
            self._after = await self._ends()
        elif self._clock.monotonic() >= self._check_at:
            await self._notice_restarts(self._after)
        positions: dict[Any, Any] = {live_stream(channel): f"{after}-0" for channel, after in self._after.items()}
        answer: Any = await self._redis.xread(positions, count=_AT_ONCE, block=_BLOCK_MS)
        return [(_CHANNEL_OF[key], entry_id, fields) for key, entries in answer or () for entry_id, fields in entries]

    def _advance(self, channel: LiveChannel, number: int) -> None:
        assert self._after is not None
        if channel in self._began_again:
            self._began_again.discard(channel)
        else:
            self.missed += number - self._after[channel] - 1
        self._after[channel] = number

    async def _notice_restarts(self, after: dict[LiveChannel, int]) -> None:
        """A stream that ends before our position would stay silent until it has caught up."""
        self._check_at = self._clock.monotonic() + _CHECK_SECONDS
        for channel, end in (await self._ends()).items():
            if end < after[channel]:
                _log.warning("the numbers of %s began again: Redis has lost its data", live_stream(channel))
                self.restarts += 1
                self._began_again.add(channel)
                after[channel] = 0

    async def _ends(self) -> dict[LiveChannel, int]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for channel in LiveChannel:
                pipeline.xrevrange(live_stream(channel), count=1)
            newest = await pipeline.execute()
        return {
            channel: sequence_of(entries[0][0]) if entries else 0
            for channel, entries in zip(LiveChannel, newest, strict=True)
        }
