"""Where an object stands, and whether that is in a polygon."""

import math
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.zones import Point, contains, standing_point
from schemas.detection import BoundingBox

SQUARE = ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
L_SHAPE = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0))
BOW_TIE = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0))


def test_an_object_stands_at_the_middle_of_its_lower_edge() -> None:
    assert standing_point(BoundingBox(x=100, y=50, width=40, height=200), 400, 500) == (0.3, 0.5)


def test_the_same_box_stands_elsewhere_in_a_picture_of_another_size() -> None:
    box = BoundingBox(x=100, y=50, width=40, height=200)
    assert standing_point(box, 800, 1000) == (0.15, 0.25)


def test_a_box_that_reaches_over_the_border_stands_on_the_border() -> None:
    assert standing_point(BoundingBox(x=-80, y=300, width=100, height=250), 400, 500) == (0.0, 1.0)


@pytest.mark.parametrize(("width", "height"), [(None, 500), (400, None), (0, 500), (400, 0), (-400, 500)])
def test_without_a_picture_size_nobody_knows_where_it_stands(width: int | None, height: int | None) -> None:
    assert standing_point(BoundingBox(x=1, y=1, width=1, height=1), width, height) is None


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_box_of_no_number_stands_nowhere(wrong: float) -> None:
    assert standing_point(BoundingBox(x=wrong, y=1, width=1, height=1), 400, 500) is None


@pytest.mark.parametrize("point", [(0.5, 0.5), (0.26, 0.74), (0.7499, 0.2501)])
def test_a_point_inside_is_inside(point: Point) -> None:
    assert contains(SQUARE, point)


@pytest.mark.parametrize("point", [(0.24, 0.5), (0.76, 0.5), (0.5, 0.24), (0.5, 0.76), (0.0, 0.25), (1.0, 0.75)])
def test_a_point_outside_is_outside(point: Point) -> None:
    assert not contains(SQUARE, point)


@pytest.mark.parametrize("point", [*SQUARE, (0.5, 0.25), (0.75, 0.5), (0.5, 0.75), (0.25, 0.5)])
def test_corners_and_borders_count_as_inside(point: Point) -> None:
    assert contains(SQUARE, point)


def test_a_slanted_border_counts_as_inside_despite_rounding() -> None:
    triangle = ((0.1, 0.1), (0.7, 0.3), (0.2, 0.9))
    assert contains(triangle, (0.1 + 0.6 / 3, 0.1 + 0.2 / 3))


def test_the_notch_of_a_concave_polygon_is_outside() -> None:
    assert contains(L_SHAPE, (0.25, 0.75))
    assert contains(L_SHAPE, (0.75, 0.25))
    assert not contains(L_SHAPE, (0.75, 0.75))


def test_a_ray_through_a_corner_is_counted_once() -> None:
    diamond = ((0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5))
    assert contains(diamond, (0.2, 0.5))
    assert not contains(diamond, (0.1, 0.0))
    assert not contains(diamond, (0.1, 1.0))


def test_a_polygon_that_crosses_itself_has_both_its_halves() -> None:
    assert contains(BOW_TIE, (0.1, 0.5))
    assert contains(BOW_TIE, (0.9, 0.5))
    assert not contains(BOW_TIE, (0.5, 0.1))
    assert not contains(BOW_TIE, (0.5, 0.9))


def test_a_polygon_that_repeats_its_first_corner_is_the_same_polygon() -> None:
    closed = (*SQUARE, SQUARE[0])
    assert contains(closed, (0.5, 0.5))
    assert not contains(closed, (0.2, 0.2))


def test_a_line_contains_just_itself() -> None:
    line = ((0.1, 0.1), (0.5, 0.5), (0.9, 0.9))
    assert contains(line, (0.3, 0.3))
    assert not contains(line, (0.3, 0.31))
    assert not contains(line, (0.95, 0.95))


def test_a_point_contains_just_itself() -> None:
    dot = ((0.5, 0.5),) * 3
    assert contains(dot, (0.5, 0.5))
    assert not contains(dot, (0.5, 0.6))


def test_no_corners_contain_nothing() -> None:
    assert not contains((), (0.5, 0.5))


# Sixty-fourths are exact in binary, so that borders are exact too.
sixty_fourths = st.integers(0, 64).map(lambda n: n / 64)
points = st.tuples(sixty_fourths, sixty_fourths)
polygons = st.lists(points, min_size=3, max_size=9).map(tuple)


@settings(deadline=None)
@given(sixty_fourths, sixty_fourths, sixty_fourths, sixty_fourths, points)
def test_a_rectangle_is_what_lies_between_its_sides(x1: float, y1: float, x2: float, y2: float, point: Point) -> None:
    rectangle = ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
    between = min(x1, x2) <= point[0] <= max(x1, x2) and min(y1, y2) <= point[1] <= max(y1, y2)
    assert contains(rectangle, point) is between


@settings(deadline=None)
@given(st.tuples(points, points, points), points)
def test_a_triangle_is_what_lies_on_one_side_of_all_its_edges(triangle: tuple[Point, Point, Point], p: Point) -> None:
    def side(a: Point, b: Point) -> Fraction:
        (ax, ay), (bx, by), (px, py) = (tuple(map(Fraction, corner)) for corner in (a, b, p))
        return (bx - ax) * (py - ay) - (by - ay) * (px - ax)

    a, b, c = triangle
    sides = (side(a, b), side(b, c), side(c, a))
    assume(sum(sides) != 0)
    assert contains(triangle, p) is (all(s >= 0 for s in sides) or all(s <= 0 for s in sides))


@settings(deadline=None)
@given(polygons, points, st.integers(0, 8), st.booleans())
def test_neither_the_first_corner_nor_the_direction_matters(
    polygon: tuple[Point, ...], point: Point, turn: int, backwards: bool
) -> None:
    turned = polygon[turn % len(polygon) :] + polygon[: turn % len(polygon)]
    assert contains(turned[::-1] if backwards else turned, point) is contains(polygon, point)


@settings(deadline=None)
@given(polygons, st.data())
def test_every_corner_is_inside(polygon: tuple[Point, ...], data: st.DataObject) -> None:
    assert contains(polygon, data.draw(st.sampled_from(polygon)))
