"""The detector as its callers see it: boxes in own pixels, honest health, and recovery without a hot loop."""

import pickle
import threading
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import actors.yolo_detector
from actors.self_check import ASK_EVERY_SECONDS
from actors.yolo_detector import FAILURES_UNTIL_UNHEALTHY, LOOK_AGAIN_SECONDS, TRY_AGAIN_SECONDS, YoloDetector
from tests.eventually import eventually_sync
from tests.vision.pictures import jpeg, scene
from tests.vision.small_models import constant_onnx, export_metadata
from vision.errors import DetectorUnavailable, InferenceFailed, UnreadablePicture, WrongFrameShape
from vision.letterbox import InputSpec, apply, plan
from vision.runtimes import load_model

ANSWER = np.zeros((300, 6), np.float32)
ANSWER[0] = (0, 6, 160, 96, 0.9, 0)
ANSWER[1] = (160, 96, 320, 186, 0.4, 2)
"""In a 192×320 frame that holds a 16:9 picture: its upper left and its lower right quarter."""


class FakeClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


def weights(path: Path, answer: NDArray[np.float32] = ANSWER) -> Path:
    return constant_onnx(path, answer, metadata=export_metadata())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def detector(tmp_path: Path, clock: FakeClock) -> YoloDetector:
    made = YoloDetector(weights(tmp_path / "m.onnx"), "cpu", 2, tmp_path / "cache", clock=clock)
    made.start()
    return made


@pytest.fixture
def without_weights(tmp_path: Path, clock: FakeClock) -> YoloDetector:
    made = YoloDetector(tmp_path / "m.onnx", "cpu", 1, tmp_path / "cache", clock=clock)
    made.start()
    return made


def test_the_constructor_touches_nothing(tmp_path: Path) -> None:
    YoloDetector(tmp_path / "missing.onnx", "no such device", -3, tmp_path / "never")
    assert list(tmp_path.iterdir()) == []


def test_boxes_are_in_the_pictures_own_pixels(detector: YoloDetector) -> None:
    first, second = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    assert (first.object_type, first.confidence) == ("person", pytest.approx(0.9))
    assert first.bbox.model_dump() == pytest.approx({"x": 0, "y": 0, "width": 640, "height": 360})
    assert second.object_type == "dog"
    assert second.bbox.model_dump() == pytest.approx({"x": 640, "y": 360, "width": 640, "height": 360})


def test_bytes_paths_and_arrays_are_the_same_picture(detector: YoloDetector, tmp_path: Path) -> None:
    data = jpeg(scene(720, 1280))
    (tmp_path / "picture.jpg").write_bytes(data)
    expected = detector.detect(np.zeros((720, 1280, 3), np.uint8))
    assert detector.detect(data) == expected
    assert detector.detect(tmp_path / "picture.jpg") == expected
    assert detector.detect(str(tmp_path / "picture.jpg")) == expected


@pytest.mark.parametrize("shape", [(720, 1280), (720, 1280, 1), (720, 1280, 4)])
def test_grey_and_transparent_arrays_are_pictures_too(detector: YoloDetector, shape: tuple[int, ...]) -> None:
    assert len(detector.detect(np.zeros(shape, np.uint8))) == 2


@pytest.mark.parametrize("array", [np.zeros((0, 10, 3), np.uint8), np.zeros((9, 9, 3)), np.zeros((9, 9, 2), np.uint8)])
def test_an_array_that_is_no_picture_is_refused(detector: YoloDetector, array: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="picture"):
        detector.detect(array)


def test_an_unreadable_picture_is_the_pictures_fault(detector: YoloDetector) -> None:
    with pytest.raises(UnreadablePicture):
        detector.detect(b"no picture")
    assert detector.health()[0] == "healthy"


def test_the_confidence_of_the_call_comes_before_that_of_the_detector(detector: YoloDetector) -> None:
    assert len(detector.detect(np.zeros((720, 1280, 3), np.uint8), confidence=0.5)) == 1
    assert len(detector.detect(np.zeros((720, 1280, 3), np.uint8), confidence=0.0)) == 2


def test_a_stack_gives_compact_boxes_in_own_pixels(detector: YoloDetector) -> None:
    spec = InputSpec(**detector.describe()["input_spec"])
    sizes = [(1280, 720), (1920, 1080), (640, 360)]
    stack = np.stack([apply(np.zeros((360, 640, 3), np.uint8), plan(*size, spec)) for size in sizes])
    found = detector.detect_stack(stack, sizes, 0.5)
    assert [boxes[0] for boxes in found] == [
        ("person", pytest.approx(0.9), 0.0, 0.0, 640.0, 360.0),
        ("person", pytest.approx(0.9), 0.0, 0.0, 960.0, 540.0),
        ("person", pytest.approx(0.9), 0.0, 0.0, 320.0, 180.0),
    ]
    assert all(type(value) in (str, float) for value in found[0][0])


def test_an_empty_stack_gives_nothing(detector: YoloDetector) -> None:
    assert detector.detect_stack(np.zeros((0, 192, 320, 3), np.uint8), [], 0.5) == []


def test_frames_letterboxed_for_another_model_are_refused(detector: YoloDetector) -> None:
    with pytest.raises(WrongFrameShape) as caught:
        detector.detect_stack(np.zeros((1, 384, 640, 3), np.uint8), [(1280, 720)], 0.5)
    assert caught.value.expected == (192, 320)
    assert pickle.loads(pickle.dumps(caught.value)).got == (384, 640)


@pytest.mark.parametrize(
    "stack", [np.zeros((1, 192, 320, 3)), np.zeros((2, 192, 320, 3), np.uint8), np.zeros((192, 320, 3), np.uint8)]
)
def test_a_stack_that_does_not_go_with_its_sizes_is_refused(detector: YoloDetector, stack: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="stack"):
        detector.detect_stack(stack, [(1280, 720)], 0.5)


def test_a_description_says_which_model_runs_where(detector: YoloDetector) -> None:
    described = detector.describe()
    assert (described["model"], described["runtime"], described["device"]) == ("m.onnx", "onnxruntime", "cpu")
    assert described["names"] == ["person", "car", "dog", "package"]
    assert described["input_spec"] == {"long_side": 320, "stride": 32, "static": None}
    assert (described["loaded"], described["reason"]) == (True, None)
    assert described["milliseconds_per_frame"] is None


def test_finished_frames_are_counted_over_the_last_minute(detector: YoloDetector, clock: FakeClock) -> None:
    stack = np.zeros((6, 192, 320, 3), np.uint8)
    for _ in range(10):
        clock.seconds += 1
        detector.detect_stack(stack, [(1280, 720)] * 6, 0.5)
    assert detector.describe()["inference_fps"] == 1.0
    clock.seconds += 120
    assert detector.describe()["inference_fps"] == 0.0
    assert detector.describe()["frames_finished"] == 60


def test_start_twice_loads_once(detector: YoloDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors.yolo_detector, "load_model", None)
    detector.start()
    assert detector.health() == ("healthy", "")


def test_a_notebook_need_not_start_it(tmp_path: Path) -> None:
    assert len(YoloDetector(weights(tmp_path / "m.onnx"), "cpu").detect(np.zeros((720, 1280, 3), np.uint8))) == 2


def test_missing_weights_make_it_unhealthy_not_dead(without_weights: YoloDetector, tmp_path: Path) -> None:
    state, reason = without_weights.health()
    assert state == "unhealthy"
    assert str(tmp_path / "m.onnx") in reason
    assert "put the file there" in reason
    with pytest.raises(DetectorUnavailable, match="put the file there"):
        without_weights.detect(np.zeros((9, 9, 3), np.uint8))


def test_broken_weights_say_so(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "m.onnx").write_bytes(b"half an upload")
    broken = YoloDetector(tmp_path / "m.onnx", "cpu", clock=clock)
    broken.start()
    assert "not an ONNX model" in broken.health()[1]
    assert broken.describe()["reason"] == broken.health()[1]


def test_a_device_that_is_not_there_is_a_reason_too(tmp_path: Path) -> None:
    elsewhere = YoloDetector(weights(tmp_path / "m.onnx"), "cuda:9")
    elsewhere.start()
    assert elsewhere.health()[0] == "unhealthy"
    assert "cuda:9" in elsewhere.health()[1]


def test_weights_that_appear_are_loaded_on_demand(
    without_weights: YoloDetector, tmp_path: Path, clock: FakeClock
) -> None:
    weights(tmp_path / "m.onnx")
    clock.seconds += LOOK_AGAIN_SECONDS
    assert len(without_weights.detect(np.zeros((720, 1280, 3), np.uint8))) == 2
    assert without_weights.health() == ("healthy", "")


def test_repaired_weights_are_loaded(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "m.onnx").write_bytes(b"half an upload")
    detector = YoloDetector(tmp_path / "m.onnx", "cpu", 1, clock=clock)
    detector.start()
    weights(tmp_path / "m.onnx")
    clock.seconds += LOOK_AGAIN_SECONDS
    assert len(detector.detect(np.zeros((720, 1280, 3), np.uint8))) == 2


def test_a_health_check_brings_repaired_weights_back(
    without_weights: YoloDetector, tmp_path: Path, clock: FakeClock
) -> None:
    weights(tmp_path / "m.onnx")
    clock.seconds += LOOK_AGAIN_SECONDS
    without_weights.health()
    for thread in threading.enumerate():
        if thread.name == "detector-loading":
            thread.join()
    assert without_weights.health() == ("healthy", "")


def test_the_file_is_not_looked_at_in_a_hot_loop(
    without_weights: YoloDetector, tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    monkeypatch.setattr(actors.yolo_detector, "_file_state", lambda path: looks.append(path))
    for _ in range(1000):
        clock.seconds += 0.01
        with pytest.raises(DetectorUnavailable):
            without_weights.detect(np.zeros((9, 9, 3), np.uint8))
    assert len(looks) <= 2


def test_the_same_broken_file_is_not_loaded_over_and_over(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.onnx").write_bytes(b"half an upload")
    tries: list[float] = []

    def counted(*arguments: object, **options: object) -> object:
        tries.append(clock.seconds)
        return load_model(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(actors.yolo_detector, "load_model", counted)
    detector = YoloDetector(tmp_path / "m.onnx", "cpu", 1, tmp_path, clock=clock)
    detector.start()
    for _ in range(int(2 * TRY_AGAIN_SECONDS)):
        clock.seconds += 1.0
        with pytest.raises(DetectorUnavailable):
            detector.detect(np.zeros((9, 9, 3), np.uint8))
    assert len(tries) == 3


def test_callers_do_not_wait_while_the_model_is_being_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow(*arguments: object, **options: object) -> object:
        entered.set()
        leave.wait()
        return load_model(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(actors.yolo_detector, "load_model", slow)
    detector = YoloDetector(weights(tmp_path / "m.onnx"), "cpu", 1, tmp_path)
    loading = threading.Thread(target=detector.start)
    loading.start()
    entered.wait()
    with pytest.raises(DetectorUnavailable, match="being loaded"):
        detector.detect(np.zeros((9, 9, 3), np.uint8))
    assert detector.health() == ("unhealthy", "the model is being loaded")
    leave.set()
    loading.join()
    assert detector.health()[0] == "healthy"


def test_a_model_that_keeps_failing_makes_it_unhealthy(detector: YoloDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    def overflowing(_stack: NDArray[np.uint8], _confidence: float) -> list[NDArray[np.float32]]:
        raise FloatingPointError("no finite number")

    monkeypatch.setattr(detector._runtime, "run", overflowing)
    for _ in range(FAILURES_UNTIL_UNHEALTHY):
        assert detector.health()[0] == "healthy"
        with pytest.raises(InferenceFailed, match="no finite number"):
            detector.detect(np.zeros((720, 1280, 3), np.uint8))
    state, reason = detector.health()
    assert state == "unhealthy"
    assert "no finite number" in reason


def test_a_model_that_cannot_answer_the_known_question_is_unhealthy_from_the_start(tmp_path: Path) -> None:
    broken = weights(tmp_path / "m.onnx", np.full((300, 6), np.nan, np.float32))
    detector = YoloDetector(broken, "cpu", 1, tmp_path / "cache")
    detector.start()
    state, reason = detector.health()
    assert state == "unhealthy"
    assert reason.startswith("it cannot answer the known question: ")
    assert "no finite number" in reason


def test_a_model_that_answers_and_finds_other_boxes_than_it_did_is_unhealthy(
    detector: YoloDetector, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert detector.health() == ("healthy", "")
    monkeypatch.setattr(detector._runtime, "run", lambda stack, _: [np.zeros((0, 6), np.float32) for _ in stack])
    clock.seconds += ASK_EVERY_SECONDS
    detector.health()
    eventually_sync(lambda: detector.health()[0] == "unhealthy")
    assert detector.health()[1] == "it no longer finds the person at 0,0 in the check picture"
    told = detector.describe()["self_check"]
    assert (told["healthy"], told["objects"], told["checked_seconds_ago"]) == (False, [], 0.0)
    monkeypatch.undo()
    clock.seconds += ASK_EVERY_SECONDS
    eventually_sync(lambda: detector.health()[0] == "healthy")


def test_the_known_question_is_no_frame_of_anybodys(detector: YoloDetector) -> None:
    detector.self_check()
    told = detector.describe()
    assert (told["frames_finished"], told["inference_fps"], told["milliseconds_per_frame"]) == (0, 0.0, None)
    assert told["self_check"]["healthy"]
    assert [one["object_type"] for one in told["self_check"]["objects"]] == ["person", "dog"]
    assert told["vram_mb"] == 0


def test_a_stopped_detector_says_so_and_can_be_started_again(detector: YoloDetector) -> None:
    detector.stop()
    assert detector.health() == ("unhealthy", "the detector has been stopped")
    with pytest.raises(DetectorUnavailable, match="stopped"):
        detector.detect(np.zeros((9, 9, 3), np.uint8))
    detector.start()
    assert detector.health() == ("healthy", "")


def test_stop_twice_is_the_same_as_once(detector: YoloDetector) -> None:
    detector.stop()
    detector.stop()
    assert detector.describe()["loaded"] is False


def test_the_self_check_runs_the_model_on_a_known_picture(detector: YoloDetector) -> None:
    checked = detector.self_check()
    assert [found["object_type"] for found in checked["objects"]] == ["person", "dog"]


def test_detecting_while_it_stops_ends_in_boxes_or_a_clean_refusal(detector: YoloDetector) -> None:
    stack = np.zeros((4, 192, 320, 3), np.uint8)
    odd: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                detector.detect_stack(stack, [(1280, 720)] * 4, 0.5)
        except DetectorUnavailable:
            return
        except BaseException as error:
            odd.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    detector.stop()
    for worker in workers:
        worker.join()
    assert odd == []


@pytest.mark.parametrize("error", [DetectorUnavailable("no weights"), InferenceFailed("out of memory")])
def test_the_errors_survive_pickling(error: DetectorUnavailable | InferenceFailed) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.reason, str(again)) == (type(error), error.reason, str(error))
