"""The loop that keeps an actor alive."""

import asyncio

from actors.work_loop import LONGEST_PAUSE_SECONDS, WorkLoop
from tests.eventually import eventually


class Worker:
    """Counts its turns; `outcomes` says how the next ones end, after which there is nothing to do."""

    def __init__(self, *outcomes: bool | Exception) -> None:
        self.outcomes = list(outcomes)
        self.turns = 0
        self.waits = 0
        self.pauses: list[float] = []
        self.rung = asyncio.Event()
        self.loop = WorkLoop("worker", self.work, self.wait, self.pause)

    async def work(self) -> bool:
        self.turns += 1
        outcome = self.outcomes.pop(0) if self.outcomes else False
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def wait(self, _seconds: float) -> None:
        self.waits += 1
        await self.rung.wait()
        self.rung.clear()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)


async def test_it_works_without_a_pause_while_there_is_work_and_then_waits_for_the_doorbell() -> None:
    worker = Worker(True, True, True)
    worker.loop.start()
    await eventually(lambda: worker.waits == 1)
    assert worker.turns == 4
    worker.rung.set()
    await eventually(lambda: worker.turns == 5)
    await worker.loop.stop()


async def test_it_goes_on_after_failures() -> None:
    worker = Worker(ValueError("one"), ValueError("two"), True)
    worker.loop.start()
    await eventually(lambda: worker.waits == 1)
    assert worker.turns == 4
    assert worker.loop.health().healthy
    await worker.loop.stop()


async def test_it_backs_off_ever_longer_until_a_limit() -> None:
    worker = Worker(*[ValueError("again")] * 12)
    worker.loop.start()
    await eventually(lambda: len(worker.pauses) == 12)
    await worker.loop.stop()
    assert worker.pauses[:3] == [0.2, 0.4, 0.8]
    assert worker.pauses == sorted(worker.pauses)
    assert worker.pauses[-1] == LONGEST_PAUSE_SECONDS


async def test_after_a_success_it_backs_off_from_the_start_again() -> None:
    worker = Worker(ValueError("a"), ValueError("b"), True, ValueError("c"))
    worker.loop.start()
    await eventually(lambda: len(worker.pauses) == 3)
    await worker.loop.stop()
    assert worker.pauses == [0.2, 0.4, 0.2]


async def test_one_failure_is_told_and_three_in_a_row_are_unhealthy() -> None:
    worker = Worker(*[ValueError("no luck")] * 3)
    seen: list[tuple[bool, str | None]] = []

    async def pause(_seconds: float) -> None:
        health = worker.loop.health()
        seen.append((health.healthy, health.message))

    worker.loop = WorkLoop("worker", worker.work, worker.wait, pause)
    worker.loop.start()
    await eventually(lambda: worker.waits == 1)
    assert seen == [(True, "ValueError: no luck")] * 2 + [(False, "ValueError: no luck")]
    assert worker.loop.health().message is None
    await worker.loop.stop()


async def test_a_wait_that_fails_ends_nothing() -> None:
    worker = Worker()

    async def broken(_seconds: float) -> None:
        raise ConnectionError("the doorbell is broken")

    worker.loop = WorkLoop("worker", worker.work, broken, worker.pause)
    worker.loop.start()
    await eventually(lambda: worker.turns >= 3)
    await worker.loop.stop()


async def test_a_loop_that_was_not_started_is_unhealthy() -> None:
    health = Worker().loop.health()
    assert (health.healthy, health.message) == (False, "not started")


async def test_a_loop_that_ended_is_unhealthy_and_can_be_started_again() -> None:
    """Such as by a cancellation from inside its work, which is no Exception."""
    worker = Worker()

    async def cancelled_once() -> bool:
        worker.turns += 1
        if worker.turns == 1:
            raise asyncio.CancelledError
        return False

    worker.loop = WorkLoop("worker", cancelled_once, worker.wait, worker.pause)
    worker.loop.start()
    await eventually(lambda: not worker.loop.health().healthy)
    worker.loop.start()
    await eventually(lambda: worker.waits == 1)
    assert worker.loop.health().healthy
    await worker.loop.stop()


async def test_starting_twice_is_harmless() -> None:
    worker = Worker()
    for _ in range(3):
        worker.loop.start()
    await eventually(lambda: worker.waits == 1)
    assert worker.turns == 1
    await worker.loop.stop()


async def test_stop_waits_for_the_work_in_hand() -> None:
    in_hand, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> bool:
        in_hand.set()
        await go_on.wait()
        done.set()
        return True

    worker = Worker()
    worker.loop = WorkLoop("worker", work, worker.wait, worker.pause)
    worker.loop.start()
    await in_hand.wait()
    stopping = asyncio.create_task(worker.loop.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go_on.set()
    await stopping
    assert done.is_set()


async def test_stop_interrupts_a_wait_for_the_doorbell() -> None:
    worker = Worker()
    worker.loop.start()
    await eventually(lambda: worker.waits == 1)
    await worker.loop.stop()
    assert worker.turns == 1


async def test_stop_interrupts_a_pause_after_a_failure() -> None:
    worker = Worker(ValueError("no luck"))
    pausing = asyncio.Event()

    async def endless(_seconds: float) -> None:
        pausing.set()
        await asyncio.Event().wait()

    worker.loop = WorkLoop("worker", worker.work, worker.wait, endless)
    worker.loop.start()
    await pausing.wait()
    await worker.loop.stop()
    assert worker.turns == 1


async def test_nothing_is_begun_after_a_stop() -> None:
    worker = Worker()
    worker.loop.start()
    await eventually(lambda: worker.waits == 1)
    await worker.loop.stop()
    worker.rung.set()
    await asyncio.sleep(0)
    assert worker.turns == 1
    await worker.loop.stop()
