import numpy as np
import pytest

from demo.crowds import random_picture
from demo.scenes import CLASSES, DrawnObject


@pytest.fixture(scope="module")
def truths() -> list[list[DrawnObject]]:
    return [random_picture(np.random.default_rng([5, index]), 320, 180)[1] for index in range(80)]


def test_a_random_picture_is_the_same_for_the_same_seed() -> None:
    one, other = (random_picture(np.random.default_rng(4), 320, 180) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert one[1] == other[1]


def test_every_class_is_drawn_often(truths: list[list[DrawnObject]]) -> None:
    drawn = [thing.object_type for things in truths for thing in things]
    assert all(drawn.count(name) > 15 for name in CLASSES)


def test_some_pictures_are_empty(truths: list[list[DrawnObject]]) -> None:
    assert 2 <= sum(not things for things in truths) <= 30


def test_every_box_lies_inside_the_picture(truths: list[list[DrawnObject]]) -> None:
    for thing in (thing for things in truths for thing in things):
        assert thing.x >= 0
        assert thing.y >= 0
        assert thing.x + thing.width <= 320
        assert thing.y + thing.height <= 180


def test_no_box_is_too_small_to_be_seen(truths: list[list[DrawnObject]]) -> None:
    assert min(min(thing.width, thing.height) for things in truths for thing in things) >= 4


def test_what_is_mostly_hidden_is_not_asked_for(truths: list[list[DrawnObject]]) -> None:
    assert min(thing.visible for things in truths for thing in things) >= 0.4
