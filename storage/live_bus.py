"""The live bus: frames numbered without a gap per channel, the last 1,000 of each kept, in Redis Streams.

    publish ──▶ hsi:live:events   …, 41-0, 42-0, 43-0        an entry's id is the frame's sequence number
                     │
                     ├──▶ LiveFeed of every API replica ──▶ its WebSockets
                     └──▶ replay(after 41) ──▶ 42, 43

A stream is its own counter, so the two cannot disagree. If Redis lost its data, publishers that lived through it go
on after the highest number they have seen; only when none did do numbers begin again, which `replay` and `LiveFeed`
notice and say.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha1
from typing import Any

import redis.asyncio
from redis.exceptions import NoScriptError, RedisError

from domain.clock import Clock, SystemClock
from schemas.frame import Frame, LiveChannel, NewFrame
from schemas.frame_types import CHANNEL_OF
from storage.live_feed import LiveFeed
from storage.live_frames import entry_text, frame_of, sequence_of
from storage.redis import redis_errors
from storage.redis_keys import live_stream

_log = logging.getLogger(__name__)
KEPT = 1000
_NEWEST_AMONG = 100
_PUBLISH_SECONDS = 1.0
_PAUSE = 10  # times as long as a failure took: a Redis that hangs costs a tenth of the time, one that is gone nothing

# KEYS: a stream a frame. ARGV: how many to keep, then for each frame the highest number known and the frame.
_PUBLISH = """
local numbers = {}
for i, key in ipairs(KEYS) do
    local last = 0
    if redis.call('EXISTS', key) == 1 then
        local info = redis.call('XINFO', 'STREAM', key)
        for j = 1, #info, 2 do
            if info[j] == 'last-generated-id' then last = tonumber(string.match(info[j + 1], '^%d+')) end
        end
    end
    local number = math.max(last, tonumber(ARGV[2 * i])) + 1
    local id = string.format('%.0f-0', number)
    redis.call('XADD', key, 'MAXLEN', '=', ARGV[1], id, 'frame', ARGV[2 * i + 1])
    numbers[i] = number
end
return numbers
"""
_DIGEST = sha1(_PUBLISH.encode(), usedforsecurity=False).hexdigest()


class LiveBus:
    """What everybody who has news publishes to, and what the API replays from."""

    def __init__(
        self,
        client: redis.asyncio.Redis,
        clock: Clock | None = None,
        counted: Callable[[str, str, int], None] | None = None,
    ) -> None:
        """`counted` is told channel, `published` or `lost`, and how many."""
        self._counted = counted
        self.lost = 0
        """Frames that were not published, because Redis was away: live views miss them, rows do not."""
        self._redis = client
        self._clock = clock or SystemClock()
        self._highest: dict[LiveChannel, int] = {}
        self._not_before = 0.0

    async def publish(self, frames: Sequence[NewFrame], now: datetime) -> int:
        """Number the frames and append them in one round trip; the number published.

        Redis being away is counted, not raised, and after a failure not tried again for a while, so that nobody is
        slowed down.
        A frame whose data is no JSON is an error, and so is one whose type is not registered for its channel.
        """
        if not frames:
            return 0
        for frame in frames:
            if CHANNEL_OF.get(frame.type) is not frame.channel:
                raise ValueError(f"no frame {frame.type} is registered for the channel {frame.channel}")
        keys = [live_stream(frame.channel) for frame in frames]
        arguments: list[str | int] = [KEPT]
        for frame in frames:
            arguments += [self._highest.get(frame.channel, 0), entry_text(frame, now)]
        begun = self._clock.monotonic()
        if begun < self._not_before:
            self._count(frames, "lost")
            return 0
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS):
                numbers = await self._run(keys, arguments)
        except (RedisError, OSError) as error:
            self._count(frames, "lost")
            ended = self._clock.monotonic()
            self._not_before = ended + _PAUSE * (ended - begun)
            _log.warning("%d live frame(s) were not published: %s", len(frames), error)
            return 0
        for frame, number in zip(frames, numbers, strict=True):
            self._highest[frame.channel] = max(number, self._highest.get(frame.channel, 0))
        self._count(frames, "published")
        return len(frames)

    def _count(self, frames: Sequence[NewFrame], outcome: str) -> None:
        if outcome == "lost":
            self.lost += len(frames)
        if self._counted is not None:
            for channel, number in Counter(frame.channel for frame in frames).items():
                self._counted(channel.value, outcome, number)

    async def replay(self, channel: LiveChannel, after_sequence: int) -> tuple[tuple[Frame, ...], bool]:
        """The kept frames after that number, marked `replay`; and whether some that followed it are gone.

        A number that has not been given out yet is from before Redis lost its data: everything kept, and True.
        Raises StoreUnavailable when Redis is away.
        """
        after, key = max(0, after_sequence), live_stream(channel)
        with redis_errors():
            async with self._redis.pipeline(transaction=True) as pipeline:
                pipeline.xrange(key, min=f"{after + 1}-0", max="+")
                pipeline.xrevrange(key, count=1)
                entries, newest = await pipeline.execute()
            lost = after > (sequence_of(newest[0][0]) if newest else 0)
            if lost:
                entries = await self._redis.xrange(key)
        frames = tuple(frame_of(channel, entry_id, fields, replay=True) for entry_id, fields in entries)
        return frames, lost or (bool(frames) and frames[0].sequence > after + 1)

    async def newest(self, channel: LiveChannel, frame_type: str) -> Frame | None:
        """The newest frame of that type among the last 100 of its channel, marked `replay`.

        Raises StoreUnavailable when Redis is away.
        """
        with redis_errors():
            entries: Any = await self._redis.xrevrange(live_stream(channel), count=_NEWEST_AMONG)
        frames = (frame_of(channel, entry_id, fields, replay=True) for entry_id, fields in entries)
        return next((frame for frame in frames if frame.type == frame_type), None)

    async def last_sequence(self, channel: LiveChannel) -> int:
        """The newest frame's number; 0 when there is none."""
        with redis_errors():
            newest: Any = await self._redis.xrevrange(live_stream(channel), count=1)
        return sequence_of(newest[0][0]) if newest else 0

    def feed(self) -> LiveFeed:
        """Everything that is published from now on, on all channels."""
        return LiveFeed(self._redis, self._clock)

    async def _run(self, keys: list[str], arguments: list[str | int]) -> list[int]:
        try:
            numbers = await self._redis.evalsha(_DIGEST, len(keys), *keys, *arguments)
        except NoScriptError:  # the first time since Redis started
            numbers = await self._redis.eval(_PUBLISH, len(keys), *keys, *arguments)
        return [int(number) for number in numbers]
