"""The ultralytics family: any YOLO that finds boxes, on the runtimes that the detector runs on.

An open-vocabulary YOLO-World finds the classes that were saved in its file. Weights in `.onnx` or OpenVINO form need
neither PyTorch nor ultralytics; a `.pt` needs both, and is unpickled safely or not at all (see vision.runtimes).
"""

import importlib
from pathlib import Path

import numpy as np

from schemas.detection import BoundingBox, DetectedObject
from vision.errors import InferenceFailed
from vision.given_picture import GivenPicture, as_picture
from vision.letterbox import apply, own_pixels, plan
from vision.runtimes import DEFAULT_CONFIDENCE, Runtime, load_model
from vision.runtimes.exporting import can_export
from vision.zoo.loaded import LoadedModel


class UltralyticsLoader:
    def why_not(self, path: Path) -> str | None:
        missing = can_export() if path.suffix.lower() == ".pt" else None
        if missing is None:
            return None
        return f"a .pt file needs PyTorch and ultralytics ({missing}): install the extra 'gpu', or give an .onnx file"

    def prepare(self, path: Path) -> None:
        if path.suffix.lower() in (".onnx", ".pt"):
            importlib.import_module("vision.runtimes.onnx_runtime")

    def load(self, path: Path, device: str, threads: int | None, cache_dir: Path) -> LoadedModel:
        return YoloModel(load_model(path, device, threads, cache_dir))


class YoloModel:
    """One runtime, asked with whole pictures."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime: Runtime | None = runtime
        self.device = runtime.device
        self.kind = runtime.kind

    def run(self, image: GivenPicture, confidence: float | None = None) -> list[DetectedObject]:
        runtime = self._runtime
        if runtime is None:
            raise InferenceFailed("the model has been unloaded")
        picture = as_picture(image, runtime.input_spec.box)
        letterbox = plan(picture.width, picture.height, runtime.input_spec)
        frame = apply(picture.pixels, letterbox)
        try:
            rows = runtime.run(frame[np.newaxis], DEFAULT_CONFIDENCE if confidence is None else confidence)[0]
        except Exception as error:  # whatever a runtime raises would not survive the trip to another process
            raise InferenceFailed(f"{type(error).__name__}: {error}") from error
        return [
            DetectedObject(
                object_type=runtime.names[int(number)],
                confidence=sure,
                bbox=BoundingBox(x=x1, y=y1, width=x2 - x1, height=y2 - y1),
            )
            for x1, y1, x2, y2, sure, number in own_pixels(rows, letterbox)[:, :6].tolist()
        ]

    def close(self) -> None:
        """Lets go of the runtime, so that its memory is free when this returns."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            runtime.close()
