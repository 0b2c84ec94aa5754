"""The three places the demo cameras look at, drawn in perspective without anybody in them."""

from enum import StrEnum

import cv2
import numpy as np

from demo.brush import Image
from demo.painter import Painter, View
from demo.palette import Colour
from demo.surroundings import across_the_street, clutter, fence, foliage, lawn, sky, street, texture, tree


class Place(StrEnum):
    FRONT_DOOR = "front_door"
    DRIVEWAY = "driveway"
    BACKYARD = "backyard"


def view_of(place: Place, width: int, height: int, rng: np.random.Generator) -> View:
    """How a camera hangs there: no two quite alike."""
    horizon, camera_height = {
        Place.FRONT_DOOR: (0.34, 1.9),
        Place.DRIVEWAY: (0.24, 2.7),
        Place.BACKYARD: (0.26, 2.4),
    }[place]
    tilt, step, zoom = rng.uniform(-0.05, 0.05), rng.uniform(-0.3, 0.3), rng.uniform(0.8, 1.2)
    return View(width, height, horizon + tilt, camera_height + step, zoom)


def draw_place(place: Place, view: View, rng: np.random.Generator) -> Image:
    """The empty place as H×W×3 uint8 BGR, in plain daylight."""
    on = Painter(np.empty((view.height, view.width, 3), np.uint8), view, rng)
    sky(on)
    {Place.FRONT_DOOR: _front_door, Place.DRIVEWAY: _driveway, Place.BACKYARD: _backyard}[place](on)
    _roughen(on)
    return on.picture


def _one_of(on: Painter, colours: list[Colour]) -> Colour:
    blue, green, red = on.rng.choice(colours).tolist()
    return blue, green, red


def _front_door(on: Painter) -> None:
    rng = on.rng
    across_the_street(on, 22)
    lawn(on, 22)
    street(on, 15, 21)
    path, half = on.vary((150, 160, 168), 25), rng.uniform(0.7, 1.1)
    on.strip((-half, half), (0.5, 13.5), path)
    on.joints((-half, half), (0.8, 13.5), rng.uniform(0.4, 0.7), on.vary((120, 128, 135)))
    porch = on.vary(_one_of(on, [(120, 135, 150), (85, 110, 140), (140, 140, 145)]), 20)
    edge = rng.uniform(3.6, 4.8)
    on.strip((-8, 8), (0.5, edge), porch)
    on.joints((-8, 8), (1.0, edge), rng.uniform(0.3, 0.6), on.vary((85, 95, 105)))
    clutter(on, int(rng.integers(3, 8)), 11)
    for side in (-1, 1):
        if rng.random() < 0.75:
            on.board(side * rng.uniform(2.2, 3.0), edge, (0.2, 4.0), on.vary((205, 208, 212), 35))


def _driveway(on: Painter) -> None:
    rng, point = on.rng, on.view.point
    across_the_street(on, 25)
    lawn(on, 25)
    street(on, 17, 24)
    drive = on.vary(_one_of(on, [(105, 105, 108), (150, 152, 155), (95, 110, 135)]), 18)
    left, right = rng.uniform(-4.2, -3.2), rng.uniform(2.6, 3.8)
    on.strip((left, right), (0.5, 16), drive)
    on.joints((left, right), (1.0, 16), rng.uniform(1.6, 3.2), on.vary((85, 88, 90)))
    garage, tall = left - rng.uniform(0.5, 1.0), 3.6
    brick = on.vary((95, 110, 165), 40)
    on.wall(garage, (1.2, 12), tall, brick)
    mortar = on.vary(brick, 20)
    for course in np.arange(0.2, tall, 0.2):
        on.line(point(garage, 1.2, float(course)), point(garage, 12, float(course)), mortar)
    on.wall(garage, (5, 8.5), 2.3, on.vary((190, 190, 190), 40))
    for side in np.arange(right + 0.8, right + 3, 0.8):
        distance = float(rng.uniform(6, 12))
        foliage(on, point(float(side), distance, 0.5), 0.6 * on.view.metre(distance), on.vary((45, 95, 60), 20))
    clutter(on, int(rng.integers(2, 7)), 12)


def _backyard(on: Painter) -> None:
    rng, end = on.rng, on.rng.uniform(11, 15)
    for _ in range(6):
        tree(on, rng.uniform(-14, 14), end + rng.uniform(2, 8), rng.uniform(4, 8))
    lawn(on, end)
    fence(on, end, rng.uniform(1.6, 2.1), 13)
    patio = rng.uniform(3.8, 5.2)
    on.strip((-9, 9), (0.5, patio), on.vary((140, 150, 158), 30))
    on.joints((-9, 9), (1.0, patio), rng.uniform(0.4, 0.8), on.vary((110, 118, 125)))
    shed = float(rng.choice([-1, 1]) * rng.uniform(5, 7))
    _shed(on, shed, end - 1.5)
    tree(on, -shed * rng.uniform(0.5, 1.0), rng.uniform(8, 11), rng.uniform(3.5, 5))
    clutter(on, int(rng.integers(3, 9)), end - 1)


def _shed(on: Painter, side: float, distance: float) -> None:
    left, top, right, bottom = on.board(side, distance, (2.6, 2.1), on.vary((85, 110, 125), 35))
    gable = top - (bottom - top) * 0.35
    on.fill([(left - 6, top), (right + 6, top), ((left + right) / 2, gable)], on.vary((70, 75, 95), 25))
    third = (right - left) / 3
    door = [(left + third, bottom), (right - third, bottom), (right - third, top + third), (left + third, top + third)]
    on.fill(door, on.vary((65, 80, 95), 20))


def _roughen(on: Painter) -> None:
    """Grain and broad patches of light over everything below the sky, so that no surface is flat."""
    height, width = on.picture.shape[:2]
    fine = on.rng.standard_normal((height // 2 + 1, width // 2 + 1), dtype=np.float32) * np.float32(0.05)
    rough = texture(on.rng, height, width, [(max(2, height // 120), 0.04), (max(2, height // 8), 0.07)])
    rough += cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR)
    rows = np.arange(height, dtype=np.float32)[:, None] / height
    rough *= np.clip(1 + (rows - on.view.horizon) * 6, 0.2, 1)
    cv2.multiply(on.picture, cv2.merge([1 + rough] * 3), on.picture, dtype=cv2.CV_8U)
