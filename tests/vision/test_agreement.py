"""When two runtimes agree."""

import numpy as np
from numpy.typing import NDArray

from vision.agreement import disagreements


def rows(*boxes: tuple[float, ...]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 6)


BOX = (10, 10, 110, 110, 0.8, 0)


def test_the_same_boxes_agree() -> None:
    assert disagreements([rows(BOX)], [rows(BOX)], 0.25) == []


def test_order_makes_no_difference() -> None:
    other = (200, 10, 300, 110, 0.7, 1)
    assert disagreements([rows(BOX, other)], [rows(other, BOX)], 0.25) == []


def test_small_shifts_agree_and_large_ones_do_not() -> None:
    assert disagreements([rows(BOX)], [rows((11, 11, 111, 111, 0.81, 0))], 0.25) == []
    assert len(disagreements([rows(BOX)], [rows((20, 20, 120, 120, 0.8, 0))], 0.25)) == 2


def test_another_confidence_is_a_disagreement() -> None:
    found = disagreements([rows(BOX)], [rows((10, 10, 110, 110, 0.7, 0))], 0.25)
    assert found[0].nearest_overlap == 1
    assert found[0].nearest_confidence is not None


def test_another_class_is_a_disagreement() -> None:
    assert len(disagreements([rows(BOX)], [rows((10, 10, 110, 110, 0.8, 1))], 0.25)) == 2


def test_a_missing_box_is_a_disagreement_in_either_direction() -> None:
    assert len(disagreements([rows(BOX)], [rows()], 0.25)) == 1
    assert len(disagreements([rows()], [rows(BOX)], 0.25)) == 1


def test_a_box_at_the_threshold_needs_no_counterpart() -> None:
    assert disagreements([rows((10, 10, 110, 110, 0.26, 0))], [rows()], 0.25) == []
