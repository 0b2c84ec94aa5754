"""python -m bench [throughput] [latency] [start] [idle] [api] [retention] [llm] [bare] [profile] …

Without a name, the first six; `ingress` and `lists` are the halves of `api`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.api import api, lists, through_the_ingress
from bench.effort import Effort
from bench.figures import Report
from bench.idle import idle
from bench.latency import latency
from bench.llm import llm
from bench.machine import describe_machine, machine_text
from bench.models import Model, ModelMissing, demo_model, random_yolo26n
from bench.profile import profile
from bench.retention import retention
from bench.running import SystemFailed
from bench.start import start
from bench.throughput import bare, throughput

BENCHMARKS: dict[str, Callable[[Effort, Callable[[str], None]], Report]] = {
    "throughput": throughput,
    "latency": latency,
    "start": start,
    "idle": idle,
    "api": api,
    "retention": retention,
    "llm": llm,
    "ingress": through_the_ingress,
    "lists": lists,
    "bare": bare,
    "profile": profile,
}
_BY_DEFAULT = ("throughput", "latency", "start", "idle", "api", "retention")
_MODELS: dict[str, Callable[[Path], Model]] = {"demo": lambda _: demo_model(), "yolo26n": random_yolo26n}


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    names = chosen.names or list(_BY_DEFAULT)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}: there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    machine = describe_machine(Path(tempfile.gettempdir()))
    print(machine_text(machine), flush=True)
    found: dict[str, Any] = {"machine": machine}
    try:
        effort = _effort(chosen)
        for name in names:
            print(f"\n# {name}", flush=True)
            report = BENCHMARKS[name](effort, _tell)
            print("\n" + "\n\n".join(table.text() for table in report.tables), flush=True)
            found[name] = report.figures
    except (ModelMissing, SystemFailed) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="little of everything: to see that it works")
    parser.add_argument("--pictures", type=int, help="in a burst (600)")
    parser.add_argument("--rounds", type=int, help="bare loop and pipeline in turn (3)")
    parser.add_argument("--rows", type=int, help="detections in the larger database (1,000,000)")
    parser.add_argument("--model", choices=list(_MODELS), action="append", help="one of them only")
    parser.add_argument("--cases", default="", help="of llm's, those whose name holds this, as 'small model, 32'")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go for programs")
    parser.add_argument("--cache", type=Path, default=Path(".bench"), help="keeps pictures and models (.bench)")
    return parser


def _effort(chosen: argparse.Namespace) -> Effort:
    quick: bool = chosen.quick
    cache = chosen.cache.resolve()
    return Effort(
        cache=cache,
        models=tuple(_MODELS[name](cache) for name in chosen.model or _MODELS),
        pictures=max(1, chosen.pictures or (60 if quick else 600)),
        rounds=max(1, chosen.rounds or (1 if quick else 3)),
        single_pictures=8 if quick else 40,
        starts=1 if quick else 3,
        cold_start=not quick,
        idle_seconds=5.0 if quick else 60.0,
        request_seconds=0.5 if quick else 10.0,
        llm_cases=chosen.cases,
        many_detections=max(1000, chosen.rows or (20_000 if quick else 1_000_000)),
    )


def _tell(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
