"""From a claimed file to the frames that the detector looks at: read, decoded, letterboxed; runs in a thread."""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.intake import modified_ns
from schemas.media import ClaimedMedia, MediaType
from vision.errors import UnreadableMedia
from vision.letterbox import InputSpec, Letterbox, apply, plan
from vision.reading import MOST_BYTES, open_regular_file, read_picture
from vision.video import MOST_CLIP_BYTES, sample_frames


@dataclass(frozen=True)
class LetterboxedFrame:
    """One frame as the model takes it."""

    offset_seconds: float
    """Where in the clip; 0 for a picture."""
    pixels: npt.NDArray[np.uint8]
    """H×W×3 uint8 BGR, letterboxed."""


@dataclass(frozen=True)
class DecodedMedia:
    """A file's own size in pixels, and the frames of it that are looked at."""

    width: int
    height: int
    frames: tuple[LetterboxedFrame, ...]
    view: npt.NDArray[np.uint8]
    """H×W×3 uint8 BGR: the first frame, small and without its padding."""


def decode_media(file: ClaimedMedia, spec: InputSpec) -> DecodedMedia:
    """Raises UnreadableMedia with a reason for the user, or OSError when the file cannot be read."""
    with open_regular_file(file.path, MOST_CLIP_BYTES) as opened:
        _check_unchanged(file, os.fstat(opened.fileno()))
        data = b"" if file.media_type is MediaType.VIDEO else opened.read(MOST_BYTES)
    if file.media_type is MediaType.VIDEO:
        return _decode_clip(file.path, spec)
    picture = read_picture(data, reduce_to=spec.box)
    letterbox = plan(picture.width, picture.height, spec)
    frame = LetterboxedFrame(0.0, apply(picture.pixels, letterbox))
    return DecodedMedia(picture.width, picture.height, (frame,), _without_padding(frame, letterbox))


def _decode_clip(path: str, spec: InputSpec) -> DecodedMedia:
    frames: list[LetterboxedFrame] = []
    size = (0, 0)
    for offset, picture in sample_frames(path, fit=spec.box):
        if size not in ((0, 0), (picture.width, picture.height)):
            continue  # the clip changes its size on the way: boxes are told in the first frame's pixels
        size = (picture.width, picture.height)
        frames.append(LetterboxedFrame(offset, apply(picture.pixels, plan(*size, spec))))
    return DecodedMedia(*size, tuple(frames), _without_padding(frames[0], plan(*size, spec)))


def _without_padding(frame: LetterboxedFrame, letterbox: Letterbox) -> npt.NDArray[np.uint8]:
    """A part of the frame's own memory."""
    rows = slice(letterbox.top, letterbox.top + letterbox.inner_height)
    return frame.pixels[rows, letterbox.left : letterbox.left + letterbox.inner_width]


def _check_unchanged(file: ClaimedMedia, status: os.stat_result) -> None:
    if (status.st_size, modified_ns(status)) != (file.size_bytes, file.modified_ns):
        raise UnreadableMedia("the file was overwritten before it was looked at; what it holds now has its own row")
