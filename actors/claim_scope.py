"""One claim after another, none of whose leases outlives it: what a broken-off claim held comes back at once."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from storage.errors import StoreUnavailable

Release = Callable[[str, bool], Coroutine[Any, Any, int]]


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
