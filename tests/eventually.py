"""Waiting for a condition instead of sleeping for a while.

A virtual machine may stand still for ten seconds and more, again and again: time passes then, and nobody has had a
turn. So a condition is given up when its time is over and it was looked at often enough too.
"""

import asyncio
import inspect
import itertools
from collections.abc import Awaitable, Callable
from time import sleep

from domain.clock import SystemClock

_clock = SystemClock()
_LEAST_LOOKS = 50


async def eventually(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 30.0) -> None:
    """Return as soon as the condition holds; fail when it never does."""
    end = _clock.monotonic() + seconds
    for looks in itertools.count(1):
        held = condition()
        if await held if inspect.isawaitable(held) else held:
            return
        assert _clock.monotonic() < end or looks < _LEAST_LOOKS, "the condition never came to hold"
        await asyncio.sleep(0.01)


def eventually_sync(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    end = _clock.monotonic() + seconds
    for looks in itertools.count(1):
        if condition():
            return
        assert _clock.monotonic() < end or looks < _LEAST_LOOKS, "the condition never came to hold"
        sleep(0.01)
