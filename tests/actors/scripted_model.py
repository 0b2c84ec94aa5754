"""A language model that says what a test's script says, and breakers that keep count of what they were told."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from actors.circuit_breakers import CircuitBreakers
from domain.circuit_breaker import Admitted, Rejected
from domain.severity import level
from schemas.language import Question, Reply
from schemas.severity import SeverityBands

Step = Exception | Callable[[Question], Reply | Awaitable[Reply]]


def case_of(question: Question) -> str:
    return str(question.answer_schema["properties"]["case"]["enum"][0])


def answer(question: Question, score: int = 42, signs: Sequence[str] = (), bands: SeverityBands | None = None) -> str:
    """What a model that follows the schema says."""
    given = {
        "case": case_of(question),
        "reasoning": "A person stays at the door and tries nothing.",
        "summary": "A person at the door",
        "signs": list(signs),
        "risk": {"level": level(score, bands or SeverityBands()).value, "score": score},
    }
    return json.dumps(given)


def reply(question: Question, text: str | None, finish_reason: str | None = "stop", **values: Any) -> Reply:
    given: dict[str, Any] = {
        "id": question.id,
        "model": "nano",
        "fingerprint": "weights-1",
        "prompt_tokens": 900,
        "completion_tokens": 80,
        "seconds": 0.5,
    }
    return Reply(text=text, finish_reason=finish_reason, **(given | values))


def says(score: int = 42, signs: Sequence[str] = (), **values: Any) -> Step:
    return lambda question: reply(question, answer(question, score, signs, **values))


def babbles(text: str | None = "As a language model I cannot", **values: Any) -> Step:
    return lambda question: reply(question, text, **values)


class ScriptedModel:
    """Answers what `script` holds next, then what `usual` says; with `gate` closed nobody gets an answer."""

    def __init__(self, *script: Step, usual: Step | None = None) -> None:
        self.script = deque(script)
        self.usual: Step = usual or says()
        self.questions: list[Question] = []
        self.cancelled: list[Question] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.in_flight = 0
        self.most_in_flight = 0
        self.described: dict[str, Any] | Exception = {"loaded": True, "status": "healthy"}
        self.looks = 0

    async def ask(self, question: Question) -> Reply:
        self.questions.append(question)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.gate.wait()
            step = self.script.popleft() if self.script else self.usual
            if isinstance(step, Exception):
                raise step
            said = step(question)
            return said if isinstance(said, Reply) else await said
        except asyncio.CancelledError:
            self.cancelled.append(question)
            raise
        finally:
            self.in_flight -= 1

    async def describe(self) -> dict[str, Any]:
        self.looks += 1
        if isinstance(self.described, Exception):
            raise self.described
        return self.described


class CountingBreakers(CircuitBreakers):
    """The real ones; `told` is what they heard of each admitted call."""

    admitted = 0
    rejected = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.told: list[str] = []

    async def admit(self, name: str) -> Admitted | Rejected:
        admission = await super().admit(name)
        if isinstance(admission, Admitted):
            self.admitted += 1
        else:
            self.rejected += 1
        return admission

    async def succeeded(self, name: str, admitted: Admitted) -> None:
        self.told.append("succeeded")
        await super().succeeded(name, admitted)

    async def failed(self, name: str, admitted: Admitted) -> None:
        self.told.append("failed")
        await super().failed(name, admitted)

    async def released(self, name: str, admitted: Admitted) -> None:
        self.told.append("released")
        await super().released(name, admitted)
