import io

import av
import numpy as np
import pytest

from demo.clips import encode_clip
from demo.light import Light
from demo.scenes import Scene
from demo.stories import passing_car


@pytest.fixture(scope="module")
def clip() -> bytes:
    story = passing_car(np.random.default_rng(1), 3.0)
    return encode_clip(story, Scene(story.place, 1280, 720, 1), Light(), np.random.default_rng(2), "DRIVEWAY")


def test_a_clip_lasts_as_long_as_its_story(clip: bytes) -> None:
    with av.open(io.BytesIO(clip), "r") as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        duration = container.duration
    assert len(frames) == 30
    assert frames[0].shape == (360, 640, 3)
    assert duration == pytest.approx(6_000_000, rel=0.05)


def test_a_clip_moves(clip: bytes) -> None:
    with av.open(io.BytesIO(clip), "r") as container:
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    assert np.abs(frames[8] - frames[20]).max() > 60


def test_a_clip_is_large_enough_to_be_taken(clip: bytes) -> None:
    assert len(clip) > 1024
