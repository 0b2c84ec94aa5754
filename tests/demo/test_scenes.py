import cv2
import numpy as np
import pytest

from demo.brush import Image
from demo.figures import Pose
from demo.light import Light, daylight, night
from demo.places import Place
from demo.scenes import CLASSES, DrawnObject, Figure, Scene

PLAIN = Light(noise=0.0)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def draw(figures: list[Figure], light: Light = PLAIN, place: Place = Place.BACKYARD) -> tuple[Image, list[DrawnObject]]:
    return Scene(place, 640, 360, 7).draw(rng(), figures, light)


@pytest.mark.parametrize("place", Place)
def test_the_same_seed_draws_the_same_picture(place: Place) -> None:
    crowd = [Figure("person", 0, 6, 3), Figure("dog", 1, 5, 4)]
    first, again = (Scene(place, 640, 360, 5).draw(rng(2), crowd, daylight(rng(3))) for _ in range(2))
    assert np.array_equal(first[0], again[0])
    assert first[1] == again[1]


def test_another_seed_is_another_place() -> None:
    one, other = (Scene(Place.DRIVEWAY, 640, 360, seed).draw(rng(), [], PLAIN)[0] for seed in (1, 2))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("size", [(1280, 720), (640, 480), (320, 320), (250, 141), (1920, 600)])
def test_any_resolution_is_drawn_at_that_size(size: tuple[int, int]) -> None:
    picture, drawn = Scene(Place.FRONT_DOOR, *size).draw(rng(), [Figure("person", 0, 5)], daylight(rng()))
    assert picture.shape == (size[1], size[0], 3)
    assert picture.dtype == np.uint8
    assert [thing.object_type for thing in drawn] == ["person"]


@pytest.mark.parametrize("object_type", CLASSES)
@pytest.mark.parametrize("facing", [-1, 0, 1])
def test_the_box_fits_what_was_drawn_to_the_pixel(object_type: str, facing: int) -> None:
    # Over the ground there is no shadow, so whatever differs from the empty picture is the figure.
    figure = Figure(object_type, 0.3, 6.0, look=11, pose=Pose(0.3, facing), above=0.001)
    with_it, (thing,) = draw([figure])
    without, _ = draw([])
    changed = np.abs(with_it.astype(int) - without).max(axis=2) > 6
    x, y, width, height = cv2.boundingRect(changed.astype(np.uint8))
    assert abs(thing.x - x) <= 1
    assert abs(thing.y - y) <= 1
    assert abs(thing.x + thing.width - x - width) <= 1
    assert abs(thing.y + thing.height - y - height) <= 1


def test_a_figure_on_the_ground_casts_a_shadow_below_it() -> None:
    on_the_ground, (thing,) = draw([Figure("person", 0.3, 6.0, look=11)])
    without, _ = draw([])
    below = (round(thing.y + thing.height) + 1, round(thing.x + thing.width / 2))
    assert on_the_ground[below].sum() < without[below].sum()


def test_a_figure_cut_by_the_edge_has_a_box_inside_the_picture() -> None:
    _, (thing,) = draw([Figure("car", -4.2, 5.5, look=2)])
    assert thing.x == 0
    assert thing.visible < 0.95


def test_a_figure_outside_the_picture_is_not_reported() -> None:
    assert draw([Figure("dog", 40, 5)])[1] == []


def test_the_farther_of_two_is_partly_covered_by_the_nearer() -> None:
    _, (far, near) = draw([Figure("person", 0, 5, 1), Figure("person", 0.15, 7, 2)])
    assert near.height > far.height
    assert near.visible == 1.0
    assert 0 < far.visible < 0.8


def test_the_same_figure_looks_the_same_elsewhere_in_the_next_frame() -> None:
    _, (here,) = draw([Figure("car", -0.5, 9, look=5, above=0.001)])
    _, (there,) = draw([Figure("car", 0.5, 9, look=5, above=0.001)])
    assert (here.width, here.height) == (there.width, there.height)


def test_things_grow_as_they_come_nearer() -> None:
    _, (far, near) = draw([Figure("dog", 1, 8, 1), Figure("dog", -1, 4, 1)])
    assert near.height == pytest.approx(2 * far.height, abs=3)


def test_nights_are_darker_than_days() -> None:
    scene = Scene(Place.BACKYARD, 160, 90, 7)
    days, nights = (
        np.mean([scene.draw(rng(seed), [], light(rng(seed)))[0].mean() for seed in range(20)])
        for light in (daylight, night)
    )
    assert nights < 0.75 * days


def test_an_infrared_night_has_no_colour() -> None:
    picture, _ = draw([Figure("person", 0, 5)], Light(infrared=True, gain=0.7, falloff=0.5))
    assert np.array_equal(picture[..., 0], picture[..., 1])
    assert np.array_equal(picture[..., 1], picture[..., 2])


def test_infrared_lamps_leave_the_corners_dark() -> None:
    lit, _ = draw([], Light(infrared=True, gain=0.8, noise=0, falloff=0.7))
    plain, _ = draw([], Light(infrared=True, gain=0.8, noise=0))
    assert lit[-10:, :10].mean() < 0.7 * plain[-10:, :10].mean()


def test_the_caption_is_written_in_the_upper_left_corner_only() -> None:
    scene = Scene(Place.DRIVEWAY, 640, 360, 7)
    without, _ = scene.draw(rng(), [], PLAIN)
    captioned, _ = scene.draw(rng(), [], PLAIN, "DRIVEWAY")
    changed = (without != captioned).any(axis=2)
    assert changed[:30, :200].any()
    assert not changed[40:].any()


def test_the_smaller_stream_shows_the_same_things_in_the_same_places() -> None:
    large = Scene(Place.FRONT_DOOR, 1280, 720, 7)
    small = large.shrunk(640, 360)
    figures = [Figure("person", 0.5, 5, above=0.001)]
    big_picture, (big,) = large.draw(rng(), figures, PLAIN)
    picture, (thing,) = small.draw(rng(), figures, PLAIN)
    assert picture.shape == (360, 640, 3)
    assert (2 * thing.x, 2 * thing.y, 2 * thing.height) == pytest.approx((big.x, big.y, big.height), abs=4)
    halved = cv2.resize(big_picture, (640, 360), interpolation=cv2.INTER_AREA)
    assert np.abs(halved.astype(int) - picture).mean() < 2
