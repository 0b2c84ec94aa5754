"""python -m bench.judgement: how well an assessor tells incidents from routine, on made-up labelled scenes.

With `--assessor url` a language model behind NEMOTRON_URL is asked, by the same path as the system asks it.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.judgement.assessors import Judged, NoServer, assessor_named, judged
from bench.judgement.page import page
from bench.judgement.scenes import Half, scenes
from language.errors import ModelAway
from settings import SettingsError, load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    halves = tuple(Half) if chosen.half == "both" else (Half(chosen.half),)
    try:
        results, name = asyncio.run(_ask(chosen.assessor, halves, chosen.each))
    except (NoServer, ModelAway, SettingsError) as error:
        print(f"judgement: {error}", file=sys.stderr)
        return 1
    text = page(results, name)
    if chosen.write is None:
        print(text)
    else:
        chosen.write.write_text(text, encoding="utf-8")
        _tell(f"written to {chosen.write}")
    if chosen.json is not None:
        chosen.json.write_text(json.dumps([_plain(one) for one in results], indent=1) + "\n", encoding="utf-8")
    return 0


async def _ask(name: str, halves: Sequence[Half], each: int | None) -> tuple[tuple[Judged, ...], str]:
    async with assessor_named(name, load_settings()) as (assessor, called, at_once):
        found = [one for half in halves for one in scenes(half, each)]
        return await judged(assessor, found, at_once, _tell), called


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.judgement", description=__doc__)
    parser.add_argument("--assessor", choices=("deterministic", "url"), default="deterministic")
    parser.add_argument("--half", choices=(*Half, "both"), default="both")
    parser.add_argument("--each", type=_positive, metavar="N", help="only the first N scenes of each kind and half")
    parser.add_argument("--write", type=Path, metavar="FILE", help="where the page goes; printed without it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where each scene's score goes, for programs")
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of scenes: give 1 or more")
    return int(text)


def _plain(one: Judged) -> dict[str, object]:
    scene = one.scene
    return {
        "half": scene.half,
        "kind": scene.kind.name,
        "number": scene.number,
        "floor": scene.kind.floor,
        "score": one.score,
        "answered": one.answered,
        "because": one.because,
    }


def _tell(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
