"""Colours (blue, green, red) of clothes, coats, paint and boxes, and how they vary."""

import numpy as np

Colour = tuple[int, int, int]

SKIN: list[Colour] = [(180, 205, 240), (140, 175, 220), (100, 140, 190), (70, 100, 150), (50, 70, 105)]
CLOTH: list[Colour] = [
    (40, 40, 45), (90, 60, 40), (150, 90, 40), (60, 60, 170), (50, 120, 60), (200, 200, 205), (40, 140, 210),
    (120, 60, 110), (100, 100, 100), (30, 190, 230), (190, 160, 60), (70, 85, 120),
]  # fmt: skip
TROUSERS: list[Colour] = [(110, 70, 40), (45, 42, 40), (80, 80, 85), (120, 150, 175), (70, 60, 50), (150, 150, 150)]
HAIR: list[Colour] = [(25, 25, 30), (40, 60, 95), (70, 120, 170), (150, 150, 150), (30, 45, 110)]
COAT: list[Colour] = [(50, 85, 140), (35, 35, 40), (190, 205, 220), (90, 140, 195), (80, 90, 100), (40, 60, 100)]
BOX: list[Colour] = [(100, 150, 195), (85, 130, 175), (120, 165, 205), (70, 110, 155), (200, 205, 210), (105, 140, 170)]
TAPE: list[Colour] = [(170, 205, 225), (60, 90, 125), (200, 190, 170), (150, 110, 60)]
PAINT: list[Colour] = [
    (45, 45, 50), (205, 205, 210), (150, 150, 155), (50, 45, 165), (140, 70, 30), (60, 85, 50), (40, 70, 120),
    (110, 105, 95), (235, 235, 235), (30, 140, 200), (120, 120, 70),
]  # fmt: skip


def pick(rng: np.random.Generator, palette: list[Colour]) -> Colour:
    """One of the palette, a little off."""
    colour = palette[int(rng.integers(len(palette)))]
    blue, green, red = (int(np.clip(part + rng.integers(-14, 15), 5, 250)) for part in colour)
    return blue, green, red


def vary(rng: np.random.Generator, colour: Colour, spread: int = 18) -> Colour:
    """The colour lighter or darker by up to `spread` grey levels, and a little off in each part."""
    shift = int(rng.integers(-spread, spread + 1))
    blue, green, red = (int(np.clip(part + shift + rng.integers(-6, 7), 0, 255)) for part in colour)
    return blue, green, red


def shade(colour: Colour, factor: float) -> Colour:
    """The colour in more (above 1) or less light."""
    blue, green, red = (min(255, int(part * factor)) for part in colour)
    return blue, green, red
