"""Pictures and clips that tests write: ordinary, strange and hostile ones."""

import io
import struct
import zlib
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def scene(height: int = 180, width: int = 320) -> NDArray[np.uint8]:
    """An H×W×3 RGB picture, bright red at the top left, blue at the bottom right."""
    rows, columns = np.mgrid[0:height, 0:width]
    picture = np.stack([110 + 40 * np.sin(columns / 9), 120 + 30 * np.cos(rows / 7), 100 + 0 * rows], axis=-1)
    picture = picture.astype(np.uint8)
    picture[: height // 4, : width // 4] = (230, 20, 20)
    picture[-(height // 4) :, -(width // 4) :] = (20, 20, 230)
    return picture


def jpeg(pixels: NDArray[np.uint8] | None = None, mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(scene() if pixels is None else pixels).convert(mode).save(stream, "JPEG", quality=90, **options)
    return stream.getvalue()


def png(image: Image.Image | None = None, **options: Any) -> bytes:
    stream = io.BytesIO()
    (image or Image.fromarray(scene())).save(stream, "PNG", **options)
    return stream.getvalue()


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises a size, and whose data is next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 10_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose frame header is changed to promise another size."""
    data = bytearray(jpeg())
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def write_clip(
    path: Path,
    *,
    seconds: float = 10.0,
    rate: int = 10,
    key_frame_every: int = 20,
    size: tuple[int, int] = (320, 180),
    codec: str = "libx264",
    rotation: int = 0,
    moments: Iterable[float] | None = None,
) -> Path:
    """A clip whose frames are grey with a level that tells their moment: 20 levels a second, from 20 on."""
    ticks = rate if path.suffix == ".avi" else 1000  # an AVI has a slot for every tick, filled or not
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = key_frame_every
        stream.codec_context.time_base = Fraction(1, ticks)
        if codec == "libx264":
            key_options = {"sc_threshold": "0", "keyint_min": str(key_frame_every)}
            stream.codec_context.options = {"preset": "ultrafast", **key_options}
        if rotation:
            stream.set_display_rotation(rotation)
        for moment in moments if moments is not None else (i / rate for i in range(round(seconds * rate))):
            picture = np.full((size[1], size[0], 3), level_at(moment), np.uint8)
            picture[:20, :20] = (255, 0, 0)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = round(moment * ticks), Fraction(1, ticks)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def level_at(moment: float) -> int:
    return round(20 + moment * 20) % 256


def write_sound(path: Path) -> Path:
    """A clip with sound and no pictures."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44_100), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
