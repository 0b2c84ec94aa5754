"""A story as a short clip (.mp4) in memory."""

import io
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.video.stream import VideoStream

from demo.light import Light
from demo.scenes import Scene
from demo.stories import Story

_FRAMES_PER_SECOND = 5
_SIZE = (640, 360)


def encode_clip(story: Story, scene: Scene, light: Light, rng: np.random.Generator, caption: str) -> bytes:
    """The whole story in the camera's smaller stream, H.264 where this PyAV has an encoder for it, else MPEG-4."""
    scene = scene.shrunk(*_SIZE)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = cast(VideoStream, container.add_stream(_encoder(), rate=_FRAMES_PER_SECOND))
        stream.width, stream.height, stream.pix_fmt = *_SIZE, "yuv420p"
        stream.time_base = Fraction(1, _FRAMES_PER_SECOND)
        if stream.codec_context.name == "libx264":
            # Sensor noise makes the encoder's own choice of effort take longer than the drawing.
            stream.options = {"preset": "veryfast"}
        # Both encoders spread over every core by default; a demo leaves them to the detector.
        stream.codec_context.thread_count = 1
        for moment in story.moments(max(1, round(story.seconds * _FRAMES_PER_SECOND))):
            picture, _ = scene.draw(rng, story.figures_at(moment), light, caption)
            frame = av.VideoFrame.from_ndarray(np.asarray(picture, np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


def _encoder() -> str:
    return "libx264" if "libx264" in av.codecs_available else "mpeg4"
