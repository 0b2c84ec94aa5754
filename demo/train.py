"""Trains the demo's detector on drawings and publishes it: python -m demo.train --out demo/weights/drawings.onnx

drawings ──ultralytics──▶ best.pt ──▶ ONNX, both heads ──measured──▶ the better one, its figures and its page

Wants the `test` extra (PyTorch, ultralytics, onnx) and, on two quiet cores, half an hour.
"""

import argparse
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from demo.crowds import random_picture
from demo.publish import Training, export_heads, publish
from demo.scenes import CLASSES, DrawnObject
from vision.runtimes.environment import prepare_for_ultralytics

MODEL = Path(__file__).with_name("drawings.yaml")
SEED = 26
CHECK_SEED = 27
IMAGE_SIZE = 320
_BATCH = 16
_CHECKED = 200

# Most cameras are 16:9; the larger ones are kept large, since the detector will meet them shrunk from that size.
_SIZES = (((640, 360), 0.6), ((1280, 720), 0.25), ((640, 480), 0.08), ((720, 720), 0.04), ((960, 416), 0.03))


def draw_example(folder: Path, split: str, seed: int, index: int) -> None:
    """Picture `index` of a split with its labels, as ultralytics reads them; its own seed, so order does not matter."""
    rng = np.random.default_rng([seed, index])
    width, height = _SIZES[int(rng.choice(len(_SIZES), p=[share for _, share in _SIZES]))][0]
    picture, drawn = random_picture(rng, width, height)
    path = folder / "images" / split / f"{index:05}.jpg"
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(55, 96))])
    lines = [_label(thing, width, height) for thing in drawn]
    (folder / "labels" / split / f"{index:05}.txt").write_text("".join(lines), encoding="utf-8")


def _label(thing: DrawnObject, width: int, height: int) -> str:
    """One object as `class centre_x centre_y width height`, in shares of the picture."""
    centre_x, centre_y = (thing.x + thing.width / 2) / width, (thing.y + thing.height / 2) / height
    number = CLASSES.index(thing.object_type)
    return f"{number} {centre_x:.6f} {centre_y:.6f} {thing.width / width:.6f} {thing.height / height:.6f}\n"


def draw_data_set(folder: Path, pictures: int, checked: int) -> Path:
    """Draws the training and the checking pictures and returns the data set's description."""
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            (folder / kind / split).mkdir(parents=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for split, seed, number in (("train", SEED, pictures), ("val", CHECK_SEED, checked)):
            jobs = [pool.submit(draw_example, folder, split, seed, index) for index in range(number)]
            for job in jobs:
                job.result()
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(CLASSES))
    description = folder / "drawings.yaml"
    description.write_text(f"path: {folder}\ntrain: images/train\nval: images/val\nnames:\n{names}", encoding="utf-8")
    return description


def provide_torchvision() -> None:
    """Where torchvision does not load beside a CPU build of PyTorch, stand in for the one function training calls.

    ultralytics imports torchvision in every validation and takes `ops.nms` from it; its own TorchNMS is the same
    algorithm without the compiled part.
    """
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError):
        from ultralytics.utils.nms import TorchNMS

        whole, ops = ModuleType("torchvision"), ModuleType("torchvision.ops")
        ops.nms = TorchNMS.nms  # type: ignore[attr-defined]
        whole.ops = ops  # type: ignore[attr-defined]
        sys.modules.update({"torchvision": whole, "torchvision.ops": ops})


def train(description: Path, folder: Path, epochs: int, threads: int) -> Path:
    """Trains on the CPU with fixed seeds and returns the best epoch's weights (.pt)."""
    import torch
    from ultralytics import YOLO

    provide_torchvision()
    torch.set_num_threads(threads)
    model = YOLO(str(MODEL), task="detect")
    # Square mosaics are three times slower than 16:9 frames and teach a small model nothing in so few epochs.
    model.train(
        data=str(description), epochs=epochs, imgsz=IMAGE_SIZE, batch=_BATCH, nbs=_BATCH, rect=True, mosaic=0.0,
        scale=0.35, translate=0.08, hsv_h=0.01, hsv_s=0.5, hsv_v=0.35, fliplr=0.5, optimizer="AdamW", lr0=0.002,
        lrf=0.02, cos_lr=True, warmup_epochs=1.0, weight_decay=0.0005, seed=SEED, deterministic=True, device="cpu",
        workers=1, cache="ram", pretrained=False, plots=False, project=str(folder), name="run", exist_ok=True,
    )  # fmt: skip
    return folder / "run" / "weights" / "best.pt"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the .onnx file; its figures and page go beside it")
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=11)
    chosen = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as room:
        folder, threads = Path(room), os.cpu_count() or 1
        os.environ.setdefault("YOLO_VERBOSE", "true")
        prepare_for_ultralytics(os.environ, folder, threads)
        weights = train(draw_data_set(folder / "data", chosen.pictures, _CHECKED), folder, chosen.epochs, threads)
        took = round((time.monotonic() - started) / 60)
        facts = Training(SEED, chosen.pictures, chosen.epochs, IMAGE_SIZE, took)
        measured = publish(export_heads(weights, IMAGE_SIZE), chosen.out, facts, CHECK_SEED)
    print(measured)


if __name__ == "__main__":
    main()
