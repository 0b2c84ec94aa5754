"""Where everything of a scene is at every moment, and the pictures that a camera takes of it."""

import random
from dataclasses import dataclass, replace

from bench.judgement.detector import Seen, detected, ghost, ghost_seen, name_for
from bench.judgement.kinds import Actor, Kind, Range

LONGEST_SECONDS = 88.0
"""A batch spans 90 s at most."""

# Nearness: 0 is the far end of the picture, 1 right before the camera.
_SPOTS: dict[str, Range] = {
    "street": (0.03, 0.12),
    "pavement": (0.1, 0.25),
    "fence": (0.12, 0.35),
    "drive": (0.3, 0.55),
    "car": (0.3, 0.6),
    "garden": (0.2, 0.7),
    "pool": (0.3, 0.6),
    "window": (0.5, 0.8),
    "door": (0.7, 1.0),
}
# Height in metres, width by height.
_SHAPES: dict[str, tuple[float, float]] = {
    "adult": (1.75, 0.4),
    "child": (1.15, 0.42),
    "car": (1.5, 2.0),
    "van": (2.2, 1.8),
    "truck": (3.0, 1.8),
    "bicycle": (1.1, 1.4),
    "dog": (0.6, 1.3),
    "cat": (0.3, 1.4),
    "fox": (0.4, 1.6),
    "bear": (1.2, 1.4),
    "bird": (0.2, 1.2),
    "package": (0.3, 1.3),
    "weapon": (0.28, 0.6),
    "fire": (0.9, 0.8),
    "smoke": (2.2, 1.0),
    "coat": (1.6, 0.45),
    "tool": (0.6, 0.6),
    "glow": (0.7, 1.0),
}


@dataclass(frozen=True, slots=True)
class _Point:
    seconds: float
    x: float
    nearness: float


@dataclass(frozen=True, slots=True)
class _Path:
    """One thing's way: straight from point to point."""

    thing: str
    name: str
    points: tuple[_Point, ...]
    parked: bool

    def box_at(self, seconds: float) -> tuple[float, float, float, float] | None:
        """x, y, width, height in shares of the picture; None where it is not there."""
        first, last = self.points[0], self.points[-1]
        if self.parked:
            return _box(self.thing, first.x, first.nearness)
        if not first.seconds <= seconds <= last.seconds:
            return None
        for before, after in zip(self.points, self.points[1:], strict=False):
            if seconds <= after.seconds:
                share = (seconds - before.seconds) / max(after.seconds - before.seconds, 0.001)
                x = before.x + share * (after.x - before.x)
                return _box(self.thing, x, before.nearness + share * (after.nearness - before.nearness))
        return _box(self.thing, last.x, last.nearness)


def staged(kind: Kind, dark: bool, interval: float, rng: random.Random) -> list[tuple[float, list[Seen]]]:
    """(seconds, boxes) of each picture in which something was detected, the first at 0; tried until there is one.

    What no detector sees, no assessor is ever asked about.
    """
    while True:
        paths = _paths(kind, rng)
        pictures = [(at, boxes) for at, boxes in _pictures(paths, dark, interval, rng) if boxes]
        if pictures:
            began = pictures[0][0]
            return [(at - began, boxes) for at, boxes in pictures]


def _paths(kind: Kind, rng: random.Random) -> list[_Path]:
    paths: list[_Path] = []
    for actor in kind.actors:
        if rng.random() >= actor.share:
            continue
        name = name_for(actor.thing, rng)
        if actor.carried:
            paths.append(replace(paths[0], thing=actor.thing, name=name))
            continue
        paths += [_path(actor, name, rng) for _ in range(rng.randint(*actor.number))]
    return paths or _paths(kind, rng)


def _path(actor: Actor, name: str, rng: random.Random) -> _Path:
    seconds, x = rng.uniform(*actor.enters) + rng.uniform(0, 2), rng.uniform(0.05, 0.8)
    points: list[_Point] = []
    for step in actor.route:
        if points:
            seconds += rng.uniform(*actor.leg)
            x = min(0.85, max(0.02, x + rng.uniform(-0.3, 0.3)))
        nearness = rng.uniform(*_SPOTS[step.spot])
        points.append(_Point(seconds, x, nearness))
        seconds += rng.uniform(*step.stay)
        points.append(_Point(seconds, min(0.85, max(0.02, x + rng.uniform(-0.04, 0.04))), nearness))
    return _Path(actor.thing, name, tuple(points), actor.parked)


def _pictures(paths: list[_Path], dark: bool, interval: float, rng: random.Random) -> list[tuple[float, list[Seen]]]:
    ends = [path.points[-1].seconds for path in paths if not path.parked]
    length = max(ends, default=interval * rng.randint(0, 3))
    began = rng.uniform(0, length - LONGEST_SECONDS) if length > LONGEST_SECONDS else 0.0
    unreal = ghost(dark, rng)
    pictures: list[tuple[float, list[Seen]]] = []
    at = began
    while at <= min(length, began + LONGEST_SECONDS):
        if rng.random() > 0.08:
            boxes = [
                seen
                for path in paths
                if (box := path.box_at(at)) is not None
                for seen in detected(path.thing, path.name, box, dark, rng)
            ]
            if unreal is not None:
                boxes += ghost_seen(*unreal, rng)
            pictures.append((at, boxes))
        at += interval * rng.uniform(0.85, 1.15)
    return pictures


def _box(thing: str, x: float, nearness: float) -> tuple[float, float, float, float]:
    metres, aspect = _SHAPES[thing]
    height = min(0.95, metres / 1.75 * (0.07 + 0.73 * nearness**1.3))
    width = min(0.95, height * aspect * 9 / 16)
    foot = 0.35 + 0.6 * nearness
    return x, max(0.0, foot - height), width, height
