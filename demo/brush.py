"""A sprite canvas: shapes in units of the figure's own height, drawn large and shrunk to clean edges."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from demo.palette import Colour

# H×W×3 uint8, blue green red.
Image = MatLike
Floats = NDArray[np.floating[Any]]
Point = tuple[float, float]

_MARGIN = 0.06


class Brush:
    """Draws one figure; x runs right from the figure's left edge, y down from its top, both in figure heights.

    `aspect` is the figure's width over its height. Shapes may reach 0.06 heights beyond the edges.
    """

    def __init__(self, height_pixels: float, aspect: float) -> None:
        self._shrink = 2 if height_pixels > 160 else 4
        self._unit = height_pixels * self._shrink
        rows = max(4, round(height_pixels * (1 + 2 * _MARGIN))) * self._shrink
        columns = max(4, round(height_pixels * (aspect + 2 * _MARGIN))) * self._shrink
        self._colours: Image = np.zeros((rows, columns, 3), np.uint8)
        self._mask: Image = np.zeros((rows, columns), np.uint8)

    def ellipse(self, centre: Point, radii: Point, colour: Colour, angle: float = 0.0) -> None:
        axes = (max(1, round(radii[0] * self._unit)), max(1, round(radii[1] * self._unit)))
        cv2.ellipse(self._colours, self._pixel(centre), axes, angle, 0, 360, colour, -1)
        cv2.ellipse(self._mask, self._pixel(centre), axes, angle, 0, 360, 255, -1)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        corners = np.array([self._pixel(point) for point in points], np.int32)
        cv2.fillPoly(self._colours, [corners], colour)
        cv2.fillPoly(self._mask, [corners], 255)

    def limb(self, points: Sequence[Point], thickness: float, colour: Colour) -> None:
        """A bent line with round ends, such as an arm."""
        corners = [np.array([self._pixel(point) for point in points], np.int32)]
        width = max(1, round(thickness * self._unit))
        cv2.polylines(self._colours, corners, False, colour, width)
        cv2.polylines(self._mask, corners, False, 255, width)

    def sprite(self, rng: np.random.Generator, roughness: float = 0.07) -> tuple[Image, Floats]:
        """The figure shaded from above and roughened, as H×W×3 BGR and its H×W opacity in 0..1, cut to its outline."""
        rows, columns = self._mask.shape
        size = (columns // self._shrink, rows // self._shrink)
        opacity = cv2.resize(self._mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        # The canvas behind the figure is black, so area averaging leaves colour times opacity: divide it out again.
        colours = cv2.resize(self._colours, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        colours /= np.maximum(opacity, 1 / 255)[..., None]
        shade = np.linspace(1.1, 0.82, size[1], dtype=np.float32)[:, None]
        left, right = rng.permutation([0.86, 1.08])
        side = np.linspace(left, right, size[0], dtype=np.float32)[None, :]
        grain = rng.standard_normal((max(2, size[1] // 3), max(2, size[0] // 3)), dtype=np.float32)
        cloth = 1 + roughness * cv2.resize(grain, size, interpolation=cv2.INTER_LINEAR)
        colours *= (shade * side * cloth)[..., None]
        return _cut_to_outline(np.clip(colours, 0, 255).astype(np.uint8), opacity)

    def _pixel(self, point: Point) -> tuple[int, int]:
        return round((point[0] + _MARGIN) * self._unit), round((point[1] + _MARGIN) * self._unit)


def _cut_to_outline(colours: Image, opacity: Floats) -> tuple[Image, Floats]:
    x, y, width, height = cv2.boundingRect((opacity > 0.4).astype(np.uint8))
    return colours[y : y + height, x : x + width], opacity[y : y + height, x : x + width]
