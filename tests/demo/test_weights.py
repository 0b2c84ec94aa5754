import ast
import hashlib
import json
from typing import Any

import numpy as np
import onnxruntime
import pytest

from demo.evaluate import WEIGHTS, Measured, measure, onnx_detector
from demo.publish import page
from demo.scenes import CLASSES


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(WEIGHTS.with_suffix(".json").read_text())
    return read


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(WEIGHTS), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def measured() -> Measured:
    """On drawings that neither training nor the shipped figures have seen."""
    return measure(onnx_detector(WEIGHTS), 60, (640, 360), seed=31)


def test_the_shipped_detector_reaches_nine_tenths_on_drawings_it_has_not_seen(measured: Measured) -> None:
    assert measured.map50 >= 0.9


def test_most_of_what_it_reports_is_there(measured: Measured) -> None:
    assert measured.precision >= 0.85


def test_the_shipped_figures_reach_nine_tenths_too(figures: dict[str, Any]) -> None:
    assert figures["held_out"]["map50"] >= 0.9
    assert figures["held_out_small"]["map50"] >= 0.9


def test_the_shipped_figures_belong_to_the_shipped_file(figures: dict[str, Any]) -> None:
    content = WEIGHTS.read_bytes()
    assert figures["sha256"] == hashlib.sha256(content).hexdigest()
    assert figures["bytes"] == len(content) < 6_000_000


def test_the_page_beside_the_weights_tells_the_same_figures(figures: dict[str, Any]) -> None:
    assert WEIGHTS.with_name("README.md").read_text() == page(figures)


def test_the_weights_say_what_they_are(session: onnxruntime.InferenceSession) -> None:
    said = session.get_modelmeta().custom_metadata_map
    assert said["task"] == "detect"
    assert ast.literal_eval(said["names"]) == dict(enumerate(CLASSES))
    assert (said["stride"], said["imgsz"]) == ("32", "[192, 320]")


def test_the_weights_tell_nothing_of_the_machine_they_were_made_on() -> None:
    content = WEIGHTS.read_bytes()
    assert not any(trace in content for trace in (b"/tmp/", b"/home/", b"/root/", b"site-packages"))


@pytest.mark.parametrize("shape", [(1, 192, 320), (3, 192, 320), (1, 384, 640), (2, 320, 320)])
def test_batch_height_and_width_are_free(session: onnxruntime.InferenceSession, shape: tuple[int, int, int]) -> None:
    number, height, width = shape
    (answer,) = session.run(None, {"images": np.zeros((number, 3, height, width), np.float32)})
    anchors = sum((height // stride) * (width // stride) for stride in (8, 16, 32))
    assert answer.shape == (number, 4 + len(CLASSES), anchors)


def test_an_empty_grey_picture_holds_nothing() -> None:
    boxes = onnx_detector(WEIGHTS)(np.full((720, 1280, 3), 114, np.uint8))
    assert max((box.confidence for box in boxes), default=0.0) < 0.25
