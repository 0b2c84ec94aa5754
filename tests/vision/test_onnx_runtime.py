"""ONNX Runtime on models whose answers are known."""

import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.vision.small_models import constant_onnx, export_metadata
from vision.errors import BrokenOutput, DeviceUnavailable, WeightsBroken
from vision.letterbox import InputSpec
from vision.runtimes import Runtime, load_model
from vision.runtimes.runtime import fill_blob

ANSWER = np.zeros((300, 6), np.float32)
ANSWER[0] = (10, 20, 110, 120, 0.9, 1)
ANSWER[1] = (150, 20, 250, 120, 0.4, 3)

FRAMES = np.zeros((5, 192, 320, 3), np.uint8)


def loaded(path: Path, threads: int = 2, **options: int) -> Runtime:
    return load_model(path, "cpu", threads, path.parent / "cache", **options)


def test_a_model_says_what_it_is(tmp_path: Path) -> None:
    runtime = loaded(constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata()))
    assert runtime.names == ("person", "car", "dog", "package")
    assert runtime.input_spec == InputSpec(long_side=320, stride=32, static=None)
    assert (runtime.kind, runtime.device, runtime.lanes) == ("onnxruntime", "cpu", 2)


def test_the_fingerprint_tells_weights_apart(tmp_path: Path) -> None:
    one = loaded(constant_onnx(tmp_path / "a.onnx", ANSWER, metadata=export_metadata()))
    same = loaded(constant_onnx(tmp_path / "b.onnx", ANSWER, metadata=export_metadata()))
    other = loaded(constant_onnx(tmp_path / "c.onnx", ANSWER * 2, metadata=export_metadata()))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.fingerprint.endswith("-onnxruntime")


def test_every_frame_gets_its_boxes(tmp_path: Path) -> None:
    runtime = loaded(constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata()))
    boxes = runtime.run(FRAMES)
    assert len(boxes) == 5
    for rows in boxes:
        assert rows[0].tolist() == [10, 20, 110, 120, pytest.approx(0.9), 1]
        assert rows[1, 5] == 3


def test_the_confidence_asked_for_is_kept(tmp_path: Path) -> None:
    runtime = loaded(constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata()))
    assert [len(rows) for rows in runtime.run(FRAMES[:2], confidence=0.5)] == [1, 1]


def test_no_frames_give_no_boxes(tmp_path: Path) -> None:
    runtime = loaded(constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata()))
    assert runtime.run(FRAMES[:0]) == []


def test_frames_keep_their_order_over_the_lanes(tmp_path: Path) -> None:
    """The graph answers with a box as wide as the frame is bright."""
    runtime = loaded(_brightness_model(tmp_path / "m.onnx"), threads=4)
    frames = np.stack([np.full((192, 320, 3), level, np.uint8) for level in range(20, 220, 10)])
    widths = [rows[0, 2] for rows in runtime.run(frames)]
    assert widths == pytest.approx(list(range(20, 220, 10)), abs=0.5)


def test_several_callers_at_once_get_their_own_answers(tmp_path: Path) -> None:
    runtime = loaded(_brightness_model(tmp_path / "m.onnx"))
    wrong: list[int] = []

    def call(level: int) -> None:
        frames = np.full((3, 192, 320, 3), level, np.uint8)
        for _ in range(20):
            if any(abs(rows[0, 2] - level) > 0.5 for rows in runtime.run(frames)):
                wrong.append(level)

    callers = [threading.Thread(target=call, args=(level,)) for level in (30, 80, 130, 180)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wrong == []


def test_colours_arrive_as_rgb_between_0_and_1() -> None:
    frame = np.zeros((32, 32, 3), np.uint8)
    frame[...] = (255, 51, 0)
    blob = np.empty((3, 32, 32), np.float32)
    fill_blob(frame, blob)
    assert blob[:, 0, 0].tolist() == pytest.approx([0.0, 0.2, 1.0])


def test_read_only_frames_are_run(tmp_path: Path) -> None:
    runtime = loaded(constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata()))
    frames = FRAMES.copy()
    frames.flags.writeable = False
    assert len(runtime.run(frames)) == 5


def test_a_static_model_keeps_its_shape(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "m.onnx", ANSWER, shape=(1, 3, 192, 320), metadata=export_metadata())
    runtime = loaded(path)
    assert runtime.input_spec.static == (192, 320)
    assert len(runtime.run(FRAMES)) == 5


def test_a_model_exported_for_a_fixed_batch_is_filled_up(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "m.onnx", ANSWER, shape=(4, 3, 192, 320), metadata=export_metadata())
    assert [len(rows) for rows in loaded(path).run(FRAMES)] == [2] * 5


def test_a_half_precision_model_is_run(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata(), element=TensorProto.FLOAT16)
    assert loaded(path).run(FRAMES[:1])[0][0].tolist() == [10, 20, 110, 120, pytest.approx(0.9, abs=1e-3), 1]


def test_an_export_without_metadata_gets_numbered_names_and_the_usual_size(tmp_path: Path) -> None:
    answer = np.zeros((4 + 7, 2000), np.float32)
    runtime = loaded(constant_onnx(tmp_path / "m.onnx", answer))
    assert runtime.names == tuple(f"class{number}" for number in range(7))
    assert runtime.input_spec == InputSpec(640)


def test_another_picture_size_can_be_asked_for(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata())
    assert loaded(path, long_side=500).input_spec.long_side == 512


def test_a_model_that_answers_nan_is_no_empty_scene(tmp_path: Path) -> None:
    runtime = loaded(constant_onnx(tmp_path / "m.onnx", np.full((300, 6), np.nan), metadata=export_metadata()))
    with pytest.raises(BrokenOutput):
        runtime.run(FRAMES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"this is not a model" * 100, "not an ONNX model"),
        (b"\0" * 5000, "not an ONNX model"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1\n", "not an ONNX model"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(WeightsBroken, match=words):
        loaded(tmp_path / "m.onnx")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_model_is_refused(tmp_path: Path, share: float) -> None:
    path = constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(WeightsBroken):
        loaded(path)


@pytest.mark.parametrize(
    ("shape", "metadata", "words"),
    [
        (("batch", 1, "height", "width"), export_metadata(), "1 channels"),
        (("batch", 3, "height", "width"), export_metadata(task="classify"), "classify"),
        (("batch", 3, "height", "width"), export_metadata(names="{0: 'a'"), "class names"),
        ((1, 3, 4, 4), export_metadata(), "no camera's"),
        (("batch", 3, "height", "width"), export_metadata(imgsz="[999999, 999999]"), "no camera's"),
    ],
)
def test_a_model_that_is_no_detector_is_refused_in_words(
    tmp_path: Path, shape: tuple[int | str, int | str, int | str, int | str], metadata: dict[str, str], words: str
) -> None:
    with pytest.raises(WeightsBroken, match=words):
        loaded(constant_onnx(tmp_path / "m.onnx", ANSWER, shape=shape, metadata=metadata))


def test_a_model_whose_answer_is_no_heads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsBroken, match="no YOLO detection head"):
        loaded(constant_onnx(tmp_path / "m.onnx", np.zeros((3, 7), np.float32)))


def test_cuda_asked_for_by_name_and_absent_is_said(tmp_path: Path) -> None:
    path = constant_onnx(tmp_path / "m.onnx", ANSWER, metadata=export_metadata())
    with pytest.raises(DeviceUnavailable, match="cuda:7"):
        load_model(path, "cuda:7", 1, tmp_path)


def _brightness_model(path: Path) -> Path:
    """Each frame's first box runs from 0 to 255 times its mean brightness."""
    nodes = [
        helper.make_node("ReduceMean", ["images", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "levels"], ["bright"]),
        helper.make_node("Reshape", ["bright", "column"], ["per_frame"]),
        helper.make_node("Mul", ["where", "per_frame"], ["scaled"]),
        helper.make_node("Add", ["scaled", "answer"], ["output0"]),
    ]
    where, answer = np.zeros((1, 300, 6), np.float32), np.zeros((1, 300, 6), np.float32)
    where[0, 0, 2] = 1
    answer[0, 0] = (0, 0, 0, 50, 0.9, 0)
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("levels", TensorProto.FLOAT, [], [255.0]),
        helper.make_tensor("column", TensorProto.INT64, [3], [-1, 1, 1]),
        helper.make_tensor("where", TensorProto.FLOAT, where.shape, where.ravel()),
        helper.make_tensor("answer", TensorProto.FLOAT, answer.shape, answer.ravel()),
    ]
    shape = ("batch", 3, "height", "width")
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, None)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, export_metadata())
    onnx.save(model, str(path))
    return path
