"""Assessments a minute through the system, beside the bare engine with the same prompts.

The system: batches that are closed already, from their first claim to the last stored event: evidence, prompt, queue,
engine, answer read, event, rules and alerts in one commit. The engine: AsyncLLM in a process of its own, nothing else.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.model_assessor import TEMPERATURES
from bench.closed_batches import insert_closed_batches
from bench.effort import Effort
from bench.figures import Report, Table, median
from bench.models import demo_model
from bench.random_nemotron import TINY, Size, random_llama
from bench.rows import rows_of
from bench.running import RunningSystem, SystemFailed, work_folder
from domain.answer import MOST_TOKENS, answer_schema
from domain.clock import SystemClock
from domain.prompt import render
from schemas.language import Question
from schemas.why import Why
from storage.postgres import Connection

_PATIENCE_SECONDS = 580.0
_LONGEST = 8192
_SIZES = (TINY, Size("small", layers=8, width=512))


@dataclass(frozen=True)
class Case:
    size: Size
    in_flight: int
    prefix_caching: bool


@dataclass(frozen=True)
class Rate:
    assessments: int
    seconds: float
    answer_tokens: int

    @property
    def a_minute(self) -> float:
        return 60 * self.assessments / self.seconds

    @property
    def tokens_a_second(self) -> float:
        return self.answer_tokens / self.seconds


@dataclass(frozen=True)
class Measured:
    """The rounds of one case; system and engine take turns."""

    case: Case
    system: list[Rate]
    engine: list[Rate]

    @property
    def ratio(self) -> float:
        """Of the medians, in assessments a minute."""
        return median([one.a_minute for one in self.system]) / median([one.a_minute for one in self.engine])

    @property
    def token_ratio(self) -> float:
        """In tokens of answers a second: random models' answers differ in length from one run to the next."""
        return median([one.tokens_a_second for one in self.system]) / median(
            [one.tokens_a_second for one in self.engine]
        )


def llm(effort: Effort, tell: Callable[[str], None]) -> Report:
    measured = []
    for case in _cases(quick=effort.starts == 1):
        measured.append(_measure(effort, case, tell))
        tell(f"{_words(case)}: {measured[-1].ratio:.2f} of the bare engine")
    return Report([_table(measured)], {_words(one.case): _figures(one) for one in measured})


def _cases(quick: bool) -> list[Case]:
    if quick:
        return [Case(_SIZES[0], 8, True)]
    return [
        *(Case(size, in_flight, True) for size in _SIZES for in_flight in (1, 8, 32)),
        *(Case(size, 32, False) for size in _SIZES),
    ]


def _measure(effort: Effort, case: Case, tell: Callable[[str], None]) -> Measured:
    model = random_llama(effort.cache / f"llama-{case.size.name}", case.size)
    batches = max(12, min(6 * case.in_flight, 96))
    system, engine = [], []
    for number in range(1, min(effort.rounds, 2) + 1):
        tell(f"{_words(case)}, round {number}: {batches} batches through the system")
        rate, questions = _through_the_system(model, case, batches)
        system.append(rate)
        tell(f"{_words(case)}, round {number}: the same prompts through the bare engine")
        engine.append(_through_the_engine(model, case, questions))
    return Measured(case, system, engine)


def _through_the_system(model: Path, case: Case, batches: int) -> tuple[Rate, list[Question]]:
    settings = {
        "NEMOTRON_MODEL": str(model),
        "NEMOTRON_DEVICE": "cpu",
        "NEMOTRON_MAX_IN_FLIGHT": str(case.in_flight),
        "NEMOTRON_MAX_MODEL_LEN": str(_LONGEST),
        "NEMOTRON_PREFIX_CACHING": "on" if case.prefix_caching else "off",
        "NEMOTRON_PATIENCE_SECONDS": "3600",
        "NEMOTRON_TIMEOUT_SECONDS": "300",
        "VLLM_CPU_KVCACHE_SPACE": "1",
    }
    with work_folder() as work, RunningSystem(work, demo_model().weights, settings) as system:
        return asyncio.run(_assess(system, case, batches))


async def _assess(system: RunningSystem, case: Case, batches: int) -> tuple[Rate, list[Question]]:
    async with rows_of(system) as rows:
        await _until(rows.connection, "the model", "SELECT status = 'running' FROM services WHERE name = 'nemotron'")
        await _store(system, rows.connection, "warm-up", case.in_flight)
        await _store(system, rows.connection, "counted", batches)
        span = await rows.connection.fetchrow(
            """
            SELECT min(b.analysis_started_at) AS first, max(e.created_at) AS last FROM batches b
            JOIN events e ON e.batch_id = b.id
            WHERE b.id IN (SELECT md5('counted' || g)::uuid FROM generate_series(1, $1::int) g)
            """,
            batches,
        )
        assert span is not None
        stored = await rows.connection.fetch(
            "SELECT why FROM events WHERE batch_id IN (SELECT md5('counted' || g)::uuid FROM "
            "generate_series(1, $1::int) g) AND assessment = 'final' ORDER BY id",
            batches,
        )
    whys = [Why.model_validate_json(row["why"]) for row in stored]
    if len(whys) < batches:
        raise SystemFailed(f"{batches - len(whys)} of {batches} events were stored provisionally")
    tokens = sum(one.completion_tokens or 0 for why in whys if why.model for one in why.model.attempts)
    rate = Rate(batches, (span["last"] - span["first"]).total_seconds(), tokens)
    return rate, [_question(why) for why in whys]


async def _store(system: RunningSystem, connection: Connection, name: str, count: int) -> None:
    """Puts the batches there and waits until every one is an event."""
    await insert_closed_batches(connection, system.cameras, name, count)
    waiting = "SELECT count(*) = 0 FROM batches WHERE state IN ('closed', 'assessing')"
    await _until(connection, f"the batches of {name}", waiting)


async def _until(connection: Connection, what: str, condition: str) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + _PATIENCE_SECONDS
    while not await connection.fetchval(condition):
        if clock.monotonic() > deadline:
            raise SystemFailed(f"{what}: not done after {_PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(0.25)


def _question(why: Why) -> Question:
    assert why.model is not None, "a final assessment by a model has its trace"
    prompt = render(why.model.facts, why.model.prompt_version)
    return Question(
        id=why.model.facts.case,
        system=prompt.system,
        user=prompt.user,
        answer_schema=answer_schema(why.model.facts.case, why.model.facts.bands),
        temperature=TEMPERATURES[0],
        most_tokens=MOST_TOKENS,
        within_seconds=600,
    )


def _through_the_engine(model: Path, case: Case, questions: list[Question]) -> Rate:
    asked = [{"system": one.system, "user": one.user, "schema": one.answer_schema} for one in questions]
    plan = {
        "model": str(model),
        "in_flight": case.in_flight,
        "temperature": questions[0].temperature,
        "most_tokens": questions[0].most_tokens,
        "warm_up": asked[: case.in_flight],
        "questions": asked,
        "engine": {
            "dtype": "bfloat16",
            "enforce_eager": True,
            "max_model_len": _LONGEST,
            "max_num_seqs": case.in_flight,
            "enable_prefix_caching": case.prefix_caching,
            "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        },
    }
    with work_folder() as work:
        file = work / "plan.json"
        file.write_text(json.dumps(plan))
        done = subprocess.run(
            [sys.executable, "-m", "bench.bare_llm", str(file)],
            cwd=Path(__file__).parent.parent,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise SystemFailed(f"the bare engine failed: {done.stderr.strip()[-800:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Rate(len(questions), told["seconds"], told["answer_tokens"])


def _environment() -> dict[str, str]:
    return os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1"}


def _words(case: Case) -> str:
    caching = "" if case.prefix_caching else ", prefix caching off"
    return f"{case.size.name} model, {case.in_flight} in flight{caching}"


def _figures(one: Measured) -> dict[str, Any]:
    return {
        "system_a_minute": [rate.a_minute for rate in one.system],
        "engine_a_minute": [rate.a_minute for rate in one.engine],
        "ratio": one.ratio,
        "token_ratio": one.token_ratio,
    }


def _table(measured: list[Measured]) -> Table:
    return Table(
        "Assessments a minute by a language model, on the processor",
        ("", "system", "bare engine", "ratio", "ratio in tokens"),
        [
            (
                _words(one.case),
                f"{median([rate.a_minute for rate in one.system]):.0f}",
                f"{median([rate.a_minute for rate in one.engine]):.0f}",
                f"{one.ratio:.2f}",
                f"{one.token_ratio:.2f}",
            )
            for one in measured
        ],
        (
            "random Llama models: " + "; ".join(f"{size.name} {size.layers} layers of {size.width}" for size in _SIZES),
            "prompts as the system asked them, rendered again from what each event keeps",
        ),
    )
