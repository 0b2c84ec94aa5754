"""An analyzer over a scripted backend, whose time and looks a test makes itself."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from actors.nemotron_analyzer import AnalyzerPlan, NemotronAnalyzer
from schemas.language import Question, Reply
from tests.actors.fakes import FakeClock
from tests.actors.scripted_backend import ScriptedBackend
from tests.eventually import eventually

PLAN = AnalyzerPlan(max_in_flight=2, most_waiting=3, known_question_seconds=0.05)


def question(name: str, priority: int = 0, within: float = 30.0) -> Question:
    return Question(id=name, system="s", user="u", answer_schema={}, priority=priority, within_seconds=within)


class Room:
    """An analyzer whose looks a test makes itself; time moves by `clock` only."""

    def __init__(self, plan: AnalyzerPlan = PLAN) -> None:
        self.clock = FakeClock()
        self.backend = ScriptedBackend()
        self.analyzer = NemotronAnalyzer(self.backend, plan, self.clock)
        self.tasks: list[asyncio.Task[Reply]] = []

    async def look(self, after: float = 0.0) -> None:
        self.clock.advance(after)
        await self.analyzer.look()
        for _ in range(10):  # what the look has begun runs until it waits
            await asyncio.sleep(0)

    async def up(self) -> None:
        await self.look()
        await self.look()

    def put(self, name: str, priority: int = 0, within: float = 30.0) -> asyncio.Task[Reply]:
        task = asyncio.ensure_future(self.analyzer.ask(question(name, priority, within)))
        self.tasks.append(task)
        return task

    async def put_all(self, *named: tuple[str, int]) -> list[asyncio.Task[Reply]]:
        """One after the other, each as far as it comes by itself."""
        tasks = []
        for name, priority in named:
            tasks.append(self.put(name, priority))
            for _ in range(5):
                await asyncio.sleep(0)
        return tasks

    async def told(self) -> dict[str, Any]:
        return await self.analyzer.describe()

    async def message(self) -> str | None:
        return (await self.analyzer.health()).message


@pytest.fixture
async def room() -> AsyncIterator[Room]:
    room = Room()
    yield room
    for task in room.tasks:
        task.cancel()
    await asyncio.gather(*room.tasks, return_exceptions=True)
    room.backend.never_stops = False
    await room.analyzer.stop()


async def in_flight(room: Room, *names: str) -> None:
    await eventually(lambda: set(room.backend.pending) == set(names))
