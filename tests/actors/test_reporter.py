"""The writing side of the log and the figures: what waits, what is tried again, what is told of losses."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry, Counter

from actors import reporter as timing
from actors.log_handler import RowHandler
from actors.metrics import snapshot
from actors.reporter import Reporter
from domain.metric_sums import summed
from domain.redaction import Redactor
from schemas.log import NewLog
from schemas.metric import MetricFamily, MetricSnapshot
from storage.errors import StoreUnavailable


class Clock:
    seconds = 1000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds


class Store:
    """A `TelemetryStore` in memory, as PostgreSQL behaves: reports overwrite, retired names are unknown."""

    def __init__(self) -> None:
        self.away = False
        self.lines: list[NewLog] = []
        self.rows: dict[str, tuple[MetricFamily, ...]] = {}
        self.retired: tuple[MetricFamily, ...] = ()
        self.reports = 0
        self.touches = 0
        self.retirings = 0
        self.closed = 0

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("PostgreSQL: away")

    async def write(self, lines: Sequence[NewLog]) -> int:
        self._reach()
        self.lines += lines
        return len(lines)

    async def report(self, snapshot: MetricSnapshot, *, known: bool) -> bool:
        self._reach()
        if known and snapshot.process not in self.rows:
            return False
        self.rows[snapshot.process] = snapshot.families
        self.reports += 1
        return True

    async def touch(self, process: str) -> bool:
        self._reach()
        self.touches += 1
        return process in self.rows

    async def retire_silent(self) -> int:
        self._reach()
        self.retirings += 1
        return 0

    async def close(self) -> None:
        self.closed += 1

    def retire(self) -> None:
        self.retired = summed([self.retired, *self.rows.values()])
        self.rows.clear()

    @property
    def total(self) -> float:
        families = summed([self.retired, *self.rows.values()])
        return sum(figures[0] for family in families for _, figures in family.series)


class Scene:
    def __init__(self) -> None:
        self.clock, self.store, self.handler = Clock(), Store(), RowHandler(most_lines=300)
        registry = CollectorRegistry()
        self.counter = Counter("a_total", "h", registry=registry)
        self.reporter = Reporter("worker", self.store, self.handler, Redactor(), self.clock, lambda: snapshot(registry))

    def say(self, *messages: str) -> None:
        for message in messages:
            self.handler.handle(logging.LogRecord("actors.x", logging.INFO, "", 0, message, (), None))

    @property
    def said(self) -> list[str]:
        return [line.message for line in self.store.lines]


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_lines_are_written_in_order_and_once(scene: Scene) -> None:
    scene.say(*map(str, range(250)))
    assert await scene.reporter.push()
    assert await scene.reporter.push()
    assert scene.said == [str(number) for number in range(250)]


async def test_while_the_store_is_away_lines_wait_in_order(scene: Scene) -> None:
    scene.store.away = True
    scene.say("one", "two")
    assert not await scene.reporter.push()
    scene.say("three")
    scene.store.away = False
    scene.clock.seconds += scene.reporter.due_in()
    assert await scene.reporter.push()
    assert scene.said == ["one", "two", "three"]


async def test_a_store_that_is_away_is_not_tried_all_the_time(scene: Scene) -> None:
    scene.store.away = True
    waits = []
    for _ in range(8):
        scene.say("line")
        assert not await scene.reporter.push()
        waits.append(scene.reporter.due_in())
        scene.clock.seconds += waits[-1]
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_dropped_lines_are_told_once_the_store_is_back(scene: Scene) -> None:
    scene.store.away = True
    scene.say(*map(str, range(310)))
    await scene.reporter.push()
    scene.store.away = False
    await scene.reporter.push(whole=True)
    await scene.reporter.push(whole=True)
    assert scene.said[:300] == [str(number) for number in range(10, 310)]
    assert [line.message.partition(" ")[0] for line in scene.store.lines[300:]] == ["10"]
    assert scene.store.lines[300].level.value == "WARNING"


async def test_figures_are_reported_when_due_and_when_they_changed(scene: Scene) -> None:
    scene.counter.inc(3)
    await scene.reporter.push()
    assert scene.store.total == 3
    scene.counter.inc()
    await scene.reporter.push()
    assert scene.store.total == 3
    for _ in range(3):
        scene.clock.seconds += timing.FIGURES_EVERY_SECONDS
        await scene.reporter.push()
    assert (scene.store.total, scene.store.reports) == (4, 2)


async def test_a_quiet_process_gives_a_sign_of_life(scene: Scene) -> None:
    for _ in range(40):
        await scene.reporter.push()
        scene.clock.seconds += timing.FIGURES_EVERY_SECONDS
    assert (scene.store.reports, scene.store.touches) == (1, 3)


async def test_a_process_that_was_retired_counts_on_and_nothing_counts_twice(scene: Scene) -> None:
    scene.counter.inc(10)
    await scene.reporter.push(whole=True)
    first = scene.reporter.process
    for more in (5, 2):
        scene.store.retire()
        scene.counter.inc(more)
        await scene.reporter.push(whole=True)
    assert scene.store.total == 17
    assert scene.reporter.process != first
    scene.counter.inc()
    await scene.reporter.push(whole=True)
    assert scene.store.total == 18


async def test_a_quiet_process_that_was_retired_counts_nothing_twice(scene: Scene) -> None:
    scene.counter.inc(10)
    await scene.reporter.push(whole=True)
    scene.store.retire()
    scene.clock.seconds += timing.SIGN_OF_LIFE_SECONDS
    await scene.reporter.push()
    assert (scene.store.total, len(scene.store.rows)) == (10, 1)


async def test_the_connection_is_given_back_when_nothing_was_written_for_a_while(scene: Scene) -> None:
    await scene.reporter.push()
    assert scene.store.closed == 0
    scene.clock.seconds += timing.IDLE_SECONDS
    await scene.reporter.push()
    assert scene.store.closed == 1


async def test_the_rows_of_dead_processes_are_looked_after_now_and_then(scene: Scene) -> None:
    for _ in range(3):
        scene.clock.seconds += timing.RETIRE_EVERY_SECONDS
        await scene.reporter.push()
    assert scene.store.retirings == 3


async def test_an_odd_line_holds_up_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(said: object, component: str, redactor: Redactor) -> NewLog:
        if getattr(said, "message", "") == "odd":
            raise ValueError("odd")
        return timing_line(said, component, redactor)

    timing_line = timing.line_of
    monkeypatch.setattr(timing, "line_of", odd)
    scene.say("one", "odd", "two")
    assert await scene.reporter.push()
    assert scene.said[:2] == ["one", "two"]
