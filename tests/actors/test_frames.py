"""From a claimed file to letterboxed frames."""

from pathlib import Path

import numpy as np
import pytest

from actors.frames import decode_media
from schemas.media import ClaimedMedia, MediaType
from tests.actors.fakes import START
from tests.vision.pictures import jpeg, scene, write_clip
from vision.errors import UnreadableMedia
from vision.letterbox import InputSpec

SPEC = InputSpec(long_side=160, stride=32)


def claimed(path: Path, media_type: MediaType = MediaType.IMAGE) -> ClaimedMedia:
    """The file as it is now, held by a worker."""
    status = path.stat()
    return ClaimedMedia(
        id=1,
        camera_id="yard",
        path=str(path),
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        media_type=media_type,
        captured_at=START,
        attempts=1,
        lease="worker/1",
    )


def a_picture(folder: Path) -> Path:
    path = folder / "a.jpg"
    path.write_bytes(jpeg(scene(180, 320)))
    return path


def test_a_picture_is_one_frame_in_the_models_shape(tmp_path: Path) -> None:
    media = decode_media(claimed(a_picture(tmp_path)), SPEC)
    assert (media.width, media.height) == (320, 180)
    (frame,) = media.frames
    assert (frame.offset_seconds, frame.pixels.shape, frame.pixels.dtype) == (0.0, (96, 160, 3), np.uint8)


def test_a_clip_is_a_frame_every_four_seconds(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", seconds=10)
    media = decode_media(claimed(path, MediaType.VIDEO), SPEC)
    assert (media.width, media.height) == (320, 180)
    assert [frame.offset_seconds for frame in media.frames] == pytest.approx([0, 4, 8], abs=0.5)
    assert {frame.pixels.shape for frame in media.frames} == {(96, 160, 3)}


@pytest.mark.parametrize("media_type", MediaType)
def test_a_file_that_was_overwritten_since_it_settled_says_so(tmp_path: Path, media_type: MediaType) -> None:
    path = a_picture(tmp_path)
    before = claimed(path, media_type)
    path.write_bytes(jpeg(scene(90, 160)))
    with pytest.raises(UnreadableMedia, match="overwritten before it was looked at"):
        decode_media(before, SPEC)


@pytest.mark.parametrize("media_type", MediaType)
def test_a_file_that_is_gone_says_so(tmp_path: Path, media_type: MediaType) -> None:
    path = a_picture(tmp_path)
    before = claimed(path, media_type)
    path.unlink()
    with pytest.raises(UnreadableMedia, match="no longer there"):
        decode_media(before, SPEC)


def test_a_picture_that_is_cut_off_says_so(tmp_path: Path) -> None:
    path = a_picture(tmp_path)
    path.write_bytes(path.read_bytes()[:-2_000])
    with pytest.raises(UnreadableMedia, match="cut off"):
        decode_media(claimed(path), SPEC)


def test_a_clip_that_is_no_clip_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"not a clip at all" * 100)
    with pytest.raises(UnreadableMedia, match="not a clip"):
        decode_media(claimed(path, MediaType.VIDEO), SPEC)
