"""The life of a language model's backend: loaded, given up, loaded again.

load ──▶ loaded ──died, hung──▶ given up ──5 s, 10 s, 20 s ... 300 s──▶ load
  ├─failed──▶ given up                    (from 5 s again, once it was loaded for 300 s)
  └─unusable──▶ given up ──60 s──▶ load    somebody may have mended it; looking costs little
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from domain.clock import Clock
from language.backend import Backend
from language.errors import ModelAway, ModelUnusable

FIRST_WAIT_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 300.0
UNUSABLE_WAIT_SECONDS = 60.0
STABLE_SECONDS = 300.0
LONGEST_START_SECONDS = 3600.0
"""A model of 60 GB may have to be fetched first."""
STOP_SECONDS = 30.0
CLEAN_UP_SECONDS = 4.0
"""What a load that is broken off has to put away what it began."""

_log = logging.getLogger(__name__)


class ModelLife:
    """Used from one event loop, one call at a time; only what it tells may be read meanwhile."""

    def __init__(self, backend: Backend, clock: Clock, longest_wait_seconds: float = LONGEST_WAIT_SECONDS) -> None:
        self._backend = backend
        self._longest_wait_seconds = longest_wait_seconds
        self._clock = clock
        self._why_not = "the language model has not been started"
        self._due_at = float("-inf")
        self._failures = 0
        self._loading_since: float | None = None
        self._loaded_at: float | None = None
        self.loads = 0
        """How often it was loaded since the process started."""
        self.beyond_help: str | None = None
        """Why only a new process can help: what was to end does not end, and may hold the card's memory."""

    @property
    def loaded(self) -> bool:
        return self._loaded_at is not None

    def is_due(self) -> bool:
        """Whether loading it is worth a try now."""
        return not self.loaded and self.beyond_help is None and self._clock.monotonic() >= self._due_at

    def why_not(self) -> str:
        """Why it is not loaded, and what comes next."""
        now = self._clock.monotonic()
        if self._loading_since is not None:
            before = f"; before that: {self._why_not}" if self._failures else ""
            return f"the language model is being loaded, for {now - self._loading_since:.0f} s so far{before}"
        if self.beyond_help is None and now < self._due_at:
            return f"{self._why_not}; it is tried again in {self._due_at - now:.0f} s"
        return self._why_not

    async def load(self) -> None:
        """Never raises: ask `loaded`."""
        self._loading_since = self._clock.monotonic()
        unusable = False
        try:
            await _within(LONGEST_START_SECONDS, self._backend.start())
        except ModelAway as error:
            reason, unusable = error.reason, isinstance(error, ModelUnusable)
        except TimeoutError:
            reason = f"the language model was not loaded after {LONGEST_START_SECONDS:.0f} s"
        except Exception as error:  # a driver, a full disk, a defect: it must be told, and outlived
            reason = f"the language model could not be loaded ({type(error).__name__}: {error})"
        else:
            self.loads += 1
            self._loaded_at = self._clock.monotonic()
            _log.info("the language model is loaded, after %.0f s", self._loaded_at - self._loading_since)
            return
        finally:
            self._loading_since = None
        await self._give_up(reason, unusable)

    async def end(self, reason: str) -> None:
        """It died, or it hangs: it is stopped, and loaded again when that is due."""
        if self._loaded_at is not None and self._clock.monotonic() - self._loaded_at >= STABLE_SECONDS:
            self._failures = 0
        await self._give_up(reason, unusable=False)

    async def close(self, reason: str) -> None:
        """By hand: nothing failed, and the next load may come at once."""
        self._loaded_at, self._loading_since = None, None
        self._failures, self._due_at, self._why_not = 0, float("-inf"), reason
        await self._stop()

    async def _give_up(self, reason: str, unusable: bool) -> None:
        self._loaded_at = None
        self._failures += 1
        doubled = FIRST_WAIT_SECONDS * 2.0 ** min(self._failures - 1, 16)
        wait = UNUSABLE_WAIT_SECONDS if unusable else min(self._longest_wait_seconds, doubled)
        if reason != self._why_not:
            _log.warning("no language model: %s", reason)
        self._why_not = reason
        self._due_at = self._clock.monotonic() + wait
        await self._stop()

    async def _stop(self) -> None:
        try:
            await _within(STOP_SECONDS, self._backend.stop())
        except TimeoutError:
            self.beyond_help = f"the language model did not end within {STOP_SECONDS:.0f} s: restart the service"
            self._why_not = f"{self._why_not}; {self.beyond_help}"
            _log.error("%s", self.beyond_help)
        except Exception as error:
            _log.warning("the language model did not end in order: %s: %s", type(error).__name__, error)


async def _within(seconds: float, work: Coroutine[Any, Any, None]) -> None:
    """As asyncio.timeout, and it returns in time even where the work does not let itself be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait({task}, timeout=CLEAN_UP_SECONDS)
        raise
    if not done:
        task.cancel()
        raise TimeoutError
    task.result()
