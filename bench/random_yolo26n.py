"""Makes a YOLO26n of random weights and exports it as the detector exports any checkpoint; a program of its own.

PyTorch and its memory go with this process. Wants the extra `test`: python -m bench.random_yolo26n FOLDER
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bench.models import RANDOM_NAME
from bench.pictures import drawn_pictures
from vision.cores import usable_cores
from vision.letterbox import InputSpec, apply, plan
from vision.reading import read_picture
from vision.runtimes.environment import prepare_for_ultralytics
from vision.runtimes.exporting import ExportPlan, exported
from vision.runtimes.loading import weights_digest

_LONG_SIDE = 640
_SEED = 26
_SETTLING_PICTURES = 8
_SILENCE = 10.0
"""Taken from every class's logit, so that random weights find nothing."""


def make_checkpoint(path: Path, cache: Path) -> None:
    """Random weights, but batch norms that have seen pictures.

    Without that the numbers shrink from layer to layer until they are too small for the processor's fast path, and
    the model measures slower than a trained one.
    """
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(_SEED)
    model: Any = DetectionModel("yolo26n.yaml", ch=3, verbose=False)
    model.args = {"imgsz": _LONG_SIDE, "task": "detect"}
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # one pass settles it
    with torch.no_grad():
        model.train()(torch.from_numpy(_frames(drawn_pictures(cache)[:_SETTLING_PICTURES])))
        head = model.model[-1]
        for level in (*head.cv3, *head.one2one_cv3):
            level[-1].bias -= _SILENCE
    torch.save({"model": model.eval(), "train_args": {"imgsz": _LONG_SIDE}}, path)


def _frames(paths: list[Path]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """N×3×H×W RGB between 0 and 1."""
    spec = InputSpec(long_side=_LONG_SIDE)
    frames = []
    for path in paths:
        picture = read_picture(path, reduce_to=spec.box)
        frames.append(apply(picture.pixels, plan(picture.width, picture.height, spec)))
    rgb = np.stack(frames)[..., ::-1].transpose(0, 3, 1, 2)
    return np.ascontiguousarray(rgb, np.float32) / np.float32(255)


def main() -> None:
    cache = Path(sys.argv[1]).resolve()
    prepare_for_ultralytics(os.environ, cache, usable_cores())
    checkpoint = cache / f"{RANDOM_NAME}.pt"
    make_checkpoint(checkpoint, cache)
    wanted = ExportPlan(checkpoint, weights_digest(checkpoint), "onnx", "cpu", _LONG_SIDE, usable_cores())
    os.replace(exported(wanted, cache), cache / f"{RANDOM_NAME}.onnx")


if __name__ == "__main__":
    main()
