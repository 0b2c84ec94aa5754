"""Models for tests: a real YOLO26 whose seeded weights find something, and hand-made graphs with known answers."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from vision.runtimes.environment import prepare_for_ultralytics

NAMES = ("person", "car", "dog", "package")
LONG_SIDE = 320


def yolo26_checkpoint(path: Path, cache_dir: Path) -> Path:
    """A YOLO26n of four classes as a `.pt`, untrained, yet answering with boxes of many confidences.

    Its batch norms are settled on pictures of shapes, then the last layers of its class branches are sharpened, so
    that confidences spread over 0 to 1 instead of all being the same.
    """
    prepare_for_ultralytics(os.environ, cache_dir, 2)
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.set_num_threads(1)  # several would wait for each other on a busy machine
    torch.manual_seed(26)
    model = DetectionModel("yolo26n.yaml", ch=3, nc=len(NAMES), verbose=False)
    model.names = dict(enumerate(NAMES))
    model.args = {"imgsz": LONG_SIDE, "task": "detect"}
    pictures = torch.from_numpy(np.stack([picture_of_shapes(seed) for seed in range(8)])[..., ::-1].copy())
    batch = pictures.permute(0, 3, 1, 2).float() / 255
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # one pass settles it
    with torch.no_grad():
        model.train()(batch)
        model.eval()
        head = model.model[-1]
        for branches, key in ((head.cv3, "one2many"), (head.one2one_cv3, "one2one")):
            scores = model(batch)[1][key]["scores"]
            for level in branches:
                level[-1].weight *= 2.5 / scores.std()
                level[-1].bias.copy_(-5.0 - (scores.mean() - level[-1].bias.mean()) * 2.5 / scores.std())
    torch.save({"model": model, "train_args": {"imgsz": LONG_SIDE}}, path)
    return path


def picture_of_shapes(seed: int, height: int = 192, width: int = 320) -> NDArray[np.uint8]:
    """Rectangles of many colours on a textured ground; H×W×3 BGR."""
    random = np.random.default_rng(seed)
    picture = random.integers(60, 150, (height, width, 3), dtype=np.uint8)
    for _ in range(8):
        top, left = random.integers(0, height - 30), random.integers(0, width - 30)
        tall, wide = random.integers(12, height // 2), random.integers(12, width // 2)
        picture[top : top + tall, left : left + wide] = random.integers(0, 256, 3, dtype=np.uint8)
    return picture


def constant_onnx(
    path: Path,
    answer: NDArray[np.float32],
    *,
    shape: tuple[int | str, int | str, int | str, int | str] = ("batch", 3, "height", "width"),
    metadata: dict[str, str] | None = None,
    element: int = TensorProto.FLOAT,
) -> Path:
    """A graph that answers every frame with `answer` (one frame's), plus the frame's mean times zero."""
    kind = np.float16 if element == TensorProto.FLOAT16 else np.float32
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Reshape", ["nothing", "column"], ["per_frame"]),
        helper.make_node("Add", ["answer", "per_frame"], ["output0"]),
    ]
    constants: list[Any] = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("zero", element, [], np.zeros(1, kind)),
        helper.make_tensor("column", TensorProto.INT64, [3], [-1, 1, 1]),
        helper.make_tensor("answer", element, (1, *answer.shape), answer.astype(kind).ravel()),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("images", element, shape)],
        [helper.make_tensor_value_info("output0", element, None)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, str(path))
    return path


def export_metadata(**changes: str) -> dict[str, str]:
    """What ultralytics writes into an export, with the classes of these tests."""
    return {
        "names": str(dict(enumerate(NAMES))),
        "stride": "32",
        "task": "detect",
        "imgsz": f"[{LONG_SIDE}, {LONG_SIDE}]",
    } | changes
