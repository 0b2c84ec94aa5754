"""What stands around a house: sky, lawn, trees, houses across the street, a fence, and clutter nobody should report."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from demo.brush import Floats, Point
from demo.painter import Painter
from demo.palette import Colour


def texture(rng: np.random.Generator, height: int, width: int, cells: Sequence[tuple[int, float]]) -> Floats:
    """Soft noise around 0: for each (cell size in pixels, amplitude) a random grid, enlarged and added."""
    total: Floats = np.zeros((height, width), np.float32)
    for cell, amplitude in cells:
        grid = rng.standard_normal((height // cell + 2, width // cell + 2), dtype=np.float32) * np.float32(amplitude)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR)
    return total


def sky(on: Painter) -> None:
    view = on.view
    low, high = np.array(on.vary((225, 205, 185)), np.float32), np.array(on.vary((205, 160, 120)), np.float32)
    ramp = np.linspace(0, 1, view.height, dtype=np.float32)[:, None, None]
    clouds = texture(on.rng, view.height, view.width, [(view.height // 4, 11), (view.height // 12, 4)])
    lit = high + (low - high) * np.minimum(1, ramp / view.horizon) + clouds[..., None]
    on.picture[:] = np.clip(lit, 0, 255).astype(np.uint8)


def lawn(on: Painter, far: float) -> None:
    """Grass from the camera's foot to `far` metres, with blades that grow towards the camera."""
    view, rng = on.view, on.rng
    on.strip((-60, 60), (0.5, far), on.vary((60, 125, 85), 25))
    top, bottom = round(view.point(0, far)[1]), view.height
    blades = 60 + view.width // 2
    y = top + (bottom - top) * rng.random(blades) ** 0.7
    x = rng.random(blades) * view.width
    length = 0.04 * (y - view.horizon * view.height)
    tips = np.stack([x + rng.uniform(-0.6, 0.6, blades) * length, y - length], 1)
    lines = np.stack([np.stack([x, y], 1), tips], 1).astype(np.int32)
    half = blades // 2
    cv2.polylines(on.picture, list(lines[:half]), False, on.vary((45, 100, 62)), 1, cv2.LINE_AA)
    cv2.polylines(on.picture, list(lines[half:]), False, on.vary((80, 155, 110)), 1, cv2.LINE_AA)


def foliage(on: Painter, centre: Point, radius: float, colour: Colour) -> None:
    """Leaves around a pixel, within a radius in pixels."""
    for _ in range(22):
        angle, reach = on.rng.uniform(0, 2 * np.pi), radius * on.rng.random() ** 0.5
        spot = (centre[0] + reach * np.cos(angle), centre[1] + 0.8 * reach * np.sin(angle))
        size = radius * on.rng.uniform(0.2, 0.45)
        on.disc(spot, size, on.vary(colour, 20))


def tree(on: Painter, side: float, distance: float, height: float) -> None:
    on.board(side, distance, (0.07 * height, height * 0.6), on.vary((50, 70, 90)))
    crown = on.view.point(side, distance, height * 0.72)
    foliage(on, crown, on.view.metre(distance) * height * 0.27, on.vary((45, 100, 65), 25))


def house(on: Painter, side: float, distance: float) -> None:
    """A house seen from the front: wall, hipped roof, windows at random and a door."""
    rng, wall = on.rng, on.vary((150, 165, 180), 45)
    left, top, right, bottom = on.board(side, distance, (rng.uniform(7, 12), rng.uniform(3.0, 5.5)), wall)
    wide, tall, middle = right - left, bottom - top, (left + right) / 2
    eaves, ridge = wide * 0.06, top - tall * rng.uniform(0.35, 0.7)
    roof = [(left - eaves, top), (right + eaves, top), (middle + eaves, ridge), (middle - eaves, ridge)]
    on.fill(roof, on.vary((70, 75, 110), 30))
    for _ in range(int(rng.integers(2, 5))):
        x, y = rng.uniform(left, right - wide * 0.2), rng.uniform(top + 2, bottom - tall * 0.4)
        w, h = wide * rng.uniform(0.08, 0.16), tall * rng.uniform(0.2, 0.32)
        on.fill([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], on.vary((120, 100, 85), 30))
        on.line((x + w / 2, y), (x + w / 2, y + h), (215, 220, 225))
    x, w, lintel = rng.uniform(left, right - wide * 0.15), wide * 0.1, bottom - tall * 0.5
    on.fill([(x, lintel), (x + w, lintel), (x + w, bottom), (x, bottom)], on.vary((60, 70, 110), 40))


def across_the_street(on: Painter, far: float) -> None:
    """Houses, trees and their lawns behind a street whose far edge is `far` metres away."""
    rng = on.rng
    for side in (-26, -13, 0, 13, 26):
        house(on, side + rng.uniform(-2, 2), far + 9 + rng.uniform(0, 4))
    for _ in range(4):
        tree(on, rng.uniform(-20, 20), far + rng.uniform(4, 8), rng.uniform(4, 7))
    on.strip((-60, 60), (far, far + 8), on.vary((70, 120, 95), 20))


def street(on: Painter, near: float, far: float) -> None:
    on.strip((-80, 80), (near - 1.6, near), on.vary((165, 170, 172)))
    on.strip((-80, 80), (near, far), on.vary((95, 95, 95), 15))
    middle = (near + far) / 2
    for side in np.arange(-30, 30, 3.0):
        on.strip((float(side), float(side) + 1.4), (middle - 0.07, middle + 0.07), (205, 210, 210))


def fence(on: Painter, distance: float, height: float, reach: float) -> None:
    """Upright boards from one side to the other, with two rails."""
    wood, side, point = on.vary((95, 125, 155), 30), -reach, on.view.point
    while side < reach:
        on.board(side, distance, (0.19, height + on.rng.uniform(-0.04, 0.04)), on.vary(wood, 12))
        side += 0.22
    for rail in (0.25, 0.8):
        ends = point(-reach, distance, rail * height), point(reach, distance, rail * height)
        on.line(*ends, on.vary(wood, 25), on.view.metre(distance) * 0.05)


def clutter(on: Painter, number: int, far: float) -> None:
    """Things a detector must leave alone, the farthest first."""
    rng, near = on.rng, on.view.nearest + 0.3
    spots = [(rng.uniform(near, far), float(rng.choice([-1, 1]) * rng.uniform(0.9, 5))) for _ in range(number)]
    for distance, side in sorted(spots, reverse=True):
        _CLUTTER[int(rng.integers(len(_CLUTTER)))](on, side, distance)


def _flower_pot(on: Painter, side: float, distance: float) -> None:
    on.board(side, distance, (0.34, 0.32), on.vary((60, 85, 150), 30))
    (x, y), metre = on.view.point(side, distance), on.view.metre(distance)
    foliage(on, (x, y - 0.5 * metre), 0.28 * metre, on.vary((55, 115, 75), 30))


def _bush(on: Painter, side: float, distance: float) -> None:
    (x, y), metre = on.view.point(side, distance), on.view.metre(distance)
    foliage(on, (x, y - 0.3 * metre), on.rng.uniform(0.3, 0.7) * metre, on.vary((45, 95, 60), 30))


def _bin(on: Painter, side: float, distance: float) -> None:
    metre = on.view.metre(distance)
    left, top, right, bottom = on.board(side, distance, (0.58, 1.0), on.vary((70, 90, 60), 40))
    lid = top - 0.1 * metre
    on.fill([(left - 2, top), (right + 2, top), (right, lid), (left, lid)], (50, 55, 50))
    wheel = (round(right - 0.1 * metre), round(bottom))
    cv2.circle(on.picture, wheel, max(1, round(0.1 * metre)), (30, 30, 30), -1)


def _post(on: Painter, side: float, distance: float) -> None:
    on.board(side, distance, (0.09, on.rng.uniform(0.8, 2.4)), on.vary((150, 150, 150), 60))
    on.board(side, distance, (0.3, 0.1), on.vary((110, 110, 110), 40))


def _stone(on: Painter, side: float, distance: float) -> None:
    (x, y), metre = on.view.point(side, distance), on.view.metre(distance)
    radii = (max(1, round(0.2 * metre)), max(1, round(0.12 * metre)))
    colour = on.vary((125, 130, 135), 40)
    cv2.ellipse(on.picture, (round(x), round(y - radii[1])), radii, 0, 0, 360, colour, -1, cv2.LINE_AA)


def _ball(on: Painter, side: float, distance: float) -> None:
    (x, y), radius = on.view.point(side, distance), 0.13 * on.view.metre(distance)
    on.disc((x, y - radius), radius, on.vary((80, 100, 190), 60))


def _chair(on: Painter, side: float, distance: float) -> None:
    (x, y), metre, wood = on.view.point(side, distance), on.view.metre(distance), on.vary((90, 120, 150), 40)
    for leg in (-0.2, 0.2):
        on.line((x + leg * metre, y), (x + leg * metre, y - 0.9 * metre), wood, 0.05 * metre)
    seat = [(-0.24, 0.4), (0.24, 0.4), (0.2, 0.5), (-0.2, 0.5)]
    on.fill([(x + across * metre, y - above * metre) for across, above in seat], wood)


_CLUTTER: tuple[Callable[[Painter, float, float], None], ...] = (
    _flower_pot, _bush, _bin, _post, _stone, _ball, _chair,
)  # fmt: skip
