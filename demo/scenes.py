"""Drawn camera pictures with the boxes of everything drawn in them, the same for the same seed."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from demo.brush import Image
from demo.figures import DRAW, HEIGHT_METRES, Pose
from demo.light import Light, apply_light
from demo.painter import View
from demo.places import Place, draw_place, view_of

CLASSES = ("person", "car", "dog", "package")


@dataclass(frozen=True)
class Figure:
    """One thing to draw: `side` and `distance` in metres on the ground, `above` metres over it, `look` seeds its
    appearance, so that the same figure looks the same in the next frame."""

    object_type: str
    side: float
    distance: float
    look: int = 0
    pose: Pose = field(default_factory=Pose)
    above: float = 0.0


@dataclass(frozen=True)
class DrawnObject:
    """Where a figure stands in the picture, in pixels from the top left, and what part of it lies in the frame and is
    not covered by nearer figures (0..1)."""

    object_type: str
    x: float
    y: float
    width: float
    height: float
    visible: float


class Scene:
    """A camera that looks at one place: the same seed gives the same view and surroundings."""

    def __init__(self, place: Place, width: int = 1280, height: int = 720, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.place = place
        self.view: View = view_of(place, width, height, rng)
        self._surroundings = draw_place(place, self.view, rng)

    def shrunk(self, width: int, height: int) -> "Scene":
        """The same camera's smaller stream of the same proportions: nothing in it stands elsewhere."""
        small = copy.copy(self)
        small.view = replace(self.view, width=width, height=height)
        small._surroundings = cv2.resize(self._surroundings, (width, height), interpolation=cv2.INTER_AREA)
        return small

    def draw(
        self, rng: np.random.Generator, figures: Sequence[Figure], light: Light, caption: str | None = None
    ) -> tuple[Image, list[DrawnObject]]:
        """The picture (H×W×3 uint8 BGR) and what is in it, far things first; figures outside the frame are left out."""
        picture = self._surroundings.copy()
        owner = np.zeros(picture.shape[:2], np.uint8)
        drawn: list[DrawnObject] = []
        outlines: list[int] = []
        for figure in sorted(figures, key=lambda one: -one.distance):
            painted = self._paint(picture, owner, figure, len(drawn) + 1)
            if painted is not None:
                drawn.append(painted[0])
                outlines.append(painted[1])
        lit = apply_light(picture, light, rng)
        if caption:
            _write_caption(lit, caption)
        shown = np.bincount(owner.ravel(), minlength=len(drawn) + 1)[1:]
        return lit, [
            replace(thing, visible=float(pixels) / max(1, outline))
            for thing, pixels, outline in zip(drawn, shown, outlines, strict=True)
        ]

    def _paint(self, picture: Image, owner: Image, figure: Figure, number: int) -> tuple[DrawnObject, int] | None:
        """The figure as far as it lies in the frame, and how many pixels its whole outline has."""
        look = np.random.default_rng(figure.look)
        tall = look.uniform(*HEIGHT_METRES[figure.object_type]) * self.view.metre(figure.distance)
        colours, opacity = DRAW[figure.object_type](tall, look, figure.pose)
        height, width = opacity.shape
        centre, foot = self.view.point(figure.side, figure.distance, figure.above)
        left, top = round(centre - width / 2), round(foot - height)
        columns, rows = _overlap(left, width, self.view.width), _overlap(top, height, self.view.height)
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return None
        if not figure.above:
            _cast_shadow(picture, (round(centre), round(foot)), width)
        part = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
        patch, alpha = picture[rows, columns], opacity[part][..., None]
        patch[:] = (patch * (1 - alpha) + colours[part] * alpha + 0.5).astype(np.uint8)
        owner[rows, columns][opacity[part] > 0.4] = number
        left, top, width, height = columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start
        thing = DrawnObject(figure.object_type, float(left), float(top), float(width), float(height), 1.0)
        return thing, int(np.count_nonzero(opacity > 0.4))


def _overlap(start: int, length: int, limit: int) -> slice:
    return slice(max(0, start), min(limit, start + length))


def _cast_shadow(picture: Image, foot: tuple[int, int], width: int) -> None:
    half, thin = max(2, round(width * 0.55)), max(2, round(width * 0.13))
    columns = _overlap(foot[0] - half, 2 * half, picture.shape[1])
    rows = _overlap(foot[1] - thin, 2 * thin, picture.shape[0])
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return
    x = (np.arange(columns.start, columns.stop, dtype=np.float32) - foot[0]) / half
    y = (np.arange(rows.start, rows.stop, dtype=np.float32) - foot[1]) / thin
    depth = 0.55 * np.clip(1 - x[None, :] ** 2 - y[:, None] ** 2, 0, 1)
    patch = picture[rows, columns]
    patch[:] = (patch * (1 - depth[..., None])).astype(np.uint8)


def _write_caption(picture: Image, caption: str) -> None:
    size = picture.shape[0] / 900
    start, font = (round(12 * size), round(30 * size)), cv2.FONT_HERSHEY_SIMPLEX
    cv2.putText(picture, caption, start, font, size, (20, 20, 20), max(2, round(4 * size)), cv2.LINE_AA)
    cv2.putText(picture, caption, start, font, size, (245, 245, 245), max(1, round(1.6 * size)), cv2.LINE_AA)
