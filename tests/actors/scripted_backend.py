"""A language model's backend whose every answer a test decides: the plain protocol, and nothing behind it."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from language.errors import ModelAway
from schemas.language import Question, Reply

KNOWN = "known-question"


def reply_to(question: Question, text: str | None = '{"incident": "window_broken"}') -> Reply:
    return Reply(
        id=question.id,
        text=text,
        finish_reason="stop",
        model="scripted",
        fingerprint="f1",
        prompt_tokens=10,
        completion_tokens=5,
        seconds=0.01,
    )


class ScriptedBackend:
    """Answers its known question at once; keeps every other one until `answer` is called, or answers as told."""

    def __init__(self) -> None:
        self.start_raises: deque[Exception] = deque()
        self.starts = 0
        self.stops = 0
        self.dead: str | None = None
        self.hangs = False
        """Nothing is answered, the known question included."""
        self.holds_start: asyncio.Event | None = None
        self.swallows_cancellation = False
        self.never_stops = False
        self.answer_with: Callable[[Question], Reply] | None = None
        """Answers every question at once."""
        self.known_text: str | None = '{"incident": "window_broken"}'
        self.known_raises: Exception | None = None
        self.asked: list[str] = []
        self.known_asked = 0
        self.pending: dict[str, asyncio.Future[Reply]] = {}
        self.questions: dict[str, Question] = {}
        self.cancelled: list[str] = []

    async def start(self) -> None:
        self.starts += 1
        if self.holds_start is not None:
            await self.holds_start.wait()
        if self.start_raises:
            raise self.start_raises.popleft()
        self.dead = None

    async def stop(self) -> None:
        self.stops += 1
        while self.never_stops:
            await asyncio.sleep(0.01)

    async def ask(self, question: Question) -> Reply:
        if question.id.startswith(KNOWN):
            self.known_asked += 1
            if self.known_raises is not None:
                raise self.known_raises
            if not self.hangs:
                return reply_to(question, self.known_text)
        self.asked.append(question.id)
        self.questions[question.id] = question
        if self.answer_with is not None:
            return self.answer_with(question)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.pending[question.id] = future
        try:
            return await future
        except asyncio.CancelledError:
            self.cancelled.append(question.id)
            raise
        finally:
            self.pending.pop(question.id, None)

    def answer(self, question_id: str) -> None:
        self.pending[question_id].set_result(reply_to(self.questions[question_id], '{"ok": 1}'))

    def die(self, reason: str = "the engine died") -> None:
        """As an engine does: whatever it had is lost."""
        self.dead = reason
        for future in list(self.pending.values()):
            future.set_exception(ModelAway(reason))

    def fault(self) -> str | None:
        return self.dead

    def describe(self) -> dict[str, Any]:
        return {"model": "scripted", "fingerprint": "f1", "backend": "scripted", "device": "nowhere"}
