"""Drawing boxes, and thumbnails."""

import math

import numpy as np
import pytest

from schemas.detection import BoundingBox, DetectedObject
from vision.annotate import clean_label, draw_boxes, jpeg_of, thumbnail
from vision.reading import Picture, read_picture


def found(
    label: str = "person", x: float = 100, y: float = 60, width: float = 80, height: float = 90
) -> DetectedObject:
    return DetectedObject(object_type=label, confidence=0.9, bbox=BoundingBox(x=x, y=y, width=width, height=height))


def grey(width: int = 320, height: int = 180) -> Picture:
    return Picture(np.full((height, width, 3), 90, np.uint8), width, height, "JPEG")


def test_a_box_is_drawn_where_the_object_is() -> None:
    canvas = draw_boxes(grey(), [found()])
    assert (canvas[100, 100] != 90).any()
    assert (canvas[100, 180] != 90).any()
    assert (canvas[120, 140] == 90).all()


def test_the_picture_itself_is_left_as_it_is() -> None:
    picture = grey()
    draw_boxes(picture, [found()])
    assert (picture.pixels == 90).all()


def test_boxes_are_scaled_to_a_picture_decoded_smaller() -> None:
    picture = Picture(np.full((90, 160, 3), 90, np.uint8), 320, 180, "JPEG")
    canvas = draw_boxes(picture, [found()])
    assert (canvas[50, 50] != 90).any()
    assert (canvas[60, 70] == 90).all()


def test_one_class_always_has_one_colour() -> None:
    one, other = draw_boxes(grey(), [found()]), draw_boxes(grey(), [found(), found("car", 10, 130, 20, 20)])
    assert np.array_equal(one[60:150, 100:180], other[60:150, 100:180])


@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 40, 40),
        (310, 170, 500, 500),
        (1e30, 5, 1e30, 5),
        (math.nan, math.inf, 10, 10),
        (0, 0, 0, 0),
        (0, 0, 320, 180),
    ],
)
def test_no_box_upsets_the_drawing(box: tuple[float, float, float, float]) -> None:
    assert draw_boxes(grey(), [found("person", *box)]).shape == (180, 320, 3)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3)])
def test_no_picture_is_too_small_to_draw_on(size: tuple[int, int]) -> None:
    assert draw_boxes(grey(*size), [found()]).shape == (size[1], size[0], 3)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("person", "person"),
        ("Tür  mit\nGlas\t", "Tür mit Glas"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ("zero\x00width\u200b", "zerowidth"),
        ("\x1b[31mred", "[31mred"),
        ("犬", "犬"),
        ("a" * 80, "a" * 39 + "…"),
        ("", ""),
        ("\ud800", ""),
    ],
)
def test_labels_are_cleaned(text: str, clean: str) -> None:
    assert clean_label(text) == clean


@pytest.mark.parametrize("label", ["", "犬", "%s %n", "a" * 5000, "\ud800", "{}"])
def test_any_label_can_be_drawn(label: str) -> None:
    assert draw_boxes(grey(), [found(label)]).shape == (180, 320, 3)


def test_a_thumbnail_is_a_small_jpeg() -> None:
    picture = read_picture(thumbnail(grey(1280, 720)))
    assert (picture.width, picture.height, picture.format) == (320, 180, "JPEG")


def test_a_portrait_thumbnail_is_no_taller_than_the_limit() -> None:
    picture = read_picture(thumbnail(grey(720, 1280)))
    assert (picture.width, picture.height) == (180, 320)


def test_a_small_picture_is_not_enlarged() -> None:
    assert read_picture(thumbnail(grey(100, 50))).width == 100


def test_a_thumbnail_can_show_the_boxes() -> None:
    plain, drawn = thumbnail(grey(1280, 720)), thumbnail(grey(1280, 720), [found("person", 400, 200, 300, 300)])
    assert not np.array_equal(read_picture(plain).pixels, read_picture(drawn).pixels)


def test_a_drawn_picture_becomes_a_jpeg_again() -> None:
    assert read_picture(jpeg_of(draw_boxes(grey(), [found()]))).width == 320
