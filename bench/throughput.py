"""Pictures a second through the whole pipeline, over those through the bare loop on the same files."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.bare import BareLoop, BareRun
from bench.effort import Effort
from bench.figures import Report, Table, median
from bench.models import Model
from bench.pictures import CAMERAS, drawn_pictures, staged_pictures
from bench.pipeline import DEBOUNCE_SECONDS, WARM_UP, PipelineRun, run_pipeline
from bench.processes import BENCH
from bench.running import RunningSystem, work_folder
from vision.cores import usable_cores

PREPARES, MODEL = "DetectionWorker", "replica yolo_detector"
"""Where the pipeline does the two halves of what the bare loop does."""
ON_THE_WAY = (PREPARES, MODEL, "FileWatcher", "BatchAggregator", "CircuitBreakers", "postgres", "redis-server", BENCH)
"""Who works for each picture; what the others take is about what they take in an idle system."""
_LEAST_SHOWN_MS = 0.02

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Round:
    bare: BareRun
    pipeline: PipelineRun


def throughput(effort: Effort, tell: Tell) -> Report:
    tables: list[Table] = []
    figures: dict[str, Any] = {}
    for model in effort.models:
        rounds = [one_round(effort, model, number, tell) for number in range(effort.rounds)]
        tables += [rates_table(model, rounds), stages_table(model, rounds), cpu_table(model, rounds)]
        figures[model.key] = _figures(rounds)
    return Report(tables, figures)


def bare(effort: Effort, tell: Tell) -> Report:
    """The bare loop alone, which needs no system."""
    rows, figures = [], {}
    for model in effort.models:
        with work_folder() as work:
            staged = staged_pictures(drawn_pictures(effort.cache), work / "staged", "bare", effort.pictures)
            files = [picture.path for picture in staged]
            tell(f"bare loop, {model.title}")
            runs = [BareLoop(model.weights, model.confidence).run(files) for _ in range(effort.rounds)]
        rates = [run.pictures_a_second for run in runs]
        figures[model.key] = [_bare_figures(run) for run in runs]
        rows.append((model.title, f"{median(rates):.1f}", f"{min(rates):.1f}", f"{max(rates):.1f}"))
    return Report([Table("Bare loop, pictures a second", ("", "median", "lowest", "highest"), rows)], figures)


def one_round(effort: Effort, model: Model, number: int, tell: Tell) -> Round:
    """The bare loop while no system runs, then a system and the same files through it."""
    with work_folder() as work:
        drawn = drawn_pictures(effort.cache)
        staged = staged_pictures(drawn, work / "staged", f"round{number}", WARM_UP + effort.pictures)
        tell(f"round {number + 1} of {effort.rounds}, {model.title}: bare loop")
        bare_run = BareLoop(model.weights, model.confidence).run([picture.path for picture in staged[WARM_UP:]])
        tell(f"  {bare_run.pictures_a_second:.1f} pictures a second; the pipeline")
        with RunningSystem(work, model.weights) as system:
            pipeline_run = asyncio.run(run_pipeline(system, staged))
        tell(f"  {pipeline_run.pictures_a_second:.1f} pictures a second")
        return Round(bare_run, pipeline_run)


def rates_table(model: Model, rounds: Sequence[Round]) -> Table:
    bare_rates = [one.bare.pictures_a_second for one in rounds]
    rates: tuple[tuple[str, list[float]], ...] = (
        ("bare loop", bare_rates),
        ("pipeline: first file visible to last commit", [one.pipeline.pictures_a_second for one in rounds]),
        (f"pipeline, less the {DEBOUNCE_SECONDS} s debounce", [one.pipeline.without_debounce for one in rounds]),
        ("pipeline: first row to last commit", [one.pipeline.from_first_row for one in rounds]),
    )
    pictures = rounds[0].pipeline.pictures
    detections = rounds[0].pipeline.detections
    return Table(
        f"Throughput, {model.title}: pictures a second",
        ("", "median", "lowest", "highest", "ratio to bare"),
        [
            (words, f"{median(r):.1f}", f"{min(r):.1f}", f"{max(r):.1f}", f"{median(r) / median(bare_rates):.2f}")
            for words, r in rates
        ],
        (
            f"{pictures} JPEGs of 1280×720 over {len(CAMERAS)} cameras, rounds: {len(rounds)}; {detections} detections "
            "stored a round" + ("" if detections else " (random weights find nothing: no detection rows are written)"),
            f"bare loop: {usable_cores()} threads, a session each; read, decode, letterbox, run, boxes; while no "
            "system runs",
        ),
    )


def stages_table(model: Model, rounds: Sequence[Round]) -> Table:
    stages = (
        ("first file settled (the debounce)", [DEBOUNCE_SECONDS]),
        ("first row written", [one.pipeline.first_row for one in rounds]),
        ("last row written", [one.pipeline.last_row for one in rounds]),
        ("last detection committed", [one.pipeline.last_commit for one in rounds]),
    )
    return Table(
        f"Throughput, {model.title}: the way of the files",
        ("", "seconds after the first file was visible"),
        [(words, f"{median(values):.2f}") for words, values in stages],
    )


def cpu_table(model: Model, rounds: Sequence[Round]) -> Table:
    """What the pipeline's processor time is spent on, beside what the bare loop needs for the same."""
    pictures = sum(one.pipeline.pictures for one in rounds)
    spent: dict[str, float] = defaultdict(float)
    for one in rounds:
        for name, seconds in one.pipeline.cpu.by_name.items():
            spent[name] += seconds * 1e3 / pictures
    own = {
        PREPARES: sum(one.bare.prepare_cpu_seconds for one in rounds) * 1e3 / pictures,
        MODEL: sum(one.bare.model_cpu_seconds for one in rounds) * 1e3 / pictures,
    }
    rows = [
        _cpu_row(name, milliseconds, own.get(name, 0.0))
        for name, milliseconds in sorted(spent.items(), key=lambda item: -item[1])
        if milliseconds >= _LEAST_SHOWN_MS or name in own
    ]
    rows.append(_cpu_row("all of it", sum(spent.values()), sum(own.values())))
    wall = sum(one.pipeline.cpu.seconds for one in rounds) * usable_cores()
    idle = sum(one.pipeline.cpu.idle for one in rounds) / wall
    others = sum(one.pipeline.cpu.others for one in rounds) / wall
    beside = sum(milliseconds for name, milliseconds in spent.items() if name not in ON_THE_WAY)
    beside_share = beside * pictures / 1e3 / wall * usable_cores()
    return Table(
        f"Throughput, {model.title}: CPU milliseconds a picture, by process",
        ("", "pipeline", "bare loop", "the rest"),
        rows,
        (
            f"of the cores' time in these runs {idle:.0%} was idle (debounce, first and last files) and {others:.0%} "
            "went to other programs",
            f"the bare loop's reading, decoding and letterboxing is done in {PREPARES}, its model in {MODEL}",
            f"processes that no picture passes through took {beside:.2f} ms a picture, which is {beside_share:.0%} of "
            "one core: compare the idle system's",
            f"'{BENCH}' is part of the measurement, not of the system",
        ),
    )


def _cpu_row(name: str, milliseconds: float, own: float) -> tuple[str, str, str, str]:
    return name, f"{milliseconds:.2f}", f"{own:.2f}" if own else "", f"{milliseconds - own:.2f}"


def _figures(rounds: Sequence[Round]) -> dict[str, Any]:
    bare_rate = median([one.bare.pictures_a_second for one in rounds])
    rate = median([one.pipeline.pictures_a_second for one in rounds])
    return {
        "bare_pictures_a_second": bare_rate,
        "pipeline_pictures_a_second": rate,
        "ratio": rate / bare_rate,
        "ratio_without_debounce": median([one.pipeline.without_debounce for one in rounds]) / bare_rate,
        "ratio_from_first_row": median([one.pipeline.from_first_row for one in rounds]) / bare_rate,
        "rounds": [
            {
                "bare": _bare_figures(one.bare),
                "pipeline": {
                    "pictures": one.pipeline.pictures,
                    "first_row_s": one.pipeline.first_row,
                    "last_row_s": one.pipeline.last_row,
                    "last_commit_s": one.pipeline.last_commit,
                    "detections": one.pipeline.detections,
                    "cpu_seconds": one.pipeline.cpu.by_name,
                    "idle_core_seconds": one.pipeline.cpu.idle,
                    "other_programs_core_seconds": one.pipeline.cpu.others,
                },
            }
            for one in rounds
        ],
    }


def _bare_figures(run: BareRun) -> dict[str, float]:
    return {
        "pictures": run.pictures,
        "seconds": run.seconds,
        "pictures_a_second": run.pictures_a_second,
        "prepare_cpu_seconds": run.prepare_cpu_seconds,
        "model_cpu_seconds": run.model_cpu_seconds,
        "boxes": run.boxes,
    }
