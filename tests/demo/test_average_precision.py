import math

import pytest

from demo.average_precision import (
    Box,
    Verdict,
    average_precision,
    average_precisions,
    judge,
    overlap,
    precision_and_recall,
)

DOG = Box("dog", 10, 10, 20, 10)


def found(x: float, confidence: float, object_type: str = "dog") -> Box:
    return Box(object_type, x, 10, 20, 10, confidence)


def test_a_box_overlaps_itself_wholly() -> None:
    assert overlap(DOG, DOG) == 1.0


def test_boxes_shifted_by_half_their_width_share_a_third() -> None:
    assert overlap(DOG, found(20, 1)) == pytest.approx(1 / 3)


def test_boxes_that_only_touch_do_not_overlap() -> None:
    assert overlap(DOG, found(30, 1)) == 0.0


def test_the_surer_of_two_boxes_on_one_object_is_the_hit() -> None:
    assert judge([found(11, 0.4), found(10, 0.9)], [DOG]) == [Verdict(0.9, True), Verdict(0.4, False)]


def test_a_box_of_another_class_is_no_hit() -> None:
    assert judge([found(10, 0.9, "car")], [DOG]) == [Verdict(0.9, False)]


def test_a_box_that_overlaps_by_less_than_half_is_no_hit() -> None:
    assert judge([found(17, 0.9)], [DOG]) == [Verdict(0.9, False)]


def test_two_objects_side_by_side_each_take_their_own_box() -> None:
    second = Box("dog", 18, 10, 20, 10)
    assert judge([found(18, 0.8), found(10, 0.9)], [DOG, second]) == [Verdict(0.9, True), Verdict(0.8, True)]


def test_everything_found_and_nothing_else_is_one() -> None:
    assert average_precision([Verdict(0.9, True), Verdict(0.2, True)], 2) == 1.0


def test_nothing_found_is_zero() -> None:
    assert average_precision([], 3) == 0.0


def test_nothing_to_find_has_no_precision() -> None:
    assert math.isnan(average_precision([Verdict(0.9, False)], 0))


def test_half_the_objects_found_purely_is_one_half() -> None:
    assert average_precision([Verdict(0.9, True)], 2) == 0.5


def test_a_false_box_between_two_hits_costs_a_third_of_the_second() -> None:
    verdicts = [Verdict(0.9, True), Verdict(0.8, False), Verdict(0.7, True)]
    assert average_precision(verdicts, 2) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_false_boxes_below_the_last_hit_cost_nothing() -> None:
    verdicts = [Verdict(0.9, True), Verdict(0.2, False), Verdict(0.1, False)]
    assert average_precision(verdicts, 1) == 1.0


def test_a_false_box_above_the_first_hit_halves_the_precision() -> None:
    assert average_precision([Verdict(0.9, False), Verdict(0.8, True)], 1) == 0.5


def test_precision_never_rises_with_recall() -> None:
    # Precisions are 1, 1/2, 2/3, 3/4: the dip at the second box is filled from the right by 3/4.
    verdicts = [Verdict(0.9, True), Verdict(0.8, False), Verdict(0.7, True), Verdict(0.6, True)]
    assert average_precision(verdicts, 3) == pytest.approx((1 + 0.75 + 0.75) / 3)


def test_a_class_is_ranked_over_all_pictures_together() -> None:
    pictures = [[found(200, 0.9)], [found(10, 0.8)]]
    assert average_precisions(pictures, [[], [DOG]], ["dog"]) == {"dog": 0.5}


def test_classes_do_not_disturb_one_another() -> None:
    figures = average_precisions([[found(10, 0.9), found(10, 0.95, "car")]], [[DOG]], ["dog", "car"])
    assert figures["dog"] == 1.0
    assert math.isnan(figures["car"])


def test_only_boxes_above_the_threshold_count_for_precision_and_recall() -> None:
    pictures = [[found(10, 0.9), found(200, 0.6), found(300, 0.1)]]
    assert precision_and_recall(pictures, [[DOG]], 0.5) == (0.5, 1.0)


def test_pictures_and_truths_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="shorter"):
        average_precisions([[], []], [[]], ["dog"])
