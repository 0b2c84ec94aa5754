"""Where the pipeline's Python processes spend their time: py-spy watches them during one burst of pictures."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

from bench.effort import Effort
from bench.figures import Report, Table
from bench.models import Model
from bench.pictures import drawn_pictures, staged_pictures
from bench.pipeline import WARM_UP, run_pipeline
from bench.processes import display_name, system_processes
from bench.running import RunningSystem, work_folder
from bench.throughput import MODEL, PREPARES, cpu_table, one_round, rates_table

WATCHED = (PREPARES, MODEL, "BatchAggregator", "FileWatcher")
_SAMPLES_A_SECOND = 99
_ATTACH_SECONDS = 3.0
_LONGEST_SECONDS = 600
_SHOWN = 14
_WAITING = (
    "Condition.wait ",
    "Thread.run ",
    "Worker.main_loop ",
    "WorkerThread.run ",
    "_worker (concurrent/",
    "EpollSelector.select ",
)
_OUR_FOLDERS = ("actors", "vision", "storage", "domain", "deployments", "schemas")


def profile(effort: Effort, tell: Callable[[str], None]) -> Report:
    tables: list[Table] = []
    for model in effort.models:
        tell(f"profile, {model.title}")
        tables += _profile(effort, model, tell)
    return Report(tables)


def _profile(effort: Effort, model: Model, tell: Callable[[str], None]) -> list[Table]:
    """The rates and processor times of an undisturbed burst, then another one that is watched, which slows it."""
    rounds = [one_round(effort, model, 0, tell)]
    tables = [rates_table(model, rounds), cpu_table(model, rounds)]
    tell("the same, watched by py-spy")
    with work_folder() as work:
        drawn = drawn_pictures(effort.cache)
        staged = staged_pictures(drawn, work / "staged", "profile", WARM_UP + effort.pictures)
        with RunningSystem(work, model.weights) as system:
            asyncio.run(run_pipeline(system, staged, _watched(system, work)))
        for name in WATCHED:
            stacks = work / f"{name}.stacks"
            if stacks.exists():
                tables += _hot_spots(name, model, stacks.read_text(errors="replace").splitlines())
    return tables


@contextmanager
def _watched(system: RunningSystem, work: Path) -> Iterator[None]:
    """py-spy beside each of the watched processes; needs to be root, or a ptrace scope of 0."""
    spies = []
    for process in system_processes(system.pid, system.data_dir):
        name = display_name(process.cmdline(), process.name())
        if name in WATCHED:
            spies.append(_spy(process.pid, work / f"{name}.stacks", work / f"{name}.spy.log"))
    sleep(_ATTACH_SECONDS)
    try:
        yield
    finally:
        for spy in spies:
            spy.send_signal(signal.SIGINT)  # it writes what it has seen
        for spy in spies:
            spy.wait(60)


def _spy(pid: int, stacks: Path, log: Path) -> "subprocess.Popen[bytes]":
    program = str(Path(sys.executable).with_name("py-spy"))
    with log.open("wb") as output:
        return subprocess.Popen(
            [
                program, "record", "--pid", str(pid), "--rate", str(_SAMPLES_A_SECOND), "--format", "raw",
                "--function", "--duration", str(_LONGEST_SECONDS), "--output", str(stacks),
            ],
            stdout=output,
            stderr=output,
        )  # fmt: skip


def self_and_inclusive(stacks: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Samples in each function itself, and in it and what it calls, from lines of `outer;inner;innermost count`.

    Threads that wait for work are left out: py-spy cannot tell on every machine that they do nothing.
    """
    alone: Counter[str] = Counter()
    inclusive: Counter[str] = Counter()
    for line in stacks:
        frames, _, number = line.rpartition(" ")
        if not frames or not number.isdigit():
            continue
        names = frames.split(";")
        if names[-1].startswith(_WAITING):
            continue
        alone[names[-1]] += int(number)
        for name in set(names):
            inclusive[name] += int(number)
    return alone, inclusive


def _hot_spots(name: str, model: Model, stacks: list[str]) -> list[Table]:
    alone, inclusive = self_and_inclusive(stacks)
    total = sum(alone.values())
    if not total:
        return []
    ours = Counter({function: seen for function, seen in inclusive.items() if _is_ours(function)})
    return [
        Table(
            f"{name}, {model.title}: {what}",
            ("", "% of its busy time"),
            [(function, f"{100 * seen / total:.1f}") for function, seen in counted.most_common(_SHOWN)],
            (f"{total} samples at {_SAMPLES_A_SECOND} a second",),
        )
        for what, counted in (("in the function itself", alone), ("in our functions and what they call", ours))
    ]


def _is_ours(function: str) -> bool:
    """`name (actors/detection_worker.py:120)`; py-spy shortens paths to what their package needs."""
    place = function.rpartition("(")[2]
    return "site-packages" not in place and any(f"{folder}/" in place for folder in _OUR_FOLDERS)
