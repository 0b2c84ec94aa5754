"""The same few promises of the analyzer over a scripted backend and over the real vLLM engine, each loaded once."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import psutil
import pytest
import pytest_asyncio

from actors.nemotron_analyzer import AnalyzerPlan, NemotronAnalyzer
from bench.random_nemotron import random_llama
from domain.clock import SystemClock
from language.backend import Backend
from language.engine_plan import EnginePlan
from language.errors import ModelAway, ModelTooSlow, QuestionRefused
from language.vllm_engine import VllmEngine
from schemas.language import Question, Reply
from tests.actors.scripted_backend import KNOWN, ScriptedBackend, reply_to
from tests.eventually import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1200)]  # a busy machine loads slowly

SCORE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["risk_score"],
    "properties": {"risk_score": {"type": "integer", "minimum": 0, "maximum": 100}},
}
ENDLESS: dict[str, Any] = {"type": "array", "minItems": 2000, "items": {"type": "integer", "minimum": 0, "maximum": 9}}
LOADED_WITHIN_SECONDS = 500.0


class Prompt(ScriptedBackend):
    """Answers at once, but never where an endless answer is asked for."""

    async def ask(self, question: Question) -> Reply:
        if question.answer_schema == ENDLESS or question.id.startswith(KNOWN):
            return await super().ask(question)
        return reply_to(question, '{"risk_score": 7}')


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["scripted", "vllm"])
async def analyzer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[NemotronAnalyzer]:
    backend: Backend = Prompt()
    if request.param == "vllm":
        folder = random_llama(tmp_path_factory.mktemp("models") / "tiny-llama")
        backend = VllmEngine(EnginePlan(model=str(folder), device="cpu", max_in_flight=3))
    made = NemotronAnalyzer(
        backend, AnalyzerPlan(max_in_flight=2, most_waiting=4, known_question_seconds=120), SystemClock()
    )
    await made.start()
    await eventually(lambda: is_healthy(made), LOADED_WITHIN_SECONDS)
    yield made
    children = backend.process_ids() if isinstance(backend, VllmEngine) else []
    await made.stop()
    await eventually(lambda: not any(psutil.pid_exists(pid) for pid in children))  # dead, and buried by the machine
    assert (await made.health()).message == "the language model has been stopped"


async def is_healthy(analyzer: NemotronAnalyzer) -> bool:
    return (await analyzer.health()).healthy


async def told(analyzer: NemotronAnalyzer, name: str) -> Any:
    return (await analyzer.describe())[name]


def question(name: str, **changes: Any) -> Question:
    given: dict[str, Any] = {"id": name, "system": "Judge.", "user": "A person.", "answer_schema": SCORE}
    return Question(**(given | {"most_tokens": 40, "within_seconds": 120.0} | changes))


def endless(name: str, **changes: Any) -> Question:
    return question(name, answer_schema=ENDLESS, most_tokens=5000, **changes)


async def has_in_flight(analyzer: NemotronAnalyzer, count: int) -> bool:
    return bool(await told(analyzer, "in_flight") == count)


async def test_it_is_healthy_after_its_known_question_and_says_how_long_ago(analyzer: NemotronAnalyzer) -> None:
    check = await told(analyzer, "self_check")
    assert check["healthy"] is True
    assert check["checked_seconds_ago"] >= 0
    assert await told(analyzer, "loaded") is True


async def test_six_questions_at_once_have_their_own_answers(analyzer: NemotronAnalyzer) -> None:
    before = await told(analyzer, "answers")
    names = [f"six-{number}" for number in range(6)]
    replies = await asyncio.gather(*(analyzer.ask(question(name)) for name in names))
    assert [reply.id for reply in replies] == names
    assert all(0 <= json.loads(reply.text or "")["risk_score"] <= 100 for reply in replies)
    assert await told(analyzer, "answers") == before + 6
    assert await told(analyzer, "seconds_per_answer") is not None


async def test_a_question_is_not_asked_twice_at_once_and_its_cancellation_frees_its_place(
    analyzer: NemotronAnalyzer,
) -> None:
    asking = asyncio.ensure_future(analyzer.ask(endless("twice")))
    await eventually(lambda: has_in_flight(analyzer, 1))
    with pytest.raises(QuestionRefused):
        await analyzer.ask(question("twice"))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await told(analyzer, "in_flight") == 0
    assert (await analyzer.ask(question("twice"))).id == "twice"


async def test_too_many_are_sent_away_while_the_others_go_on(analyzer: NemotronAnalyzer) -> None:
    asking = [asyncio.ensure_future(analyzer.ask(endless(f"long-{number}"))) for number in range(6)]
    await eventually(lambda: has_in_flight(analyzer, 2))
    with pytest.raises(ModelAway, match="busy: 2 questions are being answered and 4 wait"):
        await analyzer.ask(question("one too many"))
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert (await analyzer.ask(question("afterwards"))).id == "afterwards"


async def test_one_that_takes_longer_than_it_may_is_given_up(analyzer: NemotronAnalyzer) -> None:
    with pytest.raises(ModelTooSlow):
        await analyzer.ask(endless("slow", within_seconds=0.3))
    assert (await analyzer.ask(question("next"))).id == "next"
    assert await is_healthy(analyzer)


async def test_switched_off_it_asks_nobody(analyzer: NemotronAnalyzer) -> None:
    """The last one: it ends what the others used."""
    asking = asyncio.ensure_future(analyzer.ask(endless("going")))
    await eventually(lambda: has_in_flight(analyzer, 1))
    await analyzer.switch(False)
    with pytest.raises(ModelAway, match="switched off"):
        await asking
    with pytest.raises(ModelAway, match="switched off"):
        await analyzer.ask(question("off"))
    assert await told(analyzer, "loaded") is False
