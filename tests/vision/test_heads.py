"""Decoding heads: both kinds, by shape and by what the export says, with nothing invented out of broken numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vision.errors import BrokenOutput
from vision.heads import MOST_BOXES, OVERLAP_OF_ONE_OBJECT, Head, HeadKind, head_of, one_box_an_object, parse_names

NAMES = ("person", "car")
FRAME = (384, 640)
ROWS = Head(HeadKind.END_TO_END, NAMES)
ANCHORS = Head(HeadKind.ONE_TO_MANY, NAMES)


def anchors(*boxes: tuple[float, ...], count: int = 100) -> NDArray[np.float32]:
    """A one-to-many answer of cx cy w h and a confidence a class, most of it empty."""
    answer = np.zeros((4 + len(NAMES), count), np.float32)
    for index, box in enumerate(boxes):
        answer[:, index * 3] = box
    return answer


def test_an_end_to_end_answer_is_filtered_and_sorted() -> None:
    answer = np.zeros((300, 6), np.float32)
    answer[5] = (10, 20, 110, 220, 0.5, 1)
    answer[9] = (300, 20, 400, 220, 0.9, 0)
    answer[10] = (300, 20, 400, 220, 0.1, 0)
    rows = ROWS.boxes(answer, 0.25, FRAME)
    assert rows.tolist() == [[300, 20, 400, 220, pytest.approx(0.9), 0], [10, 20, 110, 220, 0.5, 1]]


def test_a_one_to_many_answer_becomes_corners_and_a_class() -> None:
    rows = ANCHORS.boxes(anchors((100, 200, 40, 60, 0.1, 0.8)), 0.25, FRAME)
    assert rows.tolist() == [[80, 170, 120, 230, pytest.approx(0.8), 1]]


def test_many_boxes_of_one_object_become_the_most_certain() -> None:
    answer = anchors((100, 100, 50, 50, 0.6, 0), (102, 101, 50, 50, 0.9, 0), (98, 99, 50, 50, 0.7, 0))
    rows = ANCHORS.boxes(answer, 0.25, FRAME)
    assert rows[:, 4].tolist() == [pytest.approx(0.9)]


def test_overlapping_objects_of_two_classes_both_stay() -> None:
    answer = anchors((100, 100, 50, 50, 0.6, 0), (100, 100, 50, 50, 0, 0.7))
    assert ANCHORS.boxes(answer, 0.25, FRAME)[:, 5].tolist() == [1, 0]


def test_neighbours_of_one_class_both_stay() -> None:
    answer = anchors((100, 100, 50, 50, 0.6, 0), (130, 100, 50, 50, 0.7, 0))
    assert len(ANCHORS.boxes(answer, 0.25, FRAME)) == 2


@pytest.mark.parametrize(("threshold", "found"), [(0.0, 3), (0.3, 2), (0.6, 1), (0.61, 0)])
def test_the_threshold_is_kept_to_the_letter(threshold: float, found: int) -> None:
    answer = anchors((50, 50, 20, 20, 0.6, 0), (200, 50, 20, 20, 0.3, 0), (350, 50, 20, 20, 0.125, 0))
    answer[:4, [i for i in range(100) if i not in (0, 3, 6)]] = 0
    assert len(ANCHORS.boxes(answer, np.float32(threshold).item(), FRAME)) == found


def test_boxes_are_clipped_to_the_frame() -> None:
    rows = ANCHORS.boxes(anchors((10, 10, 100, 100, 0.9, 0), (635, 380, 100, 100, 0.8, 0)), 0.25, FRAME)
    assert rows[0, :4].tolist() == [0, 0, 60, 60]
    assert rows[1, :4].tolist() == [585, 330, 640, 384]


def test_a_box_outside_the_frame_is_left_out() -> None:
    assert len(ANCHORS.boxes(anchors((-500, 10, 20, 20, 0.9, 0)), 0.25, FRAME)) == 0


def test_a_box_without_area_is_left_out() -> None:
    answer = np.array([[50, 50, 50, 90, 0.9, 0], [90, 90, 50, 50, 0.9, 0]], np.float32)
    assert len(ROWS.boxes(answer, 0.25, FRAME)) == 0


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 3, 4])
def test_a_stray_broken_number_costs_only_its_own_box(broken: float, place: int) -> None:
    answer = anchors((50, 50, 20, 20, 0.6, 0), (200, 50, 20, 20, 0.7, 0))
    answer[place, 0] = broken
    answer[5, 0] = broken if place == 4 else 0
    assert ANCHORS.boxes(answer, 0.25, FRAME)[:, 4].tolist() == [pytest.approx(0.7)]


def test_a_broken_row_of_an_end_to_end_answer_is_left_out() -> None:
    answer = np.array([[np.nan, 5, 50, 50, 0.9, 0], [5, 5, 50, 50, 0.8, 0], [5, 5, 50, 50, np.nan, 0]], np.float32)
    assert ROWS.boxes(answer, 0.25, FRAME)[:, 4].tolist() == [pytest.approx(0.8)]


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_an_answer_of_nothing_but_broken_numbers_is_no_empty_scene(broken: float) -> None:
    with pytest.raises(BrokenOutput, match="no finite number"):
        ANCHORS.boxes(np.full((6, 100), broken, np.float32), 0.25, FRAME)
    with pytest.raises(BrokenOutput, match="no finite number"):
        ROWS.boxes(np.full((300, 6), broken, np.float32), 0.25, FRAME)


def test_logits_instead_of_confidences_are_noticed() -> None:
    with pytest.raises(BrokenOutput, match="sigmoid"):
        ANCHORS.boxes(anchors((50, 50, 20, 20, 7.5, 0)), 0.25, FRAME)


def test_a_confidence_rounded_above_one_is_one() -> None:
    assert ANCHORS.boxes(anchors((50, 50, 20, 20, 1.0005, 0)), 0.25, FRAME)[0, 4] == 1


def test_half_precision_answers_are_decoded() -> None:
    answer = anchors((100, 200, 40, 60, 0.1, 0.75)).astype(np.float16)
    rows = ANCHORS.boxes(answer, 0.25, FRAME)
    assert rows.dtype == np.float32
    assert rows[0].tolist() == [80, 170, 120, 230, 0.75, 1]


def test_a_class_that_has_no_name_is_left_out() -> None:
    answer = np.array([[5, 5, 50, 50, 0.9, 7], [5, 5, 50, 50, 0.8, -1]], np.float32)
    assert len(ROWS.boxes(answer, 0.25, FRAME)) == 0


def test_no_more_boxes_are_given_than_the_other_head_can() -> None:
    side = np.arange(1000)
    answer = np.zeros((6, 1000), np.float32)
    answer[0], answer[1], answer[2], answer[3], answer[4] = side % 40 * 16 + 8, side // 40 * 14 + 7, 10, 10, 0.9
    assert len(ANCHORS.boxes(answer, 0.25, FRAME)) == MOST_BOXES


def test_of_too_many_candidates_the_most_certain_are_looked_at() -> None:
    random = np.random.default_rng(0)
    answer = random.uniform(0.3, 0.8, (6, 8000)).astype(np.float32)
    answer[:4] = random.uniform(20, 300, (4, 8000))
    answer[4, 1234] = 0.99
    assert ANCHORS.boxes(answer, 0.25, FRAME)[0, 4] == pytest.approx(0.99)


def test_the_masks_of_a_segmentation_model_are_ignored() -> None:
    answer = np.vstack([anchors((100, 200, 40, 60, 0.1, 0.8)), np.full((32, 100), 9, np.float32)])
    assert len(ANCHORS.boxes(answer, 0.25, FRAME)) == 1


@given(st.integers(0, 120), st.integers(0, 2**32 - 1))
def test_suppression_agrees_with_its_definition(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 100, (count, 2))
    rows = np.column_stack(
        [
            corner,
            corner + random.uniform(1, 60, (count, 2)),
            np.sort(random.uniform(0, 1, count))[::-1],
            random.integers(0, 2, count),
        ]
    ).astype(np.float32)
    kept: list[int] = []
    for index, row in enumerate(rows):
        if all(rows[other][5] != row[5] or _overlap(rows[other], row) <= OVERLAP_OF_ONE_OBJECT for other in kept):
            kept.append(index)
    assert one_box_an_object(rows).tolist() == kept


def _overlap(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    wide = max(0.0, float(min(a[2], b[2]) - max(a[0], b[0])))
    tall = max(0.0, float(min(a[3], b[3]) - max(a[1], b[1])))
    union = float((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])) - wide * tall
    return wide * tall / union


@pytest.mark.parametrize(
    ("shape", "metadata", "kind", "classes"),
    [
        ((1, 300, 6), {"end2end": "True", "names": "{0: 'a', 1: 'b'}"}, HeadKind.END_TO_END, 2),
        ((1, 300, 6), {}, HeadKind.END_TO_END, 1000),
        ((8, 300, 6), {"names": ["a"]}, HeadKind.END_TO_END, 1),
        ((1, 300, 38), {"end2end": True, "task": "segment", "names": ["a", "b"]}, HeadKind.END_TO_END, 2),
        ((1, 84, 8400), {}, HeadKind.ONE_TO_MANY, 80),
        ((1, 84, 84), {"names": str(dict(enumerate("n" * 80)))}, HeadKind.ONE_TO_MANY, 80),
        ((1, 6, 5040), {"names": {0: "a", 1: "b"}}, HeadKind.ONE_TO_MANY, 2),
        ((1, 116, 8400), {"task": "segment", "names": dict(enumerate(map(str, range(80))))}, HeadKind.ONE_TO_MANY, 80),
    ],
)
def test_the_head_is_told_by_shape_and_metadata(
    shape: tuple[int, ...], metadata: dict[str, object], kind: HeadKind, classes: int
) -> None:
    head = head_of(shape, metadata)
    assert (head.kind, len(head.names)) == (kind, classes)


@pytest.mark.parametrize(
    ("shape", "metadata", "words"),
    [
        ((1, 1000), {"task": "classify"}, "classify"),
        ((1, 20, 8400), {"task": "obb"}, "obb"),
        ((1, 1000), {}, "no YOLO detection head"),
        ((1, 3, 640, 640), {}, "no YOLO detection head"),
        ((1, 8400, 85), {}, "no YOLO detection head"),
        ((1, 8, 8400), {"names": str(dict(enumerate("abcdefgh")))}, "names 8 classes and answers for 4"),
        ((1, 84, 8400), {"names": "{0: 'a'"}, "class names"),
        ((1, 84, 8400), {"names": {0: "a", 2: "b"}}, "numbered"),
    ],
)
def test_a_model_that_is_no_detector_is_refused_in_words(
    shape: tuple[int, ...], metadata: dict[str, object], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        head_of(shape, metadata)


def test_names_are_not_evaluated_as_code() -> None:
    with pytest.raises(ValueError, match="class names"):
        parse_names("__import__('os').getcwd()")


def test_an_empty_name_gets_a_number() -> None:
    assert parse_names({0: "person", 1: " "}) == ("person", "class1")
