"""Assessments a minute through the system, beside the bare engine with the same prompts.

The system: batches that are closed already, from their first claim to the last stored event: evidence, prompt, queue,
engine, answer read, event, rules and alerts in one commit. The engine: AsyncLLM in a process of its own, nothing else,
with the system's own arguments and threads. With VLLM_CPU_OMP_THREADS_BIND=auto both are as vLLM has them by itself.
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
from bench.processes import BENCH, CpuMeter, CpuUse
from bench.random_nemotron import TINY, Size, random_llama
from bench.rows import rows_of
from bench.running import RunningSystem, SystemFailed, work_folder
from deployments.nemotron import processor_threads
from domain.answer import MOST_TOKENS, answer_schema
from domain.clock import SystemClock
from domain.prompt import render
from language.engine_build import engine_arguments, inherited_threads
from language.engine_plan import EnginePlan
from schemas.language import Question
from schemas.why import Why
from storage.postgres import Connection

_PATIENCE_SECONDS = 580.0
_LONGEST = 8192
_SIZES = (TINY, Size("small", layers=8, width=512))
_THESE = "(SELECT md5($1::text || g)::uuid FROM generate_series(1, $2::int) g)"
"""The batches of one call of insert_closed_batches."""


@dataclass(frozen=True)
class Case:
    size: Size
    in_flight: int
    batches: int
    prefix_caching: bool = True


@dataclass(frozen=True)
class Rate:
    assessments: int
    seconds: float
    answer_tokens: int
    cpu_seconds: float
    """Of all processes that were measured, in seconds of one core."""
    by_name: dict[str, float] | None = None
    """Of the system's, each."""

    @property
    def a_minute(self) -> float:
        return 60 * self.assessments / self.seconds

    @property
    def tokens_a_second(self) -> float:
        return self.answer_tokens / self.seconds

    @property
    def cpu_milliseconds(self) -> float:
        """An assessment."""
        return 1e3 * self.cpu_seconds / self.assessments


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
    cases = _cases(quick=effort.starts == 1)
    chosen = [case for case in cases if effort.llm_cases in _words(case)]
    if not chosen:
        raise SystemFailed(f"no case is called {effort.llm_cases!r}: there are {'; '.join(map(_words, cases))}")
    for case in chosen:
        measured.append(_measure(effort, case, tell))
        tell(f"{_words(case)}: {measured[-1].ratio:.2f} of the bare engine")
    return Report([_table(measured)], {_words(one.case): _figures(one) for one in measured})


def _cases(quick: bool) -> list[Case]:
    tiny, small = _SIZES
    if quick:
        return [Case(tiny, 8, 48)]
    return [
        *(Case(tiny, in_flight, batches) for in_flight, batches in ((1, 48), (8, 96), (32, 192))),
        Case(tiny, 32, 192, prefix_caching=False),
        *(Case(small, in_flight, batches) for in_flight, batches in ((1, 12), (8, 32), (32, 64))),
        Case(small, 32, 64, prefix_caching=False),
    ]


def _measure(effort: Effort, case: Case, tell: Callable[[str], None]) -> Measured:
    model = random_llama(effort.cache / f"llama-{case.size.name}", case.size)
    system, engine = [], []
    for number in range(1, min(effort.rounds, 2) + 1):
        tell(f"{_words(case)}, round {number}: {case.batches} batches through the system")
        rate, warm_up, questions = _through_the_system(model, case)
        system.append(rate)
        tell(f"  {rate.a_minute:.0f} a minute; the same prompts through the bare engine")
        engine.append(_through_the_engine(model, case, warm_up, questions))
        tell(f"  {engine[-1].a_minute:.0f} a minute")
    return Measured(case, system, engine)


def _through_the_system(model: Path, case: Case) -> tuple[Rate, list[Question], list[Question]]:
    """How quickly, and what was asked: to warm up, and counted."""
    settings = {
        "NEMOTRON_MODEL": str(model),
        "NEMOTRON_DEVICE": "cpu",
        "NEMOTRON_MAX_IN_FLIGHT": str(case.in_flight),
        "NEMOTRON_MAX_MODEL_LEN": str(_LONGEST),
        "NEMOTRON_PREFIX_CACHING": "on" if case.prefix_caching else "off",
        "NEMOTRON_PATIENCE_SECONDS": "3600",
        "NEMOTRON_TIMEOUT_SECONDS": "300",
    }
    with work_folder() as work, RunningSystem(work, demo_model().weights, settings) as system:
        return asyncio.run(_assess(system, case))


async def _assess(system: RunningSystem, case: Case) -> tuple[Rate, list[Question], list[Question]]:
    async with rows_of(system) as rows:
        await _until(rows.connection, "the model", "SELECT status = 'running' FROM services WHERE name = 'nemotron'")
        await _store(system, rows.connection, "warm-up", case.in_flight)
        meter = CpuMeter(system.pid, system.data_dir)
        await _store(system, rows.connection, "counted", case.batches)
        used = meter.read()
        span = await rows.connection.fetchrow(
            f"""
            SELECT min(b.analysis_started_at) AS first, max(e.created_at) AS last FROM batches b
            JOIN events e ON e.batch_id = b.id WHERE b.id IN {_THESE}
            """,
            "counted",
            case.batches,
        )
        assert span is not None
        warm_up = await _whys(rows.connection, "warm-up", case.in_flight)
        counted = await _whys(rows.connection, "counted", case.batches)
    tokens = sum(one.completion_tokens or 0 for why in counted if why.model for one in why.model.attempts)
    seconds = (span["last"] - span["first"]).total_seconds()
    rate = Rate(case.batches, seconds, tokens, *_without_the_bench(used))
    return rate, [_question(why) for why in warm_up], [_question(why) for why in counted]


def _without_the_bench(used: CpuUse) -> tuple[float, dict[str, float]]:
    by_name = {name: seconds for name, seconds in used.by_name.items() if name != BENCH}
    return sum(by_name.values()), by_name


async def _whys(connection: Connection, name: str, count: int) -> list[Why]:
    """Of the events that were made of these batches. Raises SystemFailed where one was not assessed by the model."""
    stored = await connection.fetch(
        f"SELECT why FROM events WHERE batch_id IN {_THESE} AND assessment = 'final' ORDER BY id", name, count
    )
    if len(stored) < count:
        raise SystemFailed(f"{count - len(stored)} of {count} events were stored provisionally")
    return [Why.model_validate_json(row["why"]) for row in stored]


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


def _through_the_engine(model: Path, case: Case, warm_up: list[Question], questions: list[Question]) -> Rate:
    engine = EnginePlan(
        model=str(model),
        device="cpu",
        max_model_len=_LONGEST,
        max_in_flight=case.in_flight,
        prefix_caching="on" if case.prefix_caching else "off",
        threads=processor_threads(),
    )
    arguments = engine_arguments(engine, "cpu", hybrid=False)
    plan = {
        "engine": arguments,
        "in_flight": case.in_flight,
        "temperature": questions[0].temperature,
        "most_tokens": questions[0].most_tokens,
        "warm_up": [_asked(one) for one in warm_up],
        "questions": [_asked(one) for one in questions],
    }
    with work_folder() as work, inherited_threads(engine, arguments):
        file = work / "plan.json"
        file.write_text(json.dumps(plan))
        done = subprocess.run(
            [sys.executable, "-m", "bench.bare_llm", str(file)],
            cwd=Path(__file__).parent.parent,
            env=os.environ | {"VLLM_RPC_BASE_PATH": str(work)},  # its sockets go with the folder
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        raise SystemFailed(f"the bare engine failed: {done.stderr.strip()[-800:]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    return Rate(len(questions), told["seconds"], told["answer_tokens"], told["cpu_seconds"])


def _asked(question: Question) -> dict[str, Any]:
    return {"system": question.system, "user": question.user, "schema": question.answer_schema}


def _words(case: Case) -> str:
    caching = "" if case.prefix_caching else ", prefix caching off"
    return f"{case.size.name} model, {case.in_flight} in flight{caching}"


def _figures(one: Measured) -> dict[str, Any]:
    return {
        "system_a_minute": [rate.a_minute for rate in one.system],
        "engine_a_minute": [rate.a_minute for rate in one.engine],
        "ratio": one.ratio,
        "token_ratio": one.token_ratio,
        "system_cpu_ms": [rate.cpu_milliseconds for rate in one.system],
        "system_cpu_seconds_by_process": [rate.by_name for rate in one.system],
        "engine_cpu_ms": [rate.cpu_milliseconds for rate in one.engine],
    }


def _table(measured: list[Measured]) -> Table:
    return Table(
        "Assessments a minute by a language model, on the processor",
        ("", "system", "bare engine", "ratio", "ratio in tokens", "CPU ms each", "of the bare engine"),
        [
            (
                _words(one.case),
                f"{median([rate.a_minute for rate in one.system]):.0f}",
                f"{median([rate.a_minute for rate in one.engine]):.0f}",
                f"{one.ratio:.2f}",
                f"{one.token_ratio:.2f}",
                f"{median([rate.cpu_milliseconds for rate in one.system]):.0f}",
                f"{median([rate.cpu_milliseconds for rate in one.engine]):.0f}",
            )
            for one in measured
        ],
        (
            "random Llama models: " + "; ".join(f"{size.name} {size.layers} layers of {size.width}" for size in _SIZES),
            "prompts as the system asked them, rendered again from what each event keeps",
            f"the engine has {processor_threads()} thread(s) both times; CPU: of every process of the system, model "
            "and idle ones included",
        ),
    )
