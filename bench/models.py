"""The two detectors that are measured: the demo's own, and a YOLO26n of the size that a house with a camera runs."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from settings import DEMO_WEIGHTS

RANDOM_NAME = "yolo26n-random"


@dataclass(frozen=True)
class Model:
    key: str
    title: str
    weights: Path
    confidence: float = 0.5
    """The system's own default; random weights are made so that nothing reaches it."""


class ModelMissing(Exception):
    """A model could not be made; the message says why."""


def demo_model() -> Model:
    return Model("demo", "demo model, 192×320", DEMO_WEIGHTS)


def random_yolo26n(cache: Path) -> Model:
    """A YOLO26n of random weights at 384×640; made at the first call, in a process of its own. Raises ModelMissing.

    Its cost is that of the trained one: the same operations on numbers of the same size.
    """
    weights = cache / f"{RANDOM_NAME}.onnx"
    if not weights.exists():
        cache.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "bench.random_yolo26n", str(cache)],
            cwd=Path(__file__).parent.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not weights.exists():
            raise ModelMissing(f"the random YOLO26n could not be made: {done.stderr.strip()[-600:]}")
    return Model("yolo26n", "YOLO26n of random weights, 384×640", weights)
