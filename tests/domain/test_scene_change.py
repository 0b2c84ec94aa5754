"""When a camera's view counts as changed: it must differ, stay, and be the same all along."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from domain.scene_change import Look, SceneDecision, ScenePolicy, SceneState, judge
from schemas.scene_change import SceneChangeType

START = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
POLICY = ScenePolicy()
USUAL, OTHER, UNCLEAR = (0.9, 0.0), (0.1, 0.9), (0.5, 0.0)
UNSTEADY = (0.1, 0.2)
BLIND = None


class Camera:
    """Pictures ten seconds apart, unless told otherwise."""

    def __init__(self, seen: int = 20) -> None:
        self.state = SceneState()
        self.at = START
        self.show(*[USUAL] * seen)

    def show(self, *pictures: tuple[float, float] | None, every: float = 10.0) -> list[SceneDecision]:
        decisions = []
        for picture in pictures:
            self.at += timedelta(seconds=every)
            similarity, steadiness = picture or (0.0, 0.0)
            look = Look(self.at, picture is None, similarity, steadiness)
            decisions.append(judge(self.state, look, POLICY))
            self.state = decisions[-1].state
        return decisions


def changes(decisions: Sequence[SceneDecision]) -> list[SceneChangeType]:
    return [decision.change for decision in decisions if decision.change is not None]


def test_the_first_picture_is_the_usual_view() -> None:
    first = judge(SceneState(), Look(START, False, 0.0), POLICY)
    assert (first.learn, first.state.frames, first.change) == (1.0, 1, None)


def test_a_blind_first_picture_is_no_view() -> None:
    first = judge(SceneState(), Look(START, True, 0.0), POLICY)
    assert (first.learn, first.state.frames) == (0.0, 0)


def test_the_usual_view_follows_slowly() -> None:
    camera = Camera()
    (learnt,) = camera.show(USUAL)
    assert learnt.learn == pytest.approx(10 / 600)
    (soon,) = camera.show(USUAL, every=1.0)
    assert soon.learn == 0.0
    (late,) = camera.show(USUAL, every=86_400.0)
    assert late.learn == POLICY.most_share


def test_a_view_that_stays_changed_is_told_once_and_becomes_the_usual_one() -> None:
    camera = Camera()
    decisions = camera.show(*[OTHER] * 5)
    assert changes(decisions) == [SceneChangeType.VIEW_CHANGED]
    assert decisions[-1].learn == 1.0
    assert changes(camera.show(*[USUAL] * 10)) == []


def test_four_pictures_are_not_enough() -> None:
    camera = Camera()
    assert changes(camera.show(*[OTHER] * 4, USUAL, *[OTHER] * 4)) == []


def test_many_pictures_in_a_moment_are_not_enough() -> None:
    camera = Camera()
    assert changes(camera.show(*[OTHER] * 30, every=1.0)) == []
    assert changes(camera.show(OTHER, every=1.0)) == [SceneChangeType.VIEW_CHANGED]


def test_somebody_who_moves_before_the_camera_is_no_new_view() -> None:
    assert changes(Camera().show(*[UNSTEADY] * 50)) == []


def test_what_is_half_like_the_usual_view_decides_nothing_and_is_not_learnt() -> None:
    camera = Camera()
    decisions = camera.show(*[UNCLEAR] * 50)
    assert changes(decisions) == []
    assert not any(decision.learn for decision in decisions)


def test_a_covered_camera_is_told_once_and_its_return_too() -> None:
    camera = Camera()
    assert changes(camera.show(*[BLIND] * 30)) == [SceneChangeType.COVERED]
    assert changes(camera.show(*[USUAL] * 10)) == [SceneChangeType.VIEW_RESTORED]
    assert changes(camera.show(*[BLIND] * 5)) == [SceneChangeType.COVERED]


def test_nothing_is_learnt_from_a_covered_camera() -> None:
    assert not any(decision.learn for decision in Camera().show(*[BLIND] * 30))


def test_a_covered_camera_that_comes_back_elsewhere_has_a_new_view() -> None:
    camera = Camera()
    camera.show(*[BLIND] * 5)
    assert changes(camera.show(*[OTHER] * 5)) == [SceneChangeType.VIEW_CHANGED]
    assert not camera.state.covered


def test_a_view_that_few_pictures_agreed_on_is_replaced_without_a_word() -> None:
    camera = Camera(seen=3)
    decisions = camera.show(*[OTHER] * 5)
    assert changes(decisions) == []
    assert decisions[-1].learn == 1.0


def test_blindness_after_another_view_is_counted_from_its_own_beginning() -> None:
    assert changes(Camera().show(*[OTHER] * 3, *[BLIND] * 4, *[OTHER] * 4)) == []


def test_a_picture_that_is_not_newer_is_passed_over() -> None:
    camera = Camera()
    state = camera.state
    decision = judge(state, Look(START, True, 0.0), POLICY)
    assert decision == SceneDecision(state)
