"""The loop that keeps an actor alive: work while there is some, else wait for a doorbell or a second."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from schemas.service import Health
from storage.errors import StoreUnavailable

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 10.0
LONGEST_FAREWELL_SECONDS = 5.0


class WorkLoop:
    """Runs `work` until stopped. This is the one place of an actor that catches everything: it counts and goes on."""

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[bool]],
        wait: Callable[[float], Awaitable[object]],
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`work` answers whether it found something to do; `wait` returns at a doorbell or after so many seconds."""
        self._name = name
        self._work = work
        self._wait = wait
        self._pause = pause
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._idle = False
        self.failures_in_a_row = 0
        self.last_error: str | None = None
        self._waits_for_store = False

    def start(self) -> None:
        if self._task is None or self._task.done():
            self._stopping = False
            self._task = asyncio.get_running_loop().create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Waits for the piece of work in hand; what is not yet claimed stays a row."""
        self._stopping = True
        task, self._task = self._task, None
        if task is None:
            return
        if not self._idle:
            await asyncio.wait({task}, timeout=LONGEST_FAREWELL_SECONDS)
        task.cancel()
        await asyncio.wait({task}, timeout=1)

    def health(self) -> Health:
        if self._task is None:
            return Health(healthy=False, message="not started")
        if self._task.done():
            return Health(healthy=False, message=f"its loop has ended: {self.last_error or 'it was cancelled'}")
        if self.failures_in_a_row >= 3:
            return Health(healthy=self._waits_for_store, message=self.last_error)
        return Health(healthy=True, message=self.last_error if self.failures_in_a_row else None)

    async def _run(self) -> None:
        while not self._stopping:
            try:
                busy = await self._work()
                self.failures_in_a_row = 0
                if not busy and not self._stopping:
                    await self._rest(self._wait(1.0))
            except Exception as error:
                self.failures_in_a_row += 1
                # A store that is away is no fault of this actor's: starting it again would mend nothing.
                self._waits_for_store = isinstance(error, StoreUnavailable)
                self.last_error = f"{type(error).__name__}: {error}"
                logger.warning("%s: %s", self._name, self.last_error, exc_info=self.failures_in_a_row == 1)
                if not self._stopping:
                    await self._rest(
                        self._pause(min(0.1 * 2 ** min(self.failures_in_a_row, 10), LONGEST_PAUSE_SECONDS))
                    )

    async def _rest(self, until: Awaitable[object]) -> None:
        """Nothing is in hand meanwhile: a stop need not wait."""
        self._idle = True
        try:
            await until
        finally:
            self._idle = False
