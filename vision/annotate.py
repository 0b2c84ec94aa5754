"""Drawing what was found on a picture, and the small JPEGs that lists show."""

import unicodedata
import zlib
from collections.abc import Sequence

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from schemas.detection import BoundingBox, DetectedObject
from vision.letterbox import fitted_size
from vision.reading import Picture

THUMBNAIL_SIDE = 320
LONGEST_LABEL = 40
_WEIGHT = 600
"""Semibold."""

_COLOURS_BGR = (
    (54, 67, 244), (80, 175, 76), (243, 150, 33), (59, 235, 255), (176, 39, 156),
    (0, 152, 255), (212, 188, 0), (99, 30, 233), (57, 220, 205), (181, 81, 63),
)  # fmt: skip
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_label(text: str) -> str:
    """A label fit to be drawn: no control or direction characters, one line, a bounded length."""
    visible = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace() or unicodedata.category(character) not in _INVISIBLE
    )
    words = " ".join(visible.split())
    return words if len(words) <= LONGEST_LABEL else words[: LONGEST_LABEL - 1] + "…"


def draw_boxes(picture: Picture, objects: Sequence[DetectedObject]) -> NDArray[np.uint8]:
    """A copy of the picture with a box and label for each object; boxes are in the picture's own pixels."""
    canvas = picture.pixels.copy()
    height, width = canvas.shape[:2]
    thickness = max(1, round(min(height, width) / 300))
    text_height = max(10, round(min(height, width) / 32))
    for found in objects:
        x1, y1, x2, y2 = _corners(found.bbox, width / picture.width, height / picture.height, width, height)
        colour = _COLOURS_BGR[zlib.crc32(found.object_type.encode("utf-8", "surrogatepass")) % len(_COLOURS_BGR)]
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, thickness)
        label = f"{clean_label(found.object_type)} {found.confidence:.2f}".strip()
        _draw_label(canvas, label, (x1, y1), colour, text_height)
    return canvas


def jpeg_of(pixels: NDArray[np.uint8], quality: int = 85) -> bytes:
    """An H×W×3 BGR picture as JPEG bytes."""
    encoded = simplejpeg.encode_jpeg(np.ascontiguousarray(pixels), quality, "BGR", "420")
    return bytes(encoded)


def thumbnail(picture: Picture, objects: Sequence[DetectedObject] = (), longest_side: int = THUMBNAIL_SIDE) -> bytes:
    """A JPEG of at most `longest_side` pixels, never larger than the picture, with the objects' boxes if given."""
    height, width = picture.pixels.shape[:2]
    box = (min(longest_side, width), min(longest_side, height))
    small = cv2.resize(picture.pixels, fitted_size(width, height, box), interpolation=cv2.INTER_AREA)
    shrunk = Picture(small.astype(np.uint8, copy=False), picture.width, picture.height, picture.format)
    return jpeg_of(draw_boxes(shrunk, objects) if objects else shrunk.pixels, quality=80)


def _corners(bbox: BoundingBox, scale_x: float, scale_y: float, width: int, height: int) -> tuple[int, int, int, int]:
    """In canvas pixels, inside the canvas; a box that is no number or far outside must not upset the drawing."""
    edges = np.nan_to_num(
        [bbox.x * scale_x, bbox.y * scale_y, (bbox.x + bbox.width) * scale_x, (bbox.y + bbox.height) * scale_y]
    )
    x1, y1, x2, y2 = np.clip(edges, 0, [width - 1, height - 1, width - 1, height - 1]).round().astype(int).tolist()
    return x1, y1, x2, y2


def _draw_label(
    canvas: NDArray[np.uint8], label: str, corner: tuple[int, int], colour: tuple[int, int, int], text_height: int
) -> None:
    """White or black on the box's colour, above the box where there is room, inside it where there is not."""
    font = cv2.FontFace("sans")  # carries its own glyphs for most scripts
    _, _, text_width, _ = cv2.getTextSize((0, 0), label, (0, 0), font, text_height, _WEIGHT)
    bar = text_height + text_height // 2
    left = max(0, min(corner[0], canvas.shape[1] - text_width - 4))
    top = corner[1] - bar if corner[1] >= bar else corner[1]
    cv2.rectangle(canvas, (left, top), (left + text_width + 4, top + bar), colour, cv2.FILLED)
    blue, green, red = colour
    ink = (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 140 else (255, 255, 255)
    cv2.putText(canvas, label, (left + 2, top + text_height), ink, font, text_height, _WEIGHT)
