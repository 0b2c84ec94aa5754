"""Sampling clips: whole ones, long ones, odd ones, broken ones and ones that are none."""

import contextlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vision.video
from tests.vision.pictures import level_at, write_clip, write_sound
from vision.errors import UnreadableClip
from vision.reading import Picture
from vision.video import frame_at, sample_frames

SUFFIXES = [("mp4", "libx264"), ("mov", "libx264"), ("mkv", "libx264"), ("avi", "mpeg4"), ("avi", "mjpeg")]


def moments(path: Path, **options: Any) -> list[float]:
    return [round(offset, 2) for offset, _ in sample_frames(path, **options)]


def level(picture: Picture) -> float:
    return float(picture.pixels[40:, 40:].mean())


def reason_of(path: Path) -> str:
    with pytest.raises(UnreadableClip) as caught:
        list(sample_frames(path))
    return caught.value.reason


@pytest.mark.parametrize(("suffix", "codec"), SUFFIXES)
def test_one_frame_per_four_seconds_is_taken(tmp_path: Path, suffix: str, codec: str) -> None:
    clip = write_clip(tmp_path / f"clip.{suffix}", codec=codec)
    frames = list(sample_frames(clip))
    assert [offset for offset, _ in frames] == pytest.approx([0, 4, 8], abs=0.51)
    for offset, picture in frames:
        assert picture.pixels.shape == (180, 320, 3)
        assert picture.pixels.dtype == np.uint8
        assert level(picture) == pytest.approx(level_at(offset), abs=4)


def test_frames_are_bgr(tmp_path: Path) -> None:
    _, picture = next(sample_frames(write_clip(tmp_path / "clip.mp4", seconds=1)))
    blue, _, red = picture.pixels[8, 8].tolist()
    assert red > 150 > blue


@pytest.mark.parametrize("key_frame_every", [1, 7, 30, 1000])
def test_the_right_moments_are_found_wherever_the_key_frames_are(tmp_path: Path, key_frame_every: int) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=11, key_frame_every=key_frame_every)
    for wished, (offset, picture) in zip((0, 4, 8), sample_frames(clip), strict=True):
        assert offset == pytest.approx(wished, abs=0.51)
        assert level(picture) == pytest.approx(level_at(offset), abs=4)


def test_a_long_clip_is_spread_over_twenty_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=200, rate=5, key_frame_every=10)
    found = moments(clip)
    assert len(found) == 20
    assert found == pytest.approx([10 * i for i in range(20)], abs=0.6)


def test_spacing_and_number_can_be_chosen(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    assert moments(clip, seconds_between=2.0, most=3) == pytest.approx([0, 3.33, 6.67], abs=0.3)


def test_a_clip_of_one_frame_gives_it(tmp_path: Path) -> None:
    assert moments(write_clip(tmp_path / "clip.mp4", moments=[0.0])) == [0.0]


def test_a_variable_frame_rate_gives_each_frame_once(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", moments=[0.0, 0.1, 0.2, 6.0, 6.1, 14.0, 14.05, 14.1])
    assert moments(clip) == [0.0, 6.0, 14.0]


def test_a_clip_that_does_not_start_at_zero_counts_from_its_first_frame(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", moments=[30 + i / 10 for i in range(60)])
    assert moments(clip) == pytest.approx([0.0, 4.0], abs=0.1)


@pytest.mark.parametrize(("rotation", "corner"), [(90, (-8, 8)), (-90, (8, -8)), (180, (-8, -8))])
def test_a_rotated_clip_is_turned_upright(tmp_path: Path, rotation: int, corner: tuple[int, int]) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=1, rotation=rotation)
    _, picture = next(sample_frames(clip))
    portrait = abs(rotation) == 90
    assert (picture.width, picture.height) == ((180, 320) if portrait else (320, 180))
    assert picture.pixels.shape[:2] == (picture.height, picture.width)
    assert picture.pixels[corner][2] > 150


def test_frames_are_scaled_down_to_what_is_needed(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", seconds=1, rotation=90)
    _, picture = next(sample_frames(clip, fit=(160, 160)))
    assert picture.pixels.shape == (160, 90, 3)
    assert (picture.width, picture.height) == (180, 320)


def test_small_frames_are_not_enlarged(tmp_path: Path) -> None:
    _, picture = next(sample_frames(write_clip(tmp_path / "clip.mp4", seconds=1), fit=(640, 640)))
    assert picture.pixels.shape == (180, 320, 3)


def test_a_stored_offset_finds_its_frame_again(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", key_frame_every=30)
    for offset, picture in sample_frames(clip):
        assert np.array_equal(frame_at(clip, offset).pixels, picture.pixels)


def test_an_offset_behind_the_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableClip, match="no frame 50 s"):
        frame_at(write_clip(tmp_path / "clip.mp4", seconds=1), 50.0)


def test_a_truncated_clip_whose_index_is_lost_is_refused(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    assert "not a clip that can be opened" in reason_of(clip)


@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "libx264"), ("avi", "mpeg4"), ("avi", "mjpeg")])
def test_of_a_truncated_clip_without_an_index_the_rest_is_read(tmp_path: Path, suffix: str, codec: str) -> None:
    clip = write_clip(tmp_path / f"clip.{suffix}", codec=codec)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    found = moments(clip)
    assert found[0] == 0.0
    assert len(found) == 2


def test_a_clip_with_a_damaged_middle_gives_what_can_be_decoded(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mkv", key_frame_every=10)
    data = bytearray(clip.read_bytes())
    third = len(data) // 3
    data[third : 2 * third] = np.random.default_rng(3).integers(0, 256, third, np.uint8).tobytes()
    clip.write_bytes(bytes(data))
    assert moments(clip)[0] == 0.0


@pytest.mark.parametrize("seed", range(8))
def test_noise_sprinkled_over_a_clip_does_no_worse_than_a_reason(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    clip = write_clip(tmp_path / "clip.mp4", seconds=3)
    data = np.frombuffer(clip.read_bytes(), np.uint8).copy()
    places = random.integers(0, len(data), len(data) // 50)
    data[places] = random.integers(0, 256, len(places))
    clip.write_bytes(data.tobytes())
    with contextlib.suppress(UnreadableClip):
        assert list(sample_frames(clip))


def test_a_clip_of_sound_alone_is_refused(tmp_path: Path) -> None:
    assert reason_of(write_sound(tmp_path / "clip.mp4")) == "the clip has no pictures, only audio"


def test_an_empty_file_is_named_so(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    assert "empty" in reason_of(tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    "content", [b"no clip at all\n" * 200, b"\0" * 5000, b"\x00\x00\x00\x18ftypisom" + b"\0" * 3000]
)
def test_what_is_no_clip_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)
    assert reason_of(tmp_path / "clip.mp4")


def test_a_missing_clip_is_named_so(tmp_path: Path) -> None:
    assert "no longer there" in reason_of(tmp_path / "gone.mp4")


def test_a_folder_is_no_clip(tmp_path: Path) -> None:
    assert "not a regular file" in reason_of(tmp_path)


@pytest.mark.parametrize(
    "script",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{other}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{other}'\n",
    ],
    ids=["playlist", "concat"],
)
def test_a_playlist_in_disguise_opens_no_other_file(tmp_path: Path, script: str) -> None:
    other = write_clip(tmp_path / "secret.mp4", seconds=1)
    (tmp_path / "clip.mp4").write_text(script.format(other=other))
    assert "not a clip that can be opened" in reason_of(tmp_path / "clip.mp4")


def test_frames_over_the_limit_are_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision.video, "MOST_PIXELS_A_FRAME", 100 * 100)
    assert "320×180" in reason_of(write_clip(tmp_path / "clip.mp4", seconds=1))


def test_decoding_comes_to_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision.video, "MOST_DECODED_FRAMES", 50)
    assert moments(write_clip(tmp_path / "clip.mp4", key_frame_every=1000)) == [0.0, 4.0]


def test_names_of_any_bytes_are_read(tmp_path: Path) -> None:
    for name in ("http:x.mp4", "concat:a|b.mp4", "-i.mp4", "犬 'n\n.mp4", b"\xe9.mp4".decode(errors="surrogateescape")):
        assert moments(write_clip(tmp_path / "plain.mp4", seconds=1).rename(tmp_path / name)) == [0.0]


def test_the_reader_lets_go_of_the_file(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    frames = sample_frames(clip)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    open_files = [link.readlink() for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    assert clip not in open_files


def test_the_error_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(UnreadableClip("the clip is empty"))).reason == "the clip is empty"
