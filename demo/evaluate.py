"""Measures a detector on freshly drawn pictures it was not trained on: python -m demo.evaluate"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from demo.average_precision import Box, average_precisions, precision_and_recall
from demo.brush import Image
from demo.crowds import random_picture
from demo.scenes import CLASSES
from vision.heads import head_of
from vision.letterbox import InputSpec, apply, own_pixels, plan

WEIGHTS = Path(__file__).with_name("weights") / "drawings.onnx"
# Training draws from the seeds 26 and 27.
HELD_OUT_SEED = 28
LONG_SIDE = 320
# Average precision takes the whole curve, so nearly every guess counts; the working threshold is far above.
_LEAST_CONFIDENCE = 0.005
_WORKING_CONFIDENCE = 0.5

Detect = Callable[[Image], list[Box]]


@dataclass(frozen=True)
class Measured:
    """`ap50` of each class and their mean, and precision and recall at a confidence of 0.5, all 0..1."""

    pictures: int
    width: int
    height: int
    seed: int
    objects: dict[str, int]
    ap50: dict[str, float]
    map50: float
    precision: float
    recall: float


def onnx_detector(weights: Path = WEIGHTS, long_side: int = LONG_SIDE) -> Detect:
    """The weights on ONNX Runtime alone, one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    spec = InputSpec(long_side=long_side, stride=int(metadata["stride"]))
    feed = session.get_inputs()[0].name

    def detect(picture: Image) -> list[Box]:
        height, width = picture.shape[:2]
        letterbox = plan(width, height, spec)
        frame = apply(np.asarray(picture, np.uint8), letterbox)
        answer = np.asarray(session.run(None, {feed: cv2.dnn.blobFromImage(frame, 1 / 255, swapRB=True)})[0])
        head = head_of(answer.shape, metadata)
        rows = own_pixels(head.boxes(answer[0], _LEAST_CONFIDENCE, letterbox.shape), letterbox)
        return [
            Box(head.names[int(number)], x1, y1, x2 - x1, y2 - y1, confidence)
            for x1, y1, x2, y2, confidence, number in rows.tolist()
        ]

    return detect


def measure(detect: Detect, pictures: int, size: tuple[int, int] = (1280, 720), seed: int = HELD_OUT_SEED) -> Measured:
    """Draws the pictures and counts what is found in them."""
    found: list[list[Box]] = []
    truth: list[list[Box]] = []
    for index in range(pictures):
        rng = np.random.default_rng([seed, index])
        picture, drawn = random_picture(rng, *size)
        found.append(detect(_as_delivered(picture, int(rng.integers(55, 96)))))
        truth.append([Box(one.object_type, one.x, one.y, one.width, one.height) for one in drawn])
    precision, recall = precision_and_recall(found, truth, _WORKING_CONFIDENCE)
    ap50 = average_precisions(found, truth, CLASSES)
    objects = {name: sum(box.object_type == name for boxes in truth for box in boxes) for name in CLASSES}
    rounded = {name: round(value, 4) for name, value in ap50.items()}
    mean = round(float(np.mean(list(ap50.values()))), 4)
    return Measured(pictures, *size, seed, objects, rounded, mean, round(precision, 4), round(recall, 4))


def _as_delivered(picture: Image, quality: int) -> Image:
    """What a camera's JPEG leaves of a picture."""
    delivered = cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    if delivered is None:
        raise RuntimeError("OpenCV cannot read the JPEG that it wrote")
    return delivered


def report(measured: Measured) -> str:
    """A table for people: one line a class."""
    lines = [f"{measured.pictures} pictures of {measured.width}×{measured.height}, drawn from seed {measured.seed}"]
    for name, value in measured.ap50.items():
        lines.append(f"  {name:<8} AP50 {value:.3f}   ({measured.objects[name]} drawn)")
    lines.append(f"  {'mean':<8} AP50 {measured.map50:.3f}")
    lines.append(
        f"  at confidence {_WORKING_CONFIDENCE}: precision {measured.precision:.3f}, recall {measured.recall:.3f}"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--seed", type=int, default=HELD_OUT_SEED)
    parser.add_argument(
        "--long-side", type=int, default=LONG_SIDE, help="the longer side of the model's frame, in pixels"
    )
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"))
    chosen = parser.parse_args()
    detect = onnx_detector(chosen.weights, chosen.long_side)
    print(report(measure(detect, chosen.pictures, (chosen.size[0], chosen.size[1]), chosen.seed)))


if __name__ == "__main__":
    main()
