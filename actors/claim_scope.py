"""One claim after another, none of whose leases outlives it: what a broken-off claim held comes back at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from storage.errors import StoreUnavailable

Release = Callable[[str, bool], Coroutine[Any, Any, int]]


async def settle_all(rows: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Settles a claim's rows side by side; raises the first failure, but only when nothing is in work any more.

    Else a row would be let go of, and claimed again, beside its own first try.
    """
    for outcome in await asyncio.gather(*rows, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


class ClaimScope:
    """The claims of one owner, one at a time."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self._broken_off: bool | None = True
        """Whether the claim before counts as a try; None when it ended in order. At first: that of an earlier life."""

    @asynccontextmanager
    async def claim(self, release: Release) -> AsyncIterator[None]:
        """`release` is the queue's; a claim that fails because a store is away costs its rows no try."""
        if self._broken_off is not None:
            await release(self.owner, self._broken_off)
        self._broken_off = True
        try:
            yield
        except StoreUnavailable:
            self._broken_off = False
            raise
        self._broken_off = None
