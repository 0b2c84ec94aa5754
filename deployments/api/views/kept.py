"""An answer that may be a second old: one question at a time, whoever asks, and nobody waits while the old one serves.

age 0 ── half its life: asked again meanwhile ── its whole life: waited for

Where the question itself takes long, the life is four times that, so that asking takes half of the time at most.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar, cast

from domain.clock import Clock

T = TypeVar("T")

TIMES_THE_QUESTION = 4


class Kept(Generic[T]):
    """One replica's copy of what `ask` answers."""

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock, seconds: float = 1.0) -> None:
        self._ask = ask
        self._clock = clock
        self._seconds = self._life = seconds
        self._asking: asyncio.Task[T] | None = None
        self._value: T | None = None
        self._asked_at: float | None = None
        """When the question was put whose answer is kept: the answer is as old as that at most."""

    async def __call__(self) -> T:
        """Raises what `ask` raises, when there is no answer that is young enough."""
        age = None if self._asked_at is None else self._clock.monotonic() - self._asked_at
        if age is None or age >= self._life:
            return await asyncio.shield(self._under_way())
        if age >= self._life / 2:
            self._under_way()
        return cast(T, self._value)

    def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _under_way(self) -> asyncio.Task[T]:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._asked())
            self._asking.add_done_callback(_looked_at)
        return self._asking

    async def _asked(self) -> T:
        began = self._clock.monotonic()
        self._value = await self._ask()
        self._life = max(self._seconds, TIMES_THE_QUESTION * (self._clock.monotonic() - began))
        self._asked_at = began
        return self._value


def _looked_at(asking: asyncio.Task[T]) -> None:
    """A failure that nobody waited for shows at the next question, not in the log as forgotten."""
    if not asking.cancelled():
        asking.exception()
