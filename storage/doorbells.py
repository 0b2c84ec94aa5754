"""Doorbells: a worker that waits is woken by whoever left work for it, in another process or on another machine.

Rings are hints. One that is lost (Redis away) costs a worker the rest of its second and nothing else.
"""

import asyncio
import logging
from contextlib import suppress

import redis.asyncio
from redis.exceptions import RedisError

from storage.redis_keys import DOORBELLS, doorbell

_log = logging.getLogger(__name__)
_LISTEN_SECONDS = 5.0
_RETRY_SECONDS = 0.5


class Bell:
    """One waiter's ear: a ring stays until it is consumed, so one that comes between look and wait is not lost."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def strike(self) -> None:
        self._rung.set()

    async def wait(self, timeout_seconds: float) -> bool:
        """True for a ring since the last wait, False when the time is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), timeout_seconds)
        rung = self._rung.is_set()
        self._rung.clear()
        return rung


class Doorbells:
    """Rings and hears; one subscription serves every waiter of the process."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self.failures = 0
        """Rings that did not get through to Redis."""
        self.connected = False
        """Whether the subscription stands at the moment."""
        self._redis = client
        self._to_ring: set[str] = set()
        self._sender: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._bells: dict[str, list[Bell]] = {}
        self._shared: dict[str, Bell] = {}

    async def ring(self, *names: str) -> None:
        """Tell whoever waits for these to look. Never raises and never waits for Redis; equal rings become one."""
        self._to_ring.update(names)
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send(), name="doorbells-send")

    def bell(self, name: str) -> Bell:
        """A new ear for `name`, to be made before the first look for work; every ear hears every ring."""
        bell = Bell()
        self._bells.setdefault(name, []).append(bell)
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen(), name="doorbells-listen")
        return bell

    async def wait(self, name: str, timeout_seconds: float) -> bool:
        """Wait on the process's one shared ear for `name`: for loops of which there is one a process."""
        if name not in self._shared:
            self._shared[name] = self.bell(name)
        return await self._shared[name].wait(timeout_seconds)

    async def aclose(self) -> None:
        """Stop listening; rings that are on their way still get through."""
        if self._sender is not None:
            await self._sender
        if self._listener is not None:
            self._listener.cancel()
            with suppress(asyncio.CancelledError):
                await self._listener
            self._listener = None

    async def _send(self) -> None:
        while self._to_ring:
            names, self._to_ring = self._to_ring, set()
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for name in names:
                        pipeline.publish(doorbell(name), "")
                    await pipeline.execute()
            except (RedisError, OSError) as error:
                self.failures += len(names)
                _log.debug("a doorbell was not rung: %s", error)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                if self.connected:
                    _log.warning("doorbells are not heard, workers look every second: %s", error)
                self.connected = False
                await asyncio.sleep(_RETRY_SECONDS)

    async def _hear(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=False) as subscription:
            await subscription.psubscribe(f"{DOORBELLS}*")
            while True:
                message = await subscription.get_message(timeout=_LISTEN_SECONDS)
                if message is None:
                    continue
                if message["type"] == "psubscribe":
                    self._begin()
                elif message["type"] == "pmessage":
                    self._strike(str(message["channel"]).removeprefix(DOORBELLS))

    def _begin(self) -> None:
        """The subscription stands, for the first time or again: what was rung before was not heard, so all look."""
        if not self.connected:
            _log.debug("doorbells are heard")
        self.connected = True
        for name in self._bells:
            self._strike(name)

    def _strike(self, name: str) -> None:
        for bell in self._bells.get(name, ()):
            bell.strike()
