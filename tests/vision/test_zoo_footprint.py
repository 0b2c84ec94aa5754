"""Footprints are measured, and null where they cannot be."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.detection import DetectedObject
from vision.given_picture import GivenPicture
from vision.zoo.footprint import measured_load


class Ballast:
    """A model that is nothing but memory."""

    def __init__(self, megabytes: int = 0, device: str = "cpu", kind: str = "onnxruntime") -> None:
        self.device = device
        self.kind = kind
        self._held: NDArray[np.uint8] | None = np.ones((megabytes, 2**20), np.uint8)

    def run(self, image: GivenPicture, confidence: float | None = None) -> list[DetectedObject]:
        return []

    def close(self) -> None:
        self._held = None


def test_on_a_processor_it_is_the_growth_of_the_process() -> None:
    model, footprint = measured_load(lambda: Ballast(64), 1)
    assert footprint is not None
    assert 60 <= footprint <= 80
    model.close()


def test_it_is_never_less_than_the_weights_themselves() -> None:
    assert measured_load(lambda: Ballast(0), 500)[1] == 500


def test_on_a_card_it_is_what_pytorch_took_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reserved = [100 * 2**20]
    cuda = SimpleNamespace(is_initialized=lambda: True, device_count=lambda: 1, memory_reserved=lambda _: reserved[0])
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))

    def load() -> Ballast:
        reserved[0] += 256 * 2**20
        return Ballast(0, "cuda:0", "pytorch")

    assert measured_load(load, 1)[1] == 256


def test_on_a_card_that_another_program_computes_on_it_is_not_known() -> None:
    assert measured_load(lambda: Ballast(0, "cuda:0", "onnxruntime"), 1)[1] is None


def test_what_a_load_raises_comes_through() -> None:
    def broken() -> Ballast:
        raise RuntimeError("no such weights")

    with pytest.raises(RuntimeError, match="no such weights"):
        measured_load(broken, 1)
