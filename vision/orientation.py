"""Turning stored pixels the way a person sees them."""

import cv2
import numpy as np
from numpy.typing import NDArray

SWAPS_SIDES = frozenset({5, 6, 7, 8})
"""The EXIF orientations that exchange width and height."""


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Apply an EXIF orientation (1 to 8, CIPA DC-008): 2, 4, 5 and 7 are mirrored, 3, 6 and 8 turned."""
    if orientation == 2:
        turned = cv2.flip(pixels, 1)
    elif orientation == 3:
        turned = cv2.rotate(pixels, cv2.ROTATE_180)
    elif orientation == 4:
        turned = cv2.flip(pixels, 0)
    elif orientation == 5:
        turned = cv2.transpose(pixels)
    elif orientation == 6:
        turned = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
    elif orientation == 7:
        turned = cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180)
    elif orientation == 8:
        turned = cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
    else:
        return pixels
    return np.ascontiguousarray(turned, dtype=np.uint8)


def orientation_of_rotation(degrees_counterclockwise: float) -> int:
    """The EXIF orientation of a clip's display matrix, to the nearest quarter turn."""
    return {0: 1, 1: 8, 2: 3, 3: 6}[round(degrees_counterclockwise / 90) % 4]
