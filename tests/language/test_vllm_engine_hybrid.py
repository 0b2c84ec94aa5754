"""The real vLLM engine on a tiny NemotronH that thinks aloud; it is killed, and started again.

Its model runs in a worker beside the core, as it does on several cards.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from domain.answer import MOST_TOKENS, Answer, answer_schema, read_answer
from language.engine_plan import EnginePlan
from language.engine_processes import shared_memory
from language.errors import ModelAway, QuestionRefused
from language.vllm_engine import VllmEngine
from schemas.severity import SeverityBands
from tests.eventually import eventually
from tests.language.questions import question

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1200)]  # a busy machine loads slowly

BANDS = SeverityBands()
THINKING = 24


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(nemotron_folder: Path) -> AsyncIterator[VllmEngine]:
    plan = EnginePlan(model=str(nemotron_folder), max_in_flight=16, thinking=True, thinking_tokens=THINKING)
    running = VllmEngine(plan)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("VLLM_CPU_OMP_THREADS_BIND", "auto")
        await running.start()
        yield running
        await running.stop()


def logged(engine: VllmEngine, text: str) -> None:
    assert engine._files is not None
    with engine._files._errors.open("a") as log:
        log.write(text)


def case_question(case: str, **changes: Any) -> Any:
    asked: dict[str, Any] = {"id": case, "answer_schema": answer_schema(case, BANDS), "most_tokens": MOST_TOKENS}
    return question(**asked | {"temperature": 1.0, "within_seconds": 300.0} | changes)


async def test_64_questions_at_once_are_thought_about_and_each_get_a_whole_answer(engine: VllmEngine) -> None:
    cases = [f"case-{number:02d}" for number in range(64)]
    replies = await asyncio.gather(*(engine.ask(case_question(case)) for case in cases))
    answers = [read_answer(reply, case, BANDS) for reply, case in zip(replies, cases, strict=True)]
    assert [one for one in answers if not isinstance(one, Answer)] == []


async def test_the_answer_is_what_follows_the_thought_and_the_thought_counts_as_tokens(engine: VllmEngine) -> None:
    reply = await engine.ask(question(most_tokens=200, within_seconds=300.0))
    assert (reply.text or "").startswith('{"case"')
    assert (reply.completion_tokens or 0) > 10


async def test_thoughts_count_towards_the_length_of_a_question(engine: VllmEngine) -> None:
    with pytest.raises(QuestionRefused, match=r"its answer may have 80[2-9]\d, together more than"):
        await engine.ask(question(user="A cat. " * 60, most_tokens=8000))


async def test_layers_with_a_running_state_turn_the_prefix_cache_off(engine: VllmEngine) -> None:
    told = engine.describe()
    assert told["architectures"] == ["NemotronHForCausalLM"]
    assert (told["hybrid"], told["prefix_caching"], told["thinking"]) == (True, False, True)


async def test_a_killed_core_fails_what_is_in_flight_says_so_and_starts_again(engine: VllmEngine) -> None:
    processes = engine.process_ids()
    shared = shared_memory(processes[0]) - shared_memory(os.getpid())
    assert shared
    asked = [asyncio.create_task(engine.ask(case_question(f"lost-{number}"))) for number in range(24)]
    await eventually(lambda: engine.unfinished() == 24)
    logged(engine, "ERROR vllm.v1.x: Failed to compile grammar for request 7\nTraceback:\nValueError: of another day\n")
    os.kill(processes[0], signal.SIGKILL)
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(one) for one in ends} == {ModelAway}
    assert engine.fault() == "the engine died (its process is gone)"
    with pytest.raises(ModelAway, match="the engine died"):
        await engine.ask(case_question("after"))

    await engine.stop()
    await eventually(lambda: not any(psutil.pid_exists(pid) for pid in processes))  # dead, and buried by the machine
    assert not any(path.exists() for path in shared)
    with pytest.raises(ModelAway, match="not running"):
        await engine.ask(case_question("stopped"))

    await engine.start()
    assert engine.fault() is None
    assert isinstance(read_answer(await engine.ask(case_question("again")), "again", BANDS), Answer)


async def test_a_killed_worker_ends_the_engine_which_says_so(engine: VllmEngine) -> None:
    processes = engine.process_ids()
    os.kill(processes[-1], signal.SIGKILL)
    with pytest.raises(ModelAway, match="the engine died"):
        await engine.ask(case_question("lost"))
    assert "died unexpectedly" in (engine.fault() or "")
    await engine.stop()
    await eventually(lambda: not any(psutil.pid_exists(pid) for pid in processes))  # dead, and buried by the machine
