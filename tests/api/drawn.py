"""Pictures and clips on disk, drawn here."""

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray


def scene(width: int = 640, height: int = 360, grey: int = 90) -> NDArray[np.uint8]:
    pixels = np.full((height, width, 3), grey, np.uint8)
    cv2.rectangle(pixels, (100, 100), (200, 300), (40, 60, 200), -1)
    return pixels


def write_picture(path: Path, width: int = 640, height: int = 360) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    _, encoded = cv2.imencode(path.suffix, scene(width, height))
    path.write_bytes(encoded.tobytes())
    return path


def write_clip(path: Path, seconds: int = 6) -> Path:
    """Five frames a second; each second is brighter than the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(seconds * 5):
            pixels = np.full((240, 320, 3), 20 + 30 * (number // 5), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "bgr24")))
        container.mux(stream.encode(None))
    return path


def decoded(content: bytes) -> NDArray[np.uint8]:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels.astype(np.uint8)
