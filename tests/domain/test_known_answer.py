"""Comparing what a detector finds with what it is known to find."""

import pytest

from domain.known_answer import difference, overlap
from schemas.detection import BoundingBox, DetectedObject


def _box(x: float = 0, y: float = 0, width: float = 100, height: float = 100) -> BoundingBox:
    return BoundingBox(x=x, y=y, width=width, height=height)


def _one(kind: str = "person", confidence: float = 0.8, x: float = 0) -> DetectedObject:
    return DetectedObject(object_type=kind, confidence=confidence, bbox=_box(x))


@pytest.mark.parametrize(
    ("other", "shared"),
    [(_box(), 1.0), (_box(50), 1 / 3), (_box(100), 0.0), (_box(200, 200), 0.0), (_box(25, 25, 50, 50), 0.25)],
)
def test_overlap_is_the_shared_part_of_both(other: BoundingBox, shared: float) -> None:
    assert overlap(_box(), other) == pytest.approx(shared)


def test_boxes_without_an_area_overlap_nothing() -> None:
    assert overlap(_box(width=0), _box(width=0)) == 0


@pytest.mark.parametrize("found", [[_one()], [_one(x=20)], [_one(confidence=0.6)], [_one(), _one("dog", 0.4)]])
def test_the_last_digits_of_another_device_are_no_difference(found: list[DetectedObject]) -> None:
    assert difference([_one()], found) is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ([], "it no longer finds the person at 0,0"),
        ([_one("dog")], "it no longer finds the person at 0,0"),
        ([_one(x=60)], "it no longer finds the person at 0,0"),
        ([_one(confidence=0.4)], "with a confidence of 0.40, where 0.80 is known"),
        ([_one(), _one("dog", 0.6)], "it finds a dog at 0,0"),
    ],
)
def test_another_answer_is_told_in_words(found: list[DetectedObject], words: str) -> None:
    told = difference([_one()], found)
    assert told is not None
    assert words in told


def test_what_was_hardly_found_may_be_missing() -> None:
    assert difference([_one(confidence=0.2)], []) is None


def test_nothing_known_and_nothing_found_agree() -> None:
    assert difference([], []) is None
