"""How a person, a car, a dog and a package look: each a sprite drawn from an appearance seed."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.brush import Brush, Floats, Image, Point
from demo.palette import BOX, CLOTH, COAT, HAIR, SKIN, TAPE, TROUSERS, Colour, pick, shade
from demo.vehicles import draw_car


@dataclass(frozen=True)
class Pose:
    """What changes from frame to frame: `stride` in 0..1 is the place in a step, `facing` -1 left, 1 right, 0 towards
    the camera or `away` from it; left open, the figure's look decides."""

    stride: float = 0.25
    facing: int = 1
    away: bool | None = None


def draw_person(height: float, rng: np.random.Generator, pose: Pose) -> tuple[Image, Floats]:
    skin, top, trousers, hair = (pick(rng, palette) for palette in (SKIN, CLOTH, TROUSERS, HAIR))
    build, hooded, back_turned = rng.uniform(0.88, 1.2), rng.random() < 0.2, rng.random() < 0.35
    bag, long_sleeves, striped, shorts = (bool(rng.random() < share) for share in (0.3, 0.75, 0.25, 0.2))
    swing = math.sin(2 * math.pi * pose.stride) * (0.13 if pose.facing else 0.03)
    brush, middle = Brush(height, 0.6), 0.3
    shoulder, hip = 0.115 * build * (0.8 if pose.facing else 1.0), 0.075 * build
    _legs(brush, pose, (middle, hip, swing), build, (trousers, skin if shorts else trousers, pick(rng, CLOTH)))
    far, near = (-1, 1) if pose.facing >= 0 else (1, -1)
    _arm(brush, middle, far, shoulder, swing, shade(top, 0.8) if long_sleeves else shade(skin, 0.85), skin, pose)
    _torso(brush, middle, shoulder, hip, top)
    if striped:
        band = pick(rng, CLOTH)
        for y in (0.26, 0.34, 0.42):
            brush.limb([(middle - hip, y), (middle + hip, y)], 0.025, band)
    if bag:
        brush.ellipse((middle - pose.facing * shoulder * 0.9, 0.32), (0.055, 0.1), pick(rng, CLOTH))
    _arm(brush, middle, near, shoulder, -swing, top if long_sleeves else skin, skin, pose)
    away = pose.facing == 0 and (back_turned if pose.away is None else pose.away)
    _head(brush, middle, pose, skin, top if hooded else hair, away, hooded)
    return brush.sprite(rng)


def _legs(
    brush: Brush, pose: Pose, stance: tuple[float, float, float], build: float, colours: tuple[Colour, Colour, Colour]
) -> None:
    """`stance` is the body's middle, half its hip and the swing of a step; `colours` of thigh, shin and shoe."""
    (middle, hip, swing), (thigh, shin, shoe) = stance, colours
    for side in (-1, 1):
        step = side * swing
        lifted = step * pose.facing < -0.04
        top = (middle + side * hip * 0.5, 0.5)
        knee = (middle + side * hip * 0.45 + step * 0.5 + pose.facing * 0.02, 0.73)
        foot = (middle + side * hip * 0.5 + step, 0.925 if lifted else 0.955)
        brush.limb([top, knee], 0.088 * build, thigh)
        brush.limb([knee, foot], 0.066 * build, shin)
        brush.ellipse((foot[0] + pose.facing * 0.025, 0.94 if lifted else 0.975), (0.045, 0.022), shoe)


def _torso(brush: Brush, middle: float, shoulder: float, hip: float, colour: Colour) -> None:
    right = [(0.045, 0.17), (shoulder, 0.205), (hip * 1.15, 0.4), (hip * 1.25, 0.54)]
    outline = right + [(-x, y) for x, y in reversed(right)]
    brush.polygon([(middle + x, y) for x, y in outline], colour)


def _arm(
    brush: Brush, middle: float, side: int, shoulder: float, swing: float, sleeve: Colour, skin: Colour, pose: Pose
) -> None:
    top = (middle + side * shoulder * 0.9, 0.225)
    elbow = (top[0] + side * 0.02 + swing * 0.5, 0.37)
    hand = (elbow[0] + swing * 0.7 + pose.facing * 0.03, 0.505)
    brush.limb([top, elbow, hand], 0.055, sleeve)
    brush.ellipse(hand, (0.026, 0.032), skin)


def _head(brush: Brush, middle: float, pose: Pose, skin: Colour, cover: Colour, away: bool, hooded: bool) -> None:
    x = middle + pose.facing * 0.012
    brush.limb([(middle, 0.19), (x, 0.13)], 0.055, shade(skin, 0.85))
    brush.ellipse((x - pose.facing * 0.012, 0.07), (0.066, 0.07) if not hooded else (0.078, 0.085), cover)
    if away:
        brush.ellipse((x, 0.085), (0.06, 0.075), cover)
        return
    brush.ellipse((x + pose.facing * 0.012, 0.09), (0.053, 0.068), skin)
    brush.ellipse((x, 0.035), (0.056, 0.03), cover)
    for eye in (-0.02, 0.02) if pose.facing == 0 else (0.035 * pose.facing,):
        brush.ellipse((x + eye, 0.085), (0.008, 0.007), (30, 30, 35))


def draw_dog(height: float, rng: np.random.Generator, pose: Pose) -> tuple[Image, Floats]:
    coat, second = pick(rng, COAT), pick(rng, COAT)
    fluff, long_snout, floppy = rng.uniform(0.85, 1.25), rng.uniform(0.8, 1.25), rng.random() < 0.5
    brush = Brush(height, 1.5)
    ahead = -1 if pose.facing < 0 else 1

    def at(x: float, y: float) -> Point:
        return 0.75 + ahead * x, y

    swing = math.sin(2 * math.pi * pose.stride) * 0.1
    for hind, step, lit in ((True, swing, 0.7), (False, -swing, 0.7), (True, -swing, 1.0), (False, swing, 1.0)):
        x = -0.36 if hind else 0.28
        bend = -0.06 if hind else 0.02
        leg = [at(x, 0.62), at(x + bend + step * 0.4, 0.8), at(x + step, 0.965)]
        brush.limb(leg, 0.095 * fluff if lit == 1.0 else 0.08, shade(coat, lit))
        brush.ellipse(at(x + step + 0.03, 0.97), (0.055, 0.03), shade(coat, lit * 0.9))
    wag = rng.uniform(-0.12, 0.2)
    brush.limb([at(-0.42, 0.48), at(-0.56, 0.36), at(-0.66, 0.28 - wag)], 0.07 * fluff, coat)
    brush.ellipse(at(-0.06, 0.53), (0.42, 0.165 * fluff), coat)
    brush.ellipse(at(0.22, 0.52), (0.19, 0.19 * fluff), coat)
    if rng.random() < 0.5:
        brush.ellipse(at(rng.uniform(-0.25, 0.1), 0.47), (0.14, 0.09), second)
    brush.limb([at(0.28, 0.45), at(0.44, 0.22)], 0.19 * fluff, coat)
    brush.ellipse(at(0.46, 0.19), (0.145, 0.125), coat)
    brush.limb([at(0.5, 0.22), at(0.5 + 0.16 * long_snout, 0.25)], 0.115, second if rng.random() < 0.4 else coat)
    brush.ellipse(at(0.52 + 0.18 * long_snout, 0.235), (0.03, 0.026), (25, 25, 30))
    brush.ellipse(at(0.52, 0.16), (0.02, 0.02), (20, 20, 25))
    if floppy:
        brush.ellipse(at(0.37, 0.22), (0.055, 0.13), shade(coat, 0.7), 12 * ahead)
    else:
        brush.polygon([at(0.34, 0.14), at(0.36, -0.01), at(0.46, 0.09)], shade(coat, 0.75))
    return brush.sprite(rng, 0.12)


def draw_package(height: float, rng: np.random.Generator, pose: Pose) -> tuple[Image, Floats]:
    """A closed box seen from above: its front, one side and its lid, with tape and a label."""
    colour = pick(rng, BOX)
    width, depth = rng.uniform(0.85, 1.7), rng.uniform(0.22, 0.4)
    lean = rng.uniform(0.1, 0.3) * (1 if rng.random() < 0.5 else -1)
    brush = Brush(height, width + abs(lean))
    left = max(0.0, -lean)
    front: list[Point] = [(left, depth), (left + width, depth), (left + width, 1.0), (left, 1.0)]
    lid: list[Point] = [(left, depth), (left + width, depth), (left + width + lean, 0.0), (left + lean, 0.0)]
    edge = left + width if lean > 0 else left
    flank: list[Point] = [(edge, depth), (edge + lean, 0.0), (edge + lean, 1.0 - depth * 0.8), (edge, 1.0)]
    brush.polygon(flank, shade(colour, 0.6))
    brush.polygon(front, shade(colour, 0.86))
    brush.polygon(lid, shade(colour, 1.15))
    tape = pick(rng, TAPE)
    centre = left + width * rng.uniform(0.4, 0.6)
    start, end = centre - 0.05, centre + 0.05
    brush.polygon([(start, depth), (end, depth), (end + lean, 0), (start + lean, 0)], tape)
    brush.polygon([(start, depth), (end, depth), (end, depth + 0.2), (start, depth + 0.2)], tape)
    x, y = left + width * rng.uniform(0.1, 0.55), depth + rng.uniform(0.22, 0.35)
    brush.polygon([(x, y), (x + 0.3, y), (x + 0.3, y + 0.2), (x, y + 0.2)], (235, 238, 240))
    for line in (0.05, 0.1, 0.15):
        brush.limb([(x + 0.04, y + line), (x + 0.24, y + line)], 0.014, (60, 60, 60))
    return brush.sprite(rng, 0.04)


def _draw_car(height: float, rng: np.random.Generator, pose: Pose) -> tuple[Image, Floats]:
    return draw_car(height, rng, pose.facing)


DRAW: dict[str, Callable[[float, np.random.Generator, Pose], tuple[Image, Floats]]] = {
    "person": draw_person,
    "car": _draw_car,
    "dog": draw_dog,
    "package": draw_package,
}
HEIGHT_METRES: dict[str, tuple[float, float]] = {
    "person": (1.55, 1.92),
    "car": (1.4, 1.75),
    "dog": (0.5, 0.85),
    "package": (0.28, 0.55),
}
