"""From trained weights to the files that ship: ONNX of the better head, its figures as JSON, and a page about it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

from demo.evaluate import Measured, measure, onnx_detector, report
from demo.scenes import CLASSES

_CHOOSING_PICTURES = 200
_HELD_OUT_PICTURES = 400
_PACKAGES = ("ultralytics-opencv-headless", "torch", "onnx", "onnxruntime", "numpy")
_HEADS = {
    "one_to_many": "one-to-many head, which needs non-maximum suppression",
    "end_to_end": "end-to-end head, which needs no suppression",
}
_PAGE = Path(__file__).with_name("weights_page.md")


@dataclass(frozen=True)
class Training:
    """What was done to get the weights."""

    seed: int
    pictures: int
    epochs: int
    image_size: int
    minutes: int


def export_heads(weights: Path, image_size: int) -> dict[str, Path]:
    """Both heads as ONNX with free batch, height and width: `one_to_many` needs suppression, `end_to_end` none."""
    from ultralytics import YOLO

    exported = {}
    for head, nms in (("one_to_many", None), ("end_to_end", False)):
        # The frame traced is that of a 16:9 picture, but any multiple of the stride runs.
        frame = [-(-image_size * 9 // 16 // 32) * 32, image_size]
        settings = {"imgsz": frame, "dynamic": True, "simplify": False, "nms": nms, "device": "cpu"}
        made = Path(YOLO(str(weights)).export(format="onnx", **settings))
        exported[head] = made.rename(made.with_name(f"{head}.onnx"))
        _tidy(exported[head])
    return exported


def _tidy(path: Path) -> None:
    """Leaves out the shapes of everything in between, which runtimes work out again, and the maker's folder names."""
    import onnx

    model = onnx.load(str(path))
    del model.graph.value_info[:]
    for entry in model.metadata_props:
        if entry.key == "description":
            entry.value = f"YOLO26 blocks, small, trained on drawn camera scenes: {', '.join(CLASSES)}"
    onnx.save(model, str(path))


def publish(heads: dict[str, Path], out: Path, facts: Training, choosing_seed: int) -> str:
    """Writes the better head to `out` and its figures beside it; returns the held-out figures as text.

    The head is chosen on other pictures than those its figures are measured on.
    """
    chosen_by = {
        head: measure(onnx_detector(path), _CHOOSING_PICTURES, seed=choosing_seed).map50 for head, path in heads.items()
    }
    best = max(chosen_by, key=lambda head: chosen_by[head])
    detect = onnx_detector(heads[best])
    large, small = measure(detect, _HELD_OUT_PICTURES), measure(detect, _HELD_OUT_PICTURES, (640, 360))
    content = heads[best].read_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    figures = {
        "weights": out.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "AGPL-3.0",
        "classes": list(CLASSES),
        "head": best,
        "map50_of_heads_when_chosen": chosen_by,
        "training": asdict(facts),
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "versions": {name: version(name) for name in _PACKAGES},
        "held_out": asdict(large),
        "held_out_small": asdict(small),
    }
    out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (out.parent / "README.md").write_text(page(figures), encoding="utf-8")
    return report(large)


def page(figures: dict[str, Any]) -> str:
    """The page beside the weights, every figure of it from `figures`."""
    large, small = (Measured(**figures[name]) for name in ("held_out", "held_out_small"))
    rows = [
        f"| {name} | {large.objects[name]} | {precision:.3f} | {small.ap50[name]:.3f} |"
        for name, precision in large.ap50.items()
    ]
    rows.append(f"| **mean** | {sum(large.objects.values())} | **{large.map50:.3f}** | **{small.map50:.3f}** |")
    chosen_by, training = figures["map50_of_heads_when_chosen"], figures["training"]
    other = next(head for head in chosen_by if head != figures["head"])
    return Template(_PAGE.read_text(encoding="utf-8")).substitute(
        training,
        rows="\n".join(rows),
        number=large.pictures,
        precision=f"{large.precision:.2f}",
        recall=f"{large.recall:.2f}",
        megabytes=f"{figures['bytes'] / 1e6:.1f}",
        versions=", ".join(f"{name} {number}" for name, number in figures["versions"].items()),
        date=figures["made_at"][:10],
        head=_HEADS[figures["head"]],
        chosen_map=f"{chosen_by[figures['head']]:.3f}",
        other_map=f"{chosen_by[other]:.3f}",
    )
