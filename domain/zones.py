"""Zones: whether an object stands in a part of its camera's picture.

An object stands where the middle of its box's lower edge is: for a person, the feet.

    ┌─────┐
    │     │
    └──●──┘
"""

import math
from collections.abc import Sequence

from schemas.detection import BoundingBox

Point = tuple[float, float]
"""Fractions of the picture's width and height."""

# Far below a pixel of any picture, far above the rounding of corners written with a few decimals.
_ON_BORDER = 1e-9


def standing_point(bbox: BoundingBox, picture_width: int | None, picture_height: int | None) -> Point | None:
    """Where the object stands; None when box or picture size do not say.

    A box that reaches over the picture's border stands on the border.
    """
    if not picture_width or not picture_height or picture_width < 0 or picture_height < 0:
        return None
    x = (bbox.x + bbox.width / 2) / picture_width
    y = (bbox.y + bbox.height) / picture_height
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Whether the point is in the polygon or on its border.

    Even-odd rule: where a polygon crosses itself, what it encloses twice is outside. One without an area contains
    just its own line or point; one without corners contains nothing.
    """
    edges = list(zip(polygon, (*polygon[1:], *polygon[:1]), strict=True))
    if any(_on_edge(start, end, point) for start, end in edges):
        return True
    return sum(_crossed(start, end, point) for start, end in edges) % 2 == 1


def _on_edge(start: Point, end: Point, point: Point) -> bool:
    """Whether the point is as good as on the edge: its distance to the nearest point of the edge is nil."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    squared_length = along_x**2 + along_y**2
    share = 0.0
    if squared_length > 0:
        share = ((point[0] - start[0]) * along_x + (point[1] - start[1]) * along_y) / squared_length
        share = min(max(share, 0.0), 1.0)
    return math.dist(point, (start[0] + share * along_x, start[1] + share * along_y)) <= _ON_BORDER


def _crossed(start: Point, end: Point, point: Point) -> bool:
    """Whether a ray from the point to the right crosses the edge; an edge owns its upper end only."""
    if (start[1] > point[1]) == (end[1] > point[1]):
        return False
    return point[0] < start[0] + (point[1] - start[1]) * (end[0] - start[0]) / (end[1] - start[1])
