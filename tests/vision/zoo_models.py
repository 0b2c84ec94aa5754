"""Weights for tests of the zoo: small graphs with known answers, in the places where the zoo looks."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.vision.small_models import constant_onnx, export_metadata
from vision.zoo.shelf import ModelShelf, ShelfPlan

PERSON_AND_DOG = np.zeros((300, 6), np.float32)
PERSON_AND_DOG[0] = (0, 6, 160, 96, 0.9, 0)
PERSON_AND_DOG[1] = (160, 96, 320, 186, 0.4, 2)
"""In a 192×320 frame that holds a 16:9 picture: its upper left and its lower right quarter."""

PICTURE: NDArray[np.uint8] = np.zeros((720, 1280, 3), np.uint8)


def weights(path: Path, **metadata: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return constant_onnx(path, PERSON_AND_DOG, metadata=export_metadata(**metadata))


def shelf_plan(folder: Path, **files: str) -> ShelfPlan:
    chosen = {name.replace("_", "-"): file for name, file in files.items()}
    return ShelfPlan(folder / "zoo", folder / "cache", chosen, device="cpu", threads=2)


def shelf(folder: Path, **files: str) -> ModelShelf:
    return ModelShelf(shelf_plan(folder, **files))
