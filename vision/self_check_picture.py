"""A picture drawn from numbers, the same on every machine: to see that a model answers, and answers the same."""

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1280, 720


def self_check_picture() -> NDArray[np.uint8]:
    """A street at dusk of the plainest kind: sky, ground, a car's and a person's outline; 720×1280×3 BGR."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    picture = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    sky = rows < 300
    picture[..., 0] = np.where(sky, 200 - rows // 4, 90)
    picture[..., 1] = np.where(sky, 170 - rows // 4, 95)
    picture[..., 2] = np.where(sky, 150 - rows // 4, 100)
    picture[..., 1] += ((rows * 7 + columns * 13) % 11).astype(np.uint8)
    picture[430:560, 180:520] = (40, 40, 180)
    picture[370:440, 250:450] = (60, 60, 150)
    for wheel in (250, 450):
        picture[(rows - 560) ** 2 + (columns - wheel) ** 2 < 38**2] = (25, 25, 25)
    picture[330:480, 860:930] = (150, 90, 40)
    picture[480:640, 862:892] = (70, 50, 45)
    picture[480:640, 898:928] = (70, 50, 45)
    picture[(rows - 290) ** 2 + (columns - 895) ** 2 < 36**2] = (140, 170, 215)
    return picture
