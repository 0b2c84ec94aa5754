"""What a track's boxes amount to in words: where in the picture, how large, and how they moved."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from schemas.prompt_facts import Movement, Place

MOST_PIXELS = 1e6


class Box(NamedTuple):
    """Centre, width and height, by any unit of length."""

    x: float
    y: float
    width: float
    height: float


Sides = tuple[float, float, float, float]
"""Left, top, right, bottom in percent of the picture, within it."""

_CLOSER = 1.35
"""How much larger the box's side has become on what counts as coming closer."""
_MOVED, _STRAYED = 0.4, 0.8
"""In box diagonals: from the start to the end, and the farthest in between."""
_LEAST = 1e-9
_PLACES = tuple(Place)


def movement(boxes: Sequence[Box]) -> Movement:
    """Of boxes in order of time. The mean of the first third against that of the last: one odd box changes little."""
    if len(boxes) == 1:
        return Movement.ONCE
    third = max(1, len(boxes) // 3)
    first, last = _mean(boxes[:third]), _mean(boxes[-third:])
    growth = math.sqrt(max(last.width * last.height, _LEAST) / max(first.width * first.height, _LEAST))
    if growth >= _CLOSER:
        return Movement.CLOSER
    if growth <= 1 / _CLOSER:
        return Movement.AWAY
    diagonal = (math.hypot(first.width, first.height) + math.hypot(last.width, last.height)) / 2 or _LEAST
    if math.dist(first[:2], last[:2]) >= _MOVED * diagonal:
        return Movement.ACROSS
    farthest = max(math.dist(first[:2], box[:2]) for box in boxes)
    return Movement.AROUND if farthest >= _STRAYED * diagonal else Movement.STILL


def _mean(boxes: Sequence[Box]) -> Box:
    return Box(*(math.fsum(values) / len(boxes) for values in zip(*boxes, strict=True)))


def sides_in_percent(x: float, y: float, width: float, height: float, picture: tuple[int, int]) -> Sides:
    """Of a box with its upper left corner at (x, y), what of it lies in the picture."""
    across, down = 100 / picture[0], 100 / picture[1]
    left, top, right, bottom = x * across, y * down, (x + width) * across, (y + height) * down
    return _percent(left), _percent(top), _percent(right), _percent(bottom)


def share_of_picture(sides: Sides) -> float:
    """In percent of its area."""
    left, top, right, bottom = sides
    return (right - left) * (bottom - top) / 100


def place(sides: Sides) -> Place:
    """The ninth in which its centre lies."""
    left, top, right, bottom = sides
    column, row = (min(2, int(middle / 2 * 3 / 100)) for middle in (left + right, top + bottom))
    return _PLACES[3 * row + column]


def tenths(value: float) -> float:
    """Rounded to one decimal, and never -0.0, which JSON stores do not keep."""
    return round(value, 1) + 0.0


def _percent(value: float) -> float:
    return min(100.0, max(0.0, value))
