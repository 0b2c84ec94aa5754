import io

import av
import numpy as np
import pytest

from demo.clips import clip_scene, encode_clip
from demo.light import Light
from demo.places import Place
from demo.stories import dog_crossing, passing_car


@pytest.fixture(scope="module")
def clip() -> bytes:
    story = passing_car(np.random.default_rng(1))
    return encode_clip(story, clip_scene(story.place, 1), Light(), np.random.default_rng(2), "DRIVEWAY")


def test_a_clip_lasts_as_long_as_its_story(clip: bytes) -> None:
    with av.open(io.BytesIO(clip)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
        duration = container.duration
    assert len(frames) == 30
    assert frames[0].shape == (360, 640, 3)
    assert duration == pytest.approx(6_000_000, rel=0.05)


def test_a_clip_moves(clip: bytes) -> None:
    with av.open(io.BytesIO(clip)) as container:
        frames = [frame.to_ndarray(format="gray").astype(int) for frame in container.decode(video=0)]
    assert np.abs(frames[8] - frames[20]).max() > 60


def test_a_clip_is_large_enough_to_be_taken(clip: bytes) -> None:
    assert len(clip) > 1024


def test_a_clip_shows_its_own_place() -> None:
    assert clip_scene(Place.BACKYARD, 1).place is dog_crossing(np.random.default_rng(1)).place
