"""What a camera shows, made small: the same in any light, not the same when it looks elsewhere."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from demo.light import daylight, night
from demo.places import Place
from demo.scenes import Figure, Scene
from demo.stories import random_story
from domain.scene_change import ScenePolicy
from vision.scene import HEIGHT, WIDTH, Thumbnail, from_bytes, is_blind, learn, similarity, thumbnail, to_bytes

LIKE, UNLIKE = ScenePolicy().like_from, ScenePolicy().unlike_below
everywhere = pytest.mark.parametrize("place", Place)
SEEDS = range(4)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def drawn(
    place: Place, seed: int, dark: bool = False, figures: Sequence[Figure] = (), width: int = 640
) -> NDArray[np.uint8]:
    light = rng(seed + 50)
    scene = Scene(place, width, width * 9 // 16, seed)
    return np.asarray(scene.draw(light, figures, night(light) if dark else daylight(light))[0], np.uint8)


@everywhere
def test_people_and_cars_that_come_by_are_the_same_view(place: Place) -> None:
    for seed in SEEDS:
        usual = thumbnail(drawn(place, seed))
        story = random_story(rng(seed), place, Scene(place, 640, 360, seed).view.nearest)
        for moment in story.moments(3):
            assert similarity(usual, thumbnail(drawn(place, seed, figures=story.figures_at(moment)))) > LIKE


@everywhere
def test_night_and_infra_red_are_the_same_view(place: Place) -> None:
    for seed in SEEDS:
        assert similarity(thumbnail(drawn(place, seed)), thumbnail(drawn(place, seed, dark=True))) > LIKE


@everywhere
def test_another_place_is_another_view(place: Place) -> None:
    for seed in SEEDS:
        assert similarity(thumbnail(drawn(place, seed)), thumbnail(drawn(place, seed + 100))) < UNLIKE


@everywhere
def test_a_camera_that_was_turned_by_a_fifth_has_another_view(place: Place) -> None:
    for seed in SEEDS:
        wide = drawn(place, seed, width=1280)
        before, after = (thumbnail(wide[180:540, left : left + 640]) for left in (100, 228))
        assert similarity(before, after) < UNLIKE


def black() -> NDArray[np.uint8]:
    return np.clip(rng(1).normal(2, 3, (360, 640, 3)), 0, 255).astype(np.uint8)


def plain() -> NDArray[np.uint8]:
    return np.clip(rng(2).normal(110, 6, (360, 640, 3)), 0, 255).astype(np.uint8)


def behind_a_hand() -> NDArray[np.uint8]:
    ramp = np.linspace(30, 90, 640)[None, :, None] * np.ones((360, 1, 3))
    return np.asarray(cv2.GaussianBlur(ramp.astype(np.uint8), (0, 0), 30), np.uint8)


@pytest.mark.parametrize("nothing", [black(), plain(), behind_a_hand()], ids=["black", "plain", "a hand"])
def test_nothing_to_see_is_blind(nothing: NDArray[np.uint8]) -> None:
    assert is_blind(thumbnail(nothing))


@everywhere
def test_far_out_of_focus_is_blind(place: Place) -> None:
    for seed in SEEDS:
        blurred = np.asarray(cv2.GaussianBlur(drawn(place, seed), (0, 0), 20), np.uint8)
        assert is_blind(thumbnail(blurred))


@everywhere
@pytest.mark.parametrize("dark", [False, True])
def test_a_view_is_not_blind_by_day_or_night(place: Place, dark: bool) -> None:
    assert not any(is_blind(thumbnail(drawn(place, seed, dark))) for seed in SEEDS)


@pytest.mark.parametrize("shape", [(1, 1), (2, 4000), (36, 64), (1080, 1920)])
def test_any_size_of_picture_is_made_small(shape: tuple[int, int]) -> None:
    small = thumbnail(np.full((*shape, 3), 90, np.uint8))
    assert small.shape == (HEIGHT, WIDTH)
    assert similarity(small, small) == 0.0  # nothing in it to compare


def test_a_view_survives_being_stored() -> None:
    view = thumbnail(drawn(Place.BACKYARD, 1)).astype(np.float32) + 0.25
    again = from_bytes(to_bytes(view))
    assert again is not None
    assert np.abs(again - view).max() < 0.1
    assert from_bytes(b"something else") is None


def test_learning_moves_the_view_by_its_share() -> None:
    seen: Thumbnail = np.full((HEIGHT, WIDTH), 100, np.uint8)
    assert np.allclose(learn(np.zeros((HEIGHT, WIDTH), np.float32), seen, 0.25), 25.0)
