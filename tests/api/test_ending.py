"""Ending tasks that do not want to end."""

import asyncio

from deployments.api.live.ending import end


async def test_a_task_that_swallows_a_cancellation_is_ended_all_the_same() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 2:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await end([task])
    assert task.cancelled()
    assert swallowed == 3


async def test_what_has_ended_already_needs_no_ending() -> None:
    async def failing() -> None:
        raise ValueError("its own business")

    task = asyncio.create_task(failing())
    await asyncio.wait([task])
    await end([task])
    assert isinstance(task.exception(), ValueError)
