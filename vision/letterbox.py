"""Letterboxing: a picture fitted into the frame a model takes, and boxes carried back to the picture's own pixels.

own pixels 1280×720 ──fit──▶ 640×360 ──pad──▶ 640×384 (stride 32)      dynamic models: no wider than needed
                                               640×640                 static models: the exported shape
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.errors import WrongFrameShape

PADDING_GREY = 114
"""The grey that YOLO models are trained with around a picture (ultralytics `LetterBox`)."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a model takes: its exported shape where that is fixed, else any multiple of the stride."""

    long_side: int = 640
    stride: int = 32
    static: tuple[int, int] | None = None
    """Height and width of a model exported for one shape only."""

    def __post_init__(self) -> None:
        if self.stride < 1 or self.long_side < self.stride:
            raise ValueError(f"a long side of {self.long_side} pixels does not hold one stride of {self.stride}")
        if self.static is not None:
            object.__setattr__(self, "static", (int(self.static[0]), int(self.static[1])))

    @property
    def box(self) -> tuple[int, int]:
        """Width and height that a picture is fitted into: what `read_picture(reduce_to=…)` wants to know."""
        return (self.static[1], self.static[0]) if self.static else (self.long_side, self.long_side)


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture of `own_width`×`own_height` lies in a frame."""

    own_width: int
    own_height: int
    inner_width: int
    inner_height: int
    left: int
    top: int
    frame_width: int
    frame_height: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the frame; pictures of one shape can be stacked."""
        return (self.frame_height, self.frame_width)


def fitted_size(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same proportions inside `box`, at least one pixel each way."""
    scale = min(box[0] / width, box[1] / height)
    return max(1, min(box[0], round(width * scale))), max(1, min(box[1], round(height * scale)))


def plan(width: int, height: int, spec: InputSpec) -> Letterbox:
    """Where a picture of this size goes; depends on nothing else, so that any process computes the same."""
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width}×{height} has no pixels")
    inner_width, inner_height = fitted_size(width, height, spec.box)
    if spec.static:
        frame_height, frame_width = spec.static
    else:
        frame_width = -(-inner_width // spec.stride) * spec.stride
        frame_height = -(-inner_height // spec.stride) * spec.stride
    return Letterbox(
        own_width=width,
        own_height=height,
        inner_width=inner_width,
        inner_height=inner_height,
        left=(frame_width - inner_width) // 2,
        top=(frame_height - inner_height) // 2,
        frame_width=frame_width,
        frame_height=frame_height,
    )


def apply(pixels: NDArray[np.uint8], letterbox: Letterbox, into: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """The frame (H×W×3 uint8 BGR) of a picture, which may have been decoded at a reduced scale.

    `into` is a frame to be filled, such as one row of a stack, and spares a copy.
    """
    frame = np.empty((*letterbox.shape, 3), np.uint8) if into is None else into
    if frame.shape[:2] != letterbox.shape:
        raise WrongFrameShape(letterbox.shape, (frame.shape[0], frame.shape[1]))
    right, bottom = letterbox.left + letterbox.inner_width, letterbox.top + letterbox.inner_height
    frame[: letterbox.top] = PADDING_GREY
    frame[bottom:] = PADDING_GREY
    frame[letterbox.top : bottom, : letterbox.left] = PADDING_GREY
    frame[letterbox.top : bottom, right:] = PADDING_GREY
    inner = frame[letterbox.top : bottom, letterbox.left : right]
    inner[...] = _resized(pixels, letterbox.inner_width, letterbox.inner_height)
    return frame


def own_pixels(boxes: NDArray[np.float32], letterbox: Letterbox) -> NDArray[np.float32]:
    """Rows of x1, y1, x2, y2, … in frame pixels as rows in the picture's own pixels, clipped to the picture.

    What lies in the padding altogether is left out.
    """
    own = boxes.copy()
    own[:, 0:4:2] = (boxes[:, 0:4:2] - letterbox.left) * (letterbox.own_width / letterbox.inner_width)
    own[:, 1:4:2] = (boxes[:, 1:4:2] - letterbox.top) * (letterbox.own_height / letterbox.inner_height)
    np.clip(own[:, 0:4:2], 0, letterbox.own_width, out=own[:, 0:4:2])
    np.clip(own[:, 1:4:2], 0, letterbox.own_height, out=own[:, 1:4:2])
    return own[(own[:, 2] > own[:, 0]) & (own[:, 3] > own[:, 1])]


def frame_pixels(boxes: NDArray[np.float32], letterbox: Letterbox) -> NDArray[np.float32]:
    """The way back of `own_pixels`: rows in the picture's own pixels as rows in frame pixels."""
    framed = boxes.copy()
    framed[:, 0:4:2] = boxes[:, 0:4:2] * (letterbox.inner_width / letterbox.own_width) + letterbox.left
    framed[:, 1:4:2] = boxes[:, 1:4:2] * (letterbox.inner_height / letterbox.own_height) + letterbox.top
    return framed


def _resized(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bilinear, after halving by area while the picture is more than twice too large (bilinear alone would alias)."""
    while True:
        own_height, own_width = pixels.shape[:2]
        if (own_width, own_height) == (width, height):
            return pixels
        if own_width < 2 * width or own_height < 2 * height:
            return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
        if own_width % 2 or own_height % 2:
            return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        halved = cv2.resize(pixels, (own_width // 2, own_height // 2), interpolation=cv2.INTER_AREA)
        pixels = halved.astype(np.uint8, copy=False)
