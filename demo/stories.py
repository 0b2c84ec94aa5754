"""Short stories before a demo camera: who comes, what moves where, moment by moment.

Cameras hang differently, so what happens close to one is told in multiples of `near`, the distance of the nearest
ground that it sees; streets and fences stand where the places have them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from demo.figures import Pose
from demo.places import Place
from demo.scenes import Figure

Telling = Callable[[float], list[Figure]]

_STEP_METRES = 1.5


@dataclass(frozen=True)
class Story:
    """`figures_at(moment)` says what stands where; moments run from 0 to 1 over `seconds`."""

    name: str
    place: Place
    dark: bool
    seconds: float
    figures_at: Telling

    def moments(self, number: int) -> list[float]:
        """`number` moments spread over the story, its two ends left out."""
        return [(index + 1) / (number + 1) for index in range(number)]


def delivery(rng: np.random.Generator, near: float, dark: bool = False) -> Story:
    """Somebody carries a package up to the door, leaves it there and goes."""
    courier, package, side = _look(rng), _look(rng), float(rng.uniform(-0.5, 0.5))
    stop, door = 1.35 * near, Figure("package", side + 0.3, 1.15 * near, package)

    def figures_at(moment: float) -> list[Figure]:
        if moment < 0.5:
            person = _walk((side, 11.0), (side, stop), moment / 0.5, courier)
            held = replace(door, side=person.side + 0.12, distance=person.distance - 0.02, above=0.85)
            return [person, held]
        return [_walk((side, stop), (side, 12.0), (moment - 0.5) / 0.5, courier), door]

    return Story("delivery", Place.FRONT_DOOR, dark, 16.0, figures_at)


def visitor(rng: np.random.Generator, near: float, dark: bool = False) -> Story:
    """Somebody comes to the door, waits before it and goes away to the side."""
    look, start, door = _look(rng), float(rng.uniform(-2.5, 2.5)), (float(rng.uniform(-0.4, 0.4)), 1.3 * near)

    def figures_at(moment: float) -> list[Figure]:
        if moment < 0.35:
            return [_walk((start, 10.0), door, moment / 0.35, look)]
        if moment < 0.75:
            return [Figure("person", *door, look, Pose(0.0, 0, away=False))]
        return [_walk(door, (math.copysign(near, start), 1.6 * near), (moment - 0.75) / 0.25, look)]

    return Story("visitor", Place.FRONT_DOOR, dark, 20.0, figures_at)


def arrival(rng: np.random.Generator, near: float, dark: bool = False) -> Story:
    """A car turns in from the street and stops; its driver gets out and walks up."""
    car, driver = _look(rng), _look(rng)
    lane, parked = float(rng.uniform(-0.8, 0.6)), near * float(rng.uniform(1.7, 2.3))

    def figures_at(moment: float) -> list[Figure]:
        if moment < 0.3:
            return [Figure("car", _between(15.0, lane, moment / 0.3), 19.0, car, Pose(0.0, -1))]
        if moment < 0.6:
            return [Figure("car", lane, _between(15.5, parked, (moment - 0.3) / 0.3), car, Pose(0.0, 0))]
        stopped = Figure("car", lane, parked, car, Pose(0.0, 0))
        return [stopped, _walk((lane + 1.5, parked - 0.3), (lane + 1.1, 1.25 * near), (moment - 0.6) / 0.4, driver)]

    return Story("arrival", Place.DRIVEWAY, dark, 18.0, figures_at)


def passing_car(rng: np.random.Generator, near: float, dark: bool = False) -> Story:
    """A car goes by on the street."""
    look, right = _look(rng), bool(rng.random() < 0.5)

    def figures_at(moment: float) -> list[Figure]:
        # The garage hides the street's left end from the camera.
        side = _between(-4.8, 15.0, moment if right else 1 - moment)
        return [Figure("car", side, 19.0, look, Pose(0.0, 1 if right else -1))]

    return Story("passing car", Place.DRIVEWAY, dark, 6.0, figures_at)


def dog_crossing(rng: np.random.Generator, near: float, dark: bool = False) -> Story:
    """A dog trots across the yard, now and then with somebody behind it."""
    look, owner, right = _look(rng), _look(rng) if rng.random() < 0.4 else None, bool(rng.random() < 0.5)
    distance = near * float(rng.uniform(1.2, 1.9))
    reach = distance * 0.8

    def figures_at(moment: float) -> list[Figure]:
        ahead, start, end = (1, -reach, reach) if right else (-1, reach, -reach)
        figures = [_walk((start, distance), (end, distance), moment, look, "dog")]
        if owner is not None:
            figures.append(
                _walk((start - ahead * 1.6, distance + 0.5), (end - ahead * 1.6, distance + 0.5), moment, owner)
            )
        return figures

    return Story("dog crossing", Place.BACKYARD, dark, 8.0, figures_at)


def prowler(rng: np.random.Generator, near: float, dark: bool = True) -> Story:
    """Somebody comes over the grass at night and stays near the house."""
    look, right = _look(rng), bool(rng.random() < 0.5)
    side = 3.2 if right else -3.2

    def figures_at(moment: float) -> list[Figure]:
        if moment < 0.6:
            return [_walk((side, 10.0), (side * 0.2, 1.5 * near), moment / 0.6, look)]
        return [_walk((side * 0.2, 1.5 * near), (-side, 1.8 * near), (moment - 0.6) / 0.4, look)]

    return Story("prowler", Place.BACKYARD, dark, 20.0, figures_at)


def nobody(rng: np.random.Generator, place: Place, dark: bool) -> Story:
    """An empty picture: wind or an insect set the camera off."""
    return Story("nobody", place, dark, 4.0, lambda moment: [])


_STORIES: dict[Place, tuple[Callable[[np.random.Generator, float, bool], Story], ...]] = {
    Place.FRONT_DOOR: (delivery, visitor),
    Place.DRIVEWAY: (arrival, passing_car),
    Place.BACKYARD: (dog_crossing, prowler),
}


def random_story(rng: np.random.Generator, place: Place, near: float) -> Story:
    """A story that fits the place: one in four with nobody in it, one in three in the dark."""
    dark = bool(rng.random() < 0.33)
    if rng.random() < 0.25:
        return nobody(rng, place, dark)
    told = _STORIES[place]
    return told[int(rng.integers(len(told)))](rng, near, dark)


def _look(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _between(start: float, end: float, share: float) -> float:
    return start + (end - start) * min(1.0, max(0.0, share))


def _walk(
    start: tuple[float, float], end: tuple[float, float], share: float, look: int, object_type: str = "person"
) -> Figure:
    """On the way from one (side, distance) to another: mostly sideways shows the side, mostly towards us the front."""
    side, distance = _between(start[0], end[0], share), _between(start[1], end[1], share)
    across, along = end[0] - start[0], end[1] - start[1]
    facing = 0 if object_type == "person" and abs(along) > 1.5 * abs(across) else (1 if across > 0 else -1)
    stride = (math.hypot(across, along) * share / _STEP_METRES) % 1.0
    return Figure(object_type, side, distance, look, Pose(stride, facing, away=along > 0))
