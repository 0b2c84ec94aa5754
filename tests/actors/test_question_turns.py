"""A line without a bound sends nobody away; its places may become more while it works."""

import asyncio

from actors.question_turns import Turns
from tests.eventually import eventually


async def test_without_a_bound_nobody_is_sent_away_and_a_raised_number_lets_more_in() -> None:
    turns = Turns(1)
    waiting = [asyncio.create_task(turns.take(0)) for _ in range(3000)]
    await eventually(lambda: turns.waiting == 2999)
    turns.at_once = 3
    turns.give_back()
    await eventually(lambda: sum(one.done() for one in waiting) == 4)
    assert (turns.taken, turns.waiting) == (3, 2996)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
