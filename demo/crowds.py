"""Pictures of everything at random, for training and for measuring: places, views, light and who is there."""

import numpy as np

from demo.brush import Image
from demo.figures import HEIGHT_METRES, Pose
from demo.light import light_for
from demo.painter import View
from demo.places import Place
from demo.scenes import DrawnObject, Figure, Scene

Edges = tuple[float, float, float, float]

# How often each class is asked for: packages and dogs are the hardest, so they come more often than in life.
_MIX = (("person", 0.36), ("car", 0.2), ("dog", 0.22), ("package", 0.22))


def random_figures(rng: np.random.Generator, view: View, number: int) -> list[Figure]:
    """Up to `number` things at random, well inside the frame, hardly covering one another."""
    figures: list[Figure] = []
    taken: list[Edges] = []
    for _ in range(number * 6):
        if len(figures) == number:
            break
        figure, box = _random_figure(rng, view)
        if box is None or any(_covers(box, other) for other in taken):
            continue
        figures.append(figure)
        taken.append(box)
        if figure.object_type == "person" and rng.random() < 0.12:
            figures.append(_carried(rng, figure))
    return figures


def _random_figure(rng: np.random.Generator, view: View) -> tuple[Figure, Edges | None]:
    kind = str(rng.choice([name for name, _ in _MIX], p=[share for _, share in _MIX]))
    near, far = {"person": (1.0, 4.2), "car": (1.5, 5.0), "dog": (0.95, 2.8), "package": (0.95, 2.1)}[kind]
    share = rng.uniform(near, far) if rng.random() < 0.6 else rng.uniform(near, (near + far) / 2)
    distance = view.nearest * float(share)
    reach = view.width / 2 / view.metre(distance)
    figure = Figure(kind, float(rng.uniform(-reach, reach)), distance, int(rng.integers(2**31)), _random_pose(rng))
    tall = HEIGHT_METRES[kind][1] * view.metre(distance)
    wide = tall * {"person": 0.45, "car": 2.6 if figure.pose.facing else 1.2, "dog": 1.4, "package": 1.4}[kind]
    x, y = view.point(figure.side, distance)
    inside_x = min(x + wide / 2, view.width) - max(x - wide / 2, 0)
    inside_y = min(y, view.height) - max(y - tall, 0)
    if inside_x < 0.85 * wide or inside_y < 0.85 * tall or tall < 0.045 * view.height:
        return figure, None
    return figure, (x - wide / 2, y - tall, x + wide / 2, y)


def _random_pose(rng: np.random.Generator) -> Pose:
    return Pose(float(rng.random()), int(rng.choice([-1, 0, 1])))


def _carried(rng: np.random.Generator, person: Figure) -> Figure:
    """A package held before the body."""
    side, look = person.side + 0.22 * person.pose.facing, int(rng.integers(2**31))
    return Figure("package", side, person.distance - 0.01, look, person.pose, float(rng.uniform(0.75, 1.0)))


def _covers(one: Edges, other: Edges) -> bool:
    """Whether the two overlap by more than a quarter of the smaller."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width > 0 and height > 0 and width * height > 0.25 * smaller


def random_picture(rng: np.random.Generator, width: int, height: int) -> tuple[Image, list[DrawnObject]]:
    """A fresh place, view, light and crowd, H×W×3 uint8 BGR, and everything in it of which two fifths can be seen."""
    scene = Scene(Place(str(rng.choice(list(Place)))), width, height, int(rng.integers(2**31)))
    number = 0 if rng.random() < 0.1 else int(rng.integers(1, 6))
    figures = random_figures(rng, scene.view, number)
    camera, month, day, hour, minute = (int(rng.integers(*span)) for span in ((1, 9), (1, 13), (1, 29), (24,), (60,)))
    caption = f"CAM {camera}  2026-{month:02}-{day:02} {hour:02}:{minute:02}"
    light = light_for(rng, bool(rng.random() < 0.4))
    picture, drawn = scene.draw(rng, figures, light, caption if rng.random() < 0.5 else None)
    return picture, [thing for thing in drawn if thing.visible >= 0.4]
