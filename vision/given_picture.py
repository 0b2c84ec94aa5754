"""A picture as whoever has one gives it: an array, an encoded file's bytes, or a path."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.reading import Picture, read_picture

GivenPicture = NDArray[np.uint8] | bytes | str | Path
"""An H×W×3 uint8 BGR array (or grey, or with alpha), the bytes of a JPEG or PNG, or a path."""


def as_picture(image: GivenPicture, reduce_to: tuple[int, int]) -> Picture:
    """Raises UnreadablePicture, and ValueError for an array that is no picture."""
    if not isinstance(image, np.ndarray):
        return read_picture(image, reduce_to=reduce_to)
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(f"an array of {image.shape} {image.dtype} is no picture; give H×W×3 uint8 in BGR")
    if image.ndim == 2 or image.shape[2] == 1:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    if image.shape[2] not in (3, 4):
        raise ValueError(f"a picture has 3 channels (BGR), this array {image.shape[2]}")
    return Picture(np.ascontiguousarray(image[..., :3]), image.shape[1], image.shape[0], "array")
