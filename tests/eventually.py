"""Waiting for a condition instead of sleeping for a while."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from time import sleep

from domain.clock import SystemClock

_clock = SystemClock()


async def eventually(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 30.0) -> None:
    """Return as soon as the condition holds; fail when it never does."""
    end = _clock.monotonic() + seconds
    while True:
        held = condition()
        if await held if inspect.isawaitable(held) else held:
            return
        assert _clock.monotonic() < end, "the condition never came to hold"
        await asyncio.sleep(0.01)


def eventually_sync(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = _clock.monotonic() + seconds
    while not condition():
        assert _clock.monotonic() < end, "the condition never came to hold"
        sleep(0.01)
