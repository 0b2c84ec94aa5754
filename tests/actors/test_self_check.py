"""The known question: learned once, kept for the next process, and asked again without anybody waiting."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

import settings
from actors.self_check import ASK_EVERY_SECONDS, LONGEST_SECONDS, SelfCheck
from actors.yolo_detector import YoloDetector
from schemas.detection import BoundingBox, DetectedObject
from tests.actors.fakes import FakeClock
from tests.eventually import eventually_sync

NAME = "abcdef123456-onnxruntime"


def _person(x: float = 10.0, confidence: float = 0.9) -> DetectedObject:
    return DetectedObject(
        object_type="person", confidence=confidence, bbox=BoundingBox(x=x, y=20, width=100, height=200)
    )


class Model:
    """Finds what it is told to."""

    def __init__(self, *found: DetectedObject) -> None:
        self.found: Sequence[DetectedObject] = found
        self.asked = 0

    def __call__(self) -> Sequence[DetectedObject]:
        self.asked += 1
        return self.found


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def check(tmp_path: Path, clock: FakeClock) -> SelfCheck:
    return SelfCheck(clock, lambda: tmp_path)


def test_what_a_model_finds_the_first_time_is_known_to_the_next_process(
    check: SelfCheck, tmp_path: Path, clock: FakeClock
) -> None:
    check.run(NAME, Model(_person()))
    assert check.fault() is None
    later = SelfCheck(clock, lambda: tmp_path)
    later.run(NAME, Model(_person(x=400)))
    assert later.fault() == "it no longer finds the person at 10,20 in the check picture"
    later.run(NAME, Model(_person(x=12, confidence=0.85)))
    assert later.fault() is None


def test_a_model_that_answers_differently_at_once_is_not_believed(check: SelfCheck, tmp_path: Path) -> None:
    answers = iter([[_person()], []])
    check.run(NAME, lambda: next(answers))
    assert check.fault() == (
        "asked twice it answers differently: it no longer finds the person at 10,20 in the check picture"
    )
    assert not list(tmp_path.rglob("*.json"))


def test_a_kept_answer_that_is_damaged_is_made_anew(check: SelfCheck, tmp_path: Path) -> None:
    file = tmp_path / "known-answers" / f"{NAME}.json"
    file.parent.mkdir()
    file.write_text('[{"object_type": 7}]')
    check.run(NAME, Model(_person()))
    assert check.fault() is None
    assert "person" in file.read_text()


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_model(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "file").touch()
    check = SelfCheck(clock, lambda: tmp_path / "file")
    check.run(NAME, Model(_person()))
    assert check.fault() is None


def test_it_is_asked_again_when_the_answer_is_old(check: SelfCheck, clock: FakeClock) -> None:
    model = Model(_person())
    check.run(NAME, model)
    asked = model.asked
    clock.advance(ASK_EVERY_SECONDS - 1)
    check.run_if_due(NAME, model)
    told = check.describe()
    assert told is not None
    assert (model.asked, told["checked_seconds_ago"]) == (asked, ASK_EVERY_SECONDS - 1)
    clock.advance(1)
    check.run_if_due(NAME, model)
    eventually_sync(lambda: model.asked == asked + 1)


def test_a_question_without_an_answer_becomes_a_fault(check: SelfCheck, clock: FakeClock) -> None:
    check.run(NAME, Model(_person()))
    reached, leave = threading.Event(), threading.Event()

    def hanging() -> Sequence[DetectedObject]:
        reached.set()
        leave.wait()
        return [_person()]

    clock.advance(ASK_EVERY_SECONDS)
    check.run_if_due(NAME, hanging)
    assert reached.wait(30)
    assert check.fault() is None
    clock.advance(LONGEST_SECONDS + 1)
    assert check.fault() == "it has not answered the known question for 61 s"
    check.run_if_due(NAME, hanging)  # one question at a time
    leave.set()
    eventually_sync(lambda: check.fault() is None)


def test_the_shipped_weights_find_what_is_known_of_them(tmp_path: Path) -> None:
    detector = YoloDetector(settings.DEMO_WEIGHTS, "cpu", 1, tmp_path)
    detector.start()
    assert detector.health() == ("healthy", "")
    assert not list(tmp_path.rglob("*.json"))  # known from the start, not learned
