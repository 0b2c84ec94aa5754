"""An answer that is kept for a second: one question at a time."""

import asyncio

import pytest

from deployments.api.views.kept import Kept
from storage.errors import StoreUnavailable
from tests.actors.fakes import FakeClock
from tests.eventually import eventually


class Counted:
    """Answers 1, 2, 3 ..., once it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.raises: Exception | None = None

    async def __call__(self) -> int:
        self.asked += 1
        answer = self.asked
        await self.may_answer.wait()
        if self.raises is not None:
            raise self.raises
        return answer


async def test_many_who_ask_at_once_are_one_question() -> None:
    counted, clock = Counted(), FakeClock()
    kept = Kept(counted, clock)
    assert await asyncio.gather(*(kept() for _ in range(20))) == [1] * 20
    clock.advance(0.4)
    assert await kept() == 1
    assert counted.asked == 1


async def test_in_the_second_half_of_its_life_it_is_asked_again_and_nobody_waits() -> None:
    counted, clock = Counted(), FakeClock()
    kept = Kept(counted, clock)
    await kept()
    clock.advance(0.6)
    counted.may_answer.clear()
    assert [await kept(), await kept()] == [1, 1]
    await eventually(lambda: counted.asked == 2)
    counted.may_answer.set()

    async def renewed() -> bool:
        return await kept() == 2

    await eventually(renewed)


async def test_an_answer_that_is_too_old_is_waited_for() -> None:
    counted, clock = Counted(), FakeClock()
    kept = Kept(counted, clock)
    await kept()
    clock.advance(1.0)
    assert await kept() == 2


async def test_an_answer_that_takes_long_is_kept_longer() -> None:
    counted, clock = Counted(), FakeClock()
    kept = Kept(counted, clock)
    counted.may_answer.clear()
    asking = asyncio.create_task(kept())
    await eventually(lambda: counted.asked == 1)
    clock.advance(2.0)
    counted.may_answer.set()
    await asking
    clock.advance(1.9)
    assert await kept() == 1
    assert counted.asked == 1


async def test_a_failure_is_told_and_the_next_question_asks_again() -> None:
    counted, clock = Counted(), FakeClock()
    kept = Kept(counted, clock)
    counted.raises = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await kept()
    counted.raises = None
    assert await kept() == 2
    kept.close()


async def test_a_caller_that_goes_away_does_not_break_off_the_question_of_the_others() -> None:
    counted = Counted()
    counted.may_answer.clear()
    kept = Kept(counted, FakeClock())
    leaving, staying = asyncio.create_task(kept()), asyncio.create_task(kept())
    await eventually(lambda: counted.asked == 1)
    leaving.cancel()
    counted.may_answer.set()
    assert await staying == 1
