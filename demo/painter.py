"""Paints surfaces of a place in perspective: strips on the ground, boards standing on it, walls along it."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from demo.brush import Image, Point
from demo.palette import Colour, vary

# OpenCV clips what lies outside the picture, but coordinates must fit its fixed-point numbers.
_FARTHEST_PIXEL = 20000


@dataclass(frozen=True)
class View:
    """A camera over flat ground: metres to the side and away from it become pixels.

        y of the horizon + focal length × camera height ÷ distance = y of a point on the ground

    `horizon` and `zoom` (the focal length) are in picture heights, `camera_height` in metres.
    """

    width: int
    height: int
    horizon: float
    camera_height: float
    zoom: float = 0.9

    @property
    def focal(self) -> float:
        return self.zoom * self.height

    @property
    def nearest(self) -> float:
        """The distance of the ground at the picture's lower edge."""
        return self.focal * self.camera_height / (self.height * (1 - self.horizon))

    def metre(self, distance: float) -> float:
        """How many pixels a metre takes at that distance."""
        return self.focal / distance

    def point(self, side: float, distance: float, above: float = 0.0) -> Point:
        """The pixel of a point `side` metres to the right, `distance` away and `above` metres over the ground."""
        return (
            self.width / 2 + self.metre(distance) * side,
            self.horizon * self.height + self.metre(distance) * (self.camera_height - above),
        )


class Painter:
    """Draws on one picture; sizes and places are in metres unless a name says pixels."""

    def __init__(self, picture: Image, view: View, rng: np.random.Generator) -> None:
        self.picture = picture
        self.view = view
        self.rng = rng

    def vary(self, colour: Colour, spread: int = 18) -> Colour:
        return vary(self.rng, colour, spread)

    def fill(self, points: Sequence[Point], colour: Colour) -> None:
        """A polygon in pixels."""
        corners = np.clip(np.array(points), -_FARTHEST_PIXEL, _FARTHEST_PIXEL).astype(np.int32)
        cv2.fillPoly(self.picture, [corners], colour, cv2.LINE_AA)

    def line(self, start: Point, end: Point, colour: Colour, width: float = 1) -> None:
        """A line in pixels."""
        ends = np.clip(np.array([start, end]), -_FARTHEST_PIXEL, _FARTHEST_PIXEL).astype(np.int32)
        cv2.line(self.picture, ends[0].tolist(), ends[1].tolist(), colour, max(1, round(width)), cv2.LINE_AA)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """A filled circle in pixels."""
        middle = (round(centre[0]), round(centre[1]))
        cv2.circle(self.picture, middle, max(1, round(radius)), colour, -1, cv2.LINE_AA)

    def strip(self, sides: tuple[float, float], reach: tuple[float, float], colour: Colour) -> None:
        """A rectangle lying on the ground between two sides and two distances."""
        (left, right), (near, far) = sides, (max(reach[0], 0.5), reach[1])
        corners = [(left, near), (right, near), (right, far), (left, far)]
        self.fill([self.view.point(*corner) for corner in corners], colour)

    def joints(self, sides: tuple[float, float], reach: tuple[float, float], step: float, colour: Colour) -> None:
        """The lines between square slabs that cover a strip."""
        (left, right), (near, far), point = sides, reach, self.view.point
        for distance in np.arange(max(near, 1.0), far, step):
            self.line(point(left, float(distance)), point(right, float(distance)), colour)
        for side in np.arange(left, right + 0.01, step):
            self.line(point(float(side), max(near, 0.8)), point(float(side), far), colour)

    def board(
        self, centre: float, distance: float, size: tuple[float, float], colour: Colour
    ) -> tuple[float, float, float, float]:
        """A board (width, height) that stands on the ground and faces the camera: left, top, right, bottom pixel."""
        width, height = size
        left, bottom = self.view.point(centre - width / 2, distance)
        right, top = self.view.point(centre + width / 2, distance, height)
        self.fill([(left, top), (right, top), (right, bottom), (left, bottom)], colour)
        return left, top, right, bottom

    def wall(self, side: float, reach: tuple[float, float], height: float, colour: Colour) -> None:
        """A wall that runs away from the camera on one side."""
        near, far = reach
        corners = [(side, near, 0.0), (side, far, 0.0), (side, far, height), (side, near, height)]
        self.fill([self.view.point(*corner) for corner in corners], colour)
