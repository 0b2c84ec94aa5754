"""Reading frames out of clips that anybody may have written: whatever of them can be decoded, within limits.

One pass over the packets, which decodes nothing, finds the clip's length and key frames; then only what is needed is
decoded. The file is opened here and handed to FFmpeg as a stream, with the container formats named, so that a playlist
called .mp4 makes it open no other file.
"""

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from domain.frame_sampling import MOST_FRAMES, NEAR_ENOUGH, SECONDS_BETWEEN, FrameWish, plan_reading, sample_times
from vision.errors import UnreadableClip, UnreadablePicture
from vision.letterbox import fitted_size
from vision.orientation import SWAPS_SIDES, orientation_of_rotation, upright
from vision.reading import Picture, open_regular_file

MOST_PIXELS_A_FRAME = 8192 * 4608
MOST_CLIP_BYTES = 8 * 1024**3
MOST_PACKETS = 2_000_000
"""About 18 hours at 30 frames a second; what lies behind is not looked at."""
MOST_DECODED_FRAMES = 6_000
"""So that a clip made of one key frame and hours of differences ends; 4 minutes at 25 frames a second."""
MOST_DAMAGED_PACKETS = 200

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts"
_CLOCK_TOLERANCE = 1e-3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Packets:
    """What the packets say without being decoded; seconds count from the first frame."""

    start: float
    duration: float | None
    key_frames: tuple[float, ...]


def sample_frames(
    path: str | Path,
    seconds_between: float = SECONDS_BETWEEN,
    most: int = MOST_FRAMES,
    *,
    fit: tuple[int, int] | None = None,
) -> Iterator[tuple[float, Picture]]:
    """Frames one at a time, each with its offset in seconds: the first, then one per `seconds_between`, `most` at most.

    `fit` is the width and height that frames will be fitted into: they are then scaled down while they are converted.
    Raises UnreadableClip where not one frame can be decoded; a clip that is damaged half-way gives what comes before.
    """
    with _opened(path) as (container, stream):
        packets = _look_through(container, stream)
        times = sample_times(packets.duration, seconds_between, most)
        wishes = plan_reading(times, packets.key_frames, seconds_between * NEAR_ENOUGH)
        yield from _granted(container, stream, packets.start, wishes, fit)


def frame_at(path: str | Path, offset_seconds: float, *, fit: tuple[int, int] | None = None) -> Picture:
    """The first frame at or after an offset that `sample_frames` gave, else the clip's last before it."""
    with _opened(path) as (container, stream):
        packets = _look_through(container, stream)
        earlier = [key for key in packets.key_frames if key <= offset_seconds + _CLOCK_TOLERANCE]
        wish = FrameWish(offset_seconds, earlier[-1] if earlier else None)
        try:
            return next(_granted(container, stream, packets.start, (wish,), fit))[1]
        except StopIteration:
            raise UnreadableClip(f"the clip has no frame {offset_seconds:g} s from its start") from None


@contextmanager
def _opened(path: str | Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    try:
        file: IO[bytes] = open_regular_file(path, MOST_CLIP_BYTES)
    except UnreadablePicture as error:
        raise UnreadableClip(error.reason) from None
    with file:
        if not file.peek(1):  # type: ignore[attr-defined]
            raise UnreadableClip("the file is empty (0 bytes)")
        try:
            container = av.open(file, "r", container_options={"format_whitelist": _FORMATS}, metadata_errors="replace")
        except (FFmpegError, ValueError) as error:
            raise UnreadableClip(f"not a clip that can be opened ({_words(error)})") from None
        with container:
            yield container, _video_stream(container)


def _video_stream(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        kinds = sorted({stream.type for stream in container.streams})
        raise UnreadableClip(f"the clip has no pictures, only {' and '.join(kinds)}" if kinds else "the clip is empty")
    stream = container.streams.video[0]
    codec = stream.codec_context
    if codec is None:
        raise UnreadableClip("the clip's pictures are coded in a way that is not known here")
    if codec.width * codec.height > MOST_PIXELS_A_FRAME:
        raise UnreadableClip(f"the clip claims frames of {codec.width}×{codec.height} pixels, more than the limit")
    codec.options = {"max_pixels": str(MOST_PIXELS_A_FRAME)}
    codec.thread_count = 1
    return stream


def _look_through(container: InputContainer, stream: VideoStream) -> _Packets:
    moments: list[float] = []
    keys: list[float] = []
    length_of_last = 0.0
    try:
        for packet in itertools.islice(container.demux(stream), MOST_PACKETS):
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None or packet.size == 0 or packet.time_base is None:
                continue
            moments.append(float(stamp * packet.time_base))
            length_of_last = float((packet.duration or 0) * packet.time_base)
            if packet.is_keyframe:
                keys.append(moments[-1])
    except FFmpegError as error:
        _log.info("a clip is cut off after %d packets: %s", len(moments), _words(error))
    if not moments:
        return _Packets(0.0, None, ())
    start = min(moments)
    length = max(moments) - start + length_of_last
    return _Packets(start, length, tuple(sorted(key - start for key in keys)))


def _granted(
    container: InputContainer,
    stream: VideoStream,
    start: float,
    wishes: tuple[FrameWish, ...],
    fit: tuple[int, int] | None,
) -> Iterator[tuple[float, Picture]]:
    """One frame for each wish that the clip can grant."""
    frames = _Frames(container, stream, start)
    frames.jump_to(0.0)
    taken = -1.0
    for wish in wishes:
        if wish.at_seconds <= taken:
            continue  # frames are far apart here, and the one after this moment has been taken
        if wish.seek_to_seconds is not None:
            frames.jump_to(wish.seek_to_seconds)
        for offset, frame in frames:
            if offset >= wish.at_seconds - _CLOCK_TOLERANCE and offset > taken:
                taken = offset
                yield offset, _picture(frame, stream, fit)
                break
    if taken < 0 and wishes and wishes[0].at_seconds <= 0:
        raise UnreadableClip(f"not one frame of the clip can be decoded{frames.complaint}")


class _Frames:
    """Decoded frames with their offsets, from wherever it last jumped to; damaged packets are stepped over."""

    def __init__(self, container: InputContainer, stream: VideoStream, start: float) -> None:
        self._container = container
        self._stream = stream
        self._start = start
        self._left = MOST_DECODED_FRAMES
        self._damaged = 0
        self._frames: Iterator[tuple[float, VideoFrame]] = iter(())
        self.complaint = ""

    def jump_to(self, seconds: float) -> None:
        time_base = self._stream.time_base
        try:
            if time_base:
                target = round((seconds + self._start) / time_base)
                self._container.seek(target, stream=self._stream, backward=True)
        except FFmpegError as error:
            self.complaint = f" ({_words(error)})"
            return  # go on from where the reader is
        self._frames = self._decode()

    def __iter__(self) -> Iterator[tuple[float, VideoFrame]]:
        return self._frames

    def _decode(self) -> Iterator[tuple[float, VideoFrame]]:
        packets = self._container.demux(self._stream)
        offset = 0.0
        while self._left > 0 and self._damaged <= MOST_DAMAGED_PACKETS:
            try:
                packet = next(packets)
                frames = packet.decode()
            except StopIteration:
                return
            except FFmpegError as error:
                self._damaged += 1
                self.complaint = f" ({_words(error)})"
                continue
            for frame in frames:
                self._left -= 1
                if frame.is_corrupt:
                    self.complaint = " (its frames are damaged)"
                    continue
                offset = frame.time - self._start if frame.time is not None else offset + self._frame_seconds
                yield max(0.0, offset), frame

    @property
    def _frame_seconds(self) -> float:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(1 / rate) if rate else 0.04


def _picture(frame: VideoFrame, stream: VideoStream, fit: tuple[int, int] | None) -> Picture:
    orientation = orientation_of_rotation(frame.rotation)
    swapped = orientation in SWAPS_SIDES
    width, height = frame.width, frame.height
    if fit is not None:
        inner = fitted_size(width, height, (fit[1], fit[0]) if swapped else fit)
        width, height = min(width, inner[0]), min(height, inner[1])
    pixels = frame.to_ndarray(format="bgr24", width=width, height=height, interpolation=Interpolation.AREA)
    return Picture(
        pixels=upright(np.ascontiguousarray(pixels, dtype=np.uint8), orientation),
        width=frame.height if swapped else frame.width,
        height=frame.width if swapped else frame.height,
        format=stream.codec_context.name,
    )


def _words(error: Exception) -> str:
    """FFmpeg's complaint without the file's name."""
    return (getattr(error, "strerror", None) or " ".join(str(error).split()))[:200]
