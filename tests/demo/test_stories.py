import numpy as np
import pytest

from demo.light import Light
from demo.places import Place
from demo.scenes import DrawnObject, Scene
from demo.stories import Story, arrival, delivery, dog_crossing, nobody, passing_car, prowler, random_story, visitor

NEAR = 3.0


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def seen(story: Story, moment: float) -> list[DrawnObject]:
    scene = Scene(story.place, 640, 360, 3)
    assert scene.view.nearest == pytest.approx(NEAR, abs=0.8)
    return scene.draw(rng(), story.figures_at(moment), Light(noise=0))[1]


def types(things: list[DrawnObject]) -> list[str]:
    return sorted(thing.object_type for thing in things)


def test_a_courier_carries_the_package_before_leaving_it() -> None:
    story = delivery(rng(), NEAR)
    assert types(seen(story, 0.4)) == ["package", "person"]
    carried = next(figure for figure in story.figures_at(0.4) if figure.object_type == "package")
    left = next(figure for figure in story.figures_at(0.9) if figure.object_type == "package")
    assert carried.above > 0
    assert left.above == 0
    assert carried.look == left.look


def test_the_courier_comes_nearer_and_then_goes() -> None:
    heights = [
        max(thing.height for thing in seen(delivery(rng(), NEAR), m) if thing.object_type == "person")
        for m in (0.1, 0.49, 0.95)
    ]
    assert heights[0] < heights[1] > heights[2]


def test_a_visitor_stands_before_the_door() -> None:
    story = visitor(rng(), NEAR)
    assert story.figures_at(0.4) == story.figures_at(0.7)


def test_a_car_arrives_before_its_driver_gets_out() -> None:
    story = arrival(rng(), NEAR)
    assert types(seen(story, 0.5)) == ["car"]
    assert types(seen(story, 0.9)) == ["car", "person"]


def test_the_driver_stands_before_the_car_and_not_in_it() -> None:
    car, person = sorted(seen(arrival(rng(), NEAR), 0.95), key=lambda thing: thing.object_type)
    assert person.x > car.x + car.width / 2
    assert car.visible > 0.7


def test_a_passing_car_moves_along_the_street() -> None:
    places = [seen(passing_car(rng(), NEAR), moment)[0].x for moment in (0.3, 0.5, 0.7)]
    assert places == sorted(places) or places == sorted(places, reverse=True)


def test_a_dog_crosses_the_yard() -> None:
    early, late = (
        next(one for one in seen(dog_crossing(rng(2), NEAR), m) if one.object_type == "dog") for m in (0.2, 0.8)
    )
    assert abs(early.x - late.x) > 150


def test_a_prowler_comes_in_the_dark() -> None:
    story = prowler(rng(), NEAR)
    assert story.dark
    assert types(seen(story, 0.5)) == ["person"]


def test_nobody_is_nobody() -> None:
    assert nobody(rng(), Place.DRIVEWAY, True).figures_at(0.5) == []


def test_the_same_seed_tells_the_same_stories() -> None:
    one, other = (random_story(rng(9), Place.BACKYARD, NEAR) for _ in range(2))
    assert (one.name, one.dark) == (other.name, other.dark)
    assert one.figures_at(0.3) == other.figures_at(0.3)


@pytest.mark.parametrize("place", Place)
def test_every_place_has_stories_with_and_without_somebody(place: Place) -> None:
    told = [random_story(rng(seed), place, NEAR) for seed in range(60)]
    assert len({story.name for story in told}) == 3
    assert {story.dark for story in told} == {False, True}
    assert all(story.place is place for story in told)


def test_moments_lie_strictly_inside_the_story() -> None:
    assert nobody(rng(), Place.DRIVEWAY, False).moments(3) == [0.25, 0.5, 0.75]


@pytest.mark.parametrize("camera", range(12))
def test_every_camera_sees_the_courier_and_the_package_wherever_it_hangs(camera: int) -> None:
    scene = Scene(Place.FRONT_DOOR, 640, 360, camera)
    story = delivery(rng(camera), scene.view.nearest)
    for moment in (0.42, 0.6):
        _, drawn = scene.draw(rng(), story.figures_at(moment), Light())
        assert types(drawn) == ["package", "person"]
        assert min(thing.visible for thing in drawn) > 0.5
