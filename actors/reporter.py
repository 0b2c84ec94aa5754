"""Writes what a process says and counts: lines every second, figures every few, over one connection.

While PostgreSQL is away, lines wait in their bounded queue and figures need not: the next report holds them all.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import uuid4

from actors.log_handler import RowHandler, Said, line_of
from actors.metrics import LOG_LINES
from domain.clock import Clock
from domain.metric_sums import since
from domain.redaction import Redactor
from schemas.log import LogLevel, NewLog
from schemas.metric import MetricFamily, MetricSnapshot
from storage.errors import StoreError
from storage.log_writer import TelemetryStore

LINES_A_WRITE = 200
GATHER_SECONDS = 1.0
FIGURES_EVERY_SECONDS = 5.0
SIGN_OF_LIFE_SECONDS = 60.0
IDLE_SECONDS = 20.0
RETIRE_EVERY_SECONDS = 600.0
LONGEST_PAUSE_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Reporter:
    """What the writing thread does, a turn at a time."""

    def __init__(
        self,
        component: str,
        store: TelemetryStore,
        handler: RowHandler,
        redactor: Redactor,
        clock: Clock,
        counted: Callable[[], tuple[MetricFamily, ...]],
    ) -> None:
        self._component = component
        self._store = store
        self._handler = handler
        self._redactor = redactor
        self._clock = clock
        self._counted = counted
        self._started_at = clock.now()
        self._process = self._new_name()
        self._known = False
        self._base: tuple[MetricFamily, ...] = ()
        self._reported: tuple[MetricFamily, ...] | None = None
        self._dropped_told = 0
        self._dropped_counted = 0
        self._unfit = 0
        self._figures_at = clock.monotonic()
        self._signed_at = float("-inf")
        self._retired_at = clock.monotonic()
        self._used_at = clock.monotonic()
        self._not_before = float("-inf")
        self._pause = 0.0

    @property
    def process(self) -> str:
        """Under which name this process's figures stand."""
        return self._process

    def due_in(self) -> float:
        """Seconds until there is something to do, lines that are still to come aside."""
        next_thing = self._not_before if len(self._handler) else max(self._figures_at, self._not_before)
        return max(0.0, next_thing - self._clock.monotonic())

    async def push(self, *, whole: bool = False) -> bool:
        """One turn: the lines that wait and the figures that are due. False when PostgreSQL is away.

        `whole`: everything and at once, before an end.
        """
        now = self._clock.monotonic()
        if now < self._not_before and not whole:
            return False
        try:
            await self._lines()
            if whole or now >= self._figures_at:
                self._figures_at = now + FIGURES_EVERY_SECONDS
                await self._figures(now)
            if now - self._retired_at >= RETIRE_EVERY_SECONDS:
                self._retired_at = now
                await self._store.retire_silent()
            if now - self._used_at >= IDLE_SECONDS:
                await self._store.close()
        except Exception as error:
            self._pause = min(max(1.0, self._pause * 2), LONGEST_PAUSE_SECONDS)
            self._not_before = self._clock.monotonic() + self._pause
            if self._pause == 1.0 or not isinstance(error, StoreError):
                _log.warning("log and figures wait, the next try is in %.0f s: %s", self._pause, error)
            return False
        self._pause = 0.0
        return True

    async def _lines(self) -> None:
        while taken := self._handler.take(LINES_A_WRITE):
            lines = self._readable(taken)
            try:
                stored = await self._store.write(lines)
            except BaseException:
                self._handler.put_back(taken)
                raise
            self._used_at = self._clock.monotonic()
            LOG_LINES.labels("stored").inc(stored)
            self._unfit += len(taken) - stored
        dropped = self._handler.dropped + self._unfit
        if dropped > self._dropped_told:
            await self._store.write([self._told(dropped - self._dropped_told)])
            self._dropped_told = dropped

    def _readable(self, taken: Sequence[Said]) -> list[NewLog]:
        lines = []
        for one in taken:
            try:
                lines.append(line_of(one, self._component, self._redactor))
            except Exception as error:  # one odd line must not hold up the others for ever
                _log.warning("a line of %s cannot be stored: %s", one.logger, type(error).__name__)
        return lines

    def _told(self, dropped: int) -> NewLog:
        return NewLog(
            timestamp=self._clock.now(),
            level=LogLevel.WARNING,
            component=self._component,
            message=f"{dropped} lines were dropped: PostgreSQL was away, too slow, or could not hold them",
            extra={"logger": __name__, "dropped": dropped},
        )

    async def _figures(self, now: float) -> None:
        """Reports what has changed; else, now and then, that the process lives."""
        dropped = self._handler.dropped + self._unfit
        LOG_LINES.labels("dropped").inc(dropped - self._dropped_counted)
        self._dropped_counted = dropped
        counted = self._counted()
        if self._known and counted == self._reported:
            if now - self._signed_at < SIGN_OF_LIFE_SECONDS:
                return
            lives = await self._store.touch(self._process)
        else:
            lives = await self._report(counted)
        if not lives:  # silent for so long that its figures went into the retired sums: from there on, under a new name
            self._base, self._known, self._process = self._reported or (), False, self._new_name()
            await self._report(counted)
        self._signed_at = self._used_at = now

    async def _report(self, counted: tuple[MetricFamily, ...]) -> bool:
        snapshot = MetricSnapshot(
            process=self._process,
            component=self._component,
            started_at=self._started_at,
            families=since(counted, self._base) if self._base else counted,
        )
        if not await self._store.report(snapshot, known=self._known):
            return False
        self._known, self._reported = True, counted
        return True

    def _new_name(self) -> str:
        return f"{self._component} {uuid4().hex}"

    async def close(self) -> None:
        with suppress(StoreError):
            await self._store.close()
