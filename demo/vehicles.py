"""How a car looks: a saloon, an estate, a van or a pick-up from the side, or any car from the front or the back."""

import numpy as np

from demo.brush import Brush, Floats, Image, Point
from demo.palette import PAINT, Colour, pick, shade

GLASS: Colour = (95, 80, 70)
TYRE: Colour = (30, 30, 30)

# Roof lines from the front of a car that drives right, (x, y) in car heights; the body below is common to all.
_ROOFS: list[list[Point]] = [
    [(0.55, 0.43), (0.95, 0.04), (1.85, 0.02), (2.4, 0.42)],
    [(0.12, 0.4), (0.42, 0.03), (1.8, 0.02), (2.4, 0.42)],
    [(0.1, 0.42), (0.14, 0.03), (2.05, 0.0), (2.5, 0.42)],
    [(1.2, 0.43), (1.28, 0.04), (1.95, 0.02), (2.4, 0.43)],
]


def draw_car(height: float, rng: np.random.Generator, facing: int) -> tuple[Image, Floats]:
    """`facing` -1 and 1 show the side, 0 the front or the back."""
    paint = pick(rng, PAINT)
    if facing == 0:
        return _end_view(height, rng, paint)
    return _side_view(height, rng, paint, facing)


def _side_view(height: float, rng: np.random.Generator, paint: Colour, facing: int) -> tuple[Image, Floats]:
    length = rng.uniform(2.7, 3.15)
    brush, stretch = Brush(height, length), length / 3.0
    roof = _ROOFS[int(rng.integers(len(_ROOFS)))]

    def at(x: float, y: float) -> Point:
        return (x * stretch if facing > 0 else length - x * stretch), y

    dark = shade(paint, 0.7)
    body = [at(0.02, 0.5), at(0.08, 0.42), at(2.4, 0.41), at(2.9, 0.5), at(2.98, 0.62), at(2.98, 0.8), at(0.02, 0.82)]
    brush.polygon([at(x, y) for x, y in roof], paint)
    brush.polygon(body, paint)
    brush.polygon([at(0.02, 0.7), at(2.98, 0.7), at(2.97, 0.83), at(0.04, 0.83)], dark)
    first, last = roof[0], roof[-1]
    window = [(first[0] + 0.16, 0.4), (roof[1][0] + 0.08, 0.1), (roof[2][0] - 0.04, 0.09), (last[0] - 0.14, 0.4)]
    brush.polygon([at(x, y) for x, y in window], GLASS)
    pillar = (roof[1][0] + roof[2][0]) / 2 + 0.1
    brush.limb([at(pillar, 0.06), at(pillar, 0.42)], 0.05, paint)
    for door in (pillar, pillar + 0.75):
        brush.limb([at(min(door, 2.2), 0.43), at(min(door, 2.2), 0.78)], 0.012, dark)
        brush.limb([at(min(door, 2.2) - 0.2, 0.5), at(min(door, 2.2) - 0.1, 0.5)], 0.025, dark)
    brush.ellipse(at(2.88, 0.56), (0.08, 0.045), (215, 235, 240))
    brush.ellipse(at(0.07, 0.53), (0.05, 0.05), (40, 40, 190))
    rim = shade((170, 170, 175), rng.uniform(0.5, 1.1))
    for wheel in (0.58, 2.36):
        brush.ellipse(at(wheel, 0.79), (0.24, 0.235), shade(paint, 0.35))
        brush.ellipse(at(wheel, 0.8), (0.2, 0.2), TYRE)
        brush.ellipse(at(wheel, 0.8), (0.115, 0.115), rim)
        brush.ellipse(at(wheel, 0.8), (0.04, 0.04), TYRE)
    return brush.sprite(rng, 0.03)


def _end_view(height: float, rng: np.random.Generator, paint: Colour) -> tuple[Image, Floats]:
    width, front = rng.uniform(1.12, 1.3), rng.random() < 0.5
    brush, dark = Brush(height, width), shade(paint, 0.65)
    middle = width / 2

    def both(half: float, y: float) -> tuple[Point, Point]:
        return (middle - half, y), (middle + half, y)

    for half in (-0.42, 0.42):
        x = middle + half * width / 1.2
        brush.polygon([(x - 0.1, 0.75), (x + 0.1, 0.75), (x + 0.1, 1.0), (x - 0.1, 1.0)], TYRE)
    top, waist = both(width * 0.34, 0.02), both(width * 0.47, 0.42)
    brush.polygon([top[0], top[1], waist[1], waist[0]], paint)
    glass_top, glass_low = both(width * 0.31, 0.08), both(width * 0.41, 0.4)
    brush.polygon([glass_top[0], glass_top[1], glass_low[1], glass_low[0]], GLASS)
    lower = both(width * 0.48, 0.86)
    brush.polygon([waist[0], waist[1], (width - 0.01, 0.55), lower[1], lower[0], (0.01, 0.55)], paint)
    bumper, floor = both(width * 0.49, 0.74), both(width * 0.46, 0.9)
    brush.polygon([bumper[0], bumper[1], floor[1], floor[0]], dark)
    grille, grille_low = both(width * 0.2, 0.56), both(width * 0.17, 0.69)
    brush.polygon([grille[0], grille[1], grille_low[1], grille_low[0]], TYRE if front else dark)
    lamp: Colour = (220, 238, 242) if front else (45, 45, 200)
    for x in (middle - width * 0.36, middle + width * 0.36):
        brush.ellipse((x, 0.57), (0.1, 0.055), lamp)
    plate, plate_low = both(0.14, 0.76), both(0.14, 0.83)
    brush.polygon([plate[0], plate[1], plate_low[1], plate_low[0]], (225, 230, 230))
    for side in both(width * 0.5, 0.4):
        brush.ellipse(side, (0.05, 0.04), dark)
    return brush.sprite(rng, 0.03)
