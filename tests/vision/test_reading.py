"""Reading pictures: ordinary ones fast, strange ones right, hostile ones not at all."""

import contextlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from tests.vision.pictures import exif, jpeg, jpeg_claiming, png, png_claiming, scene
from vision.errors import UnreadablePicture
from vision.reading import Picture, read_picture


def bgr(rgb: NDArray[np.uint8]) -> NDArray[np.int16]:
    return rgb[..., ::-1].astype(np.int16)


def difference(picture: Picture, rgb: NDArray[np.uint8]) -> float:
    return float(np.abs(picture.pixels.astype(np.int16) - bgr(rgb)).mean())


def reason_of(data: bytes) -> str:
    with pytest.raises(UnreadablePicture) as caught:
        read_picture(data)
    return caught.value.reason


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"optimize": True}]
)
def test_a_jpeg_is_decoded_to_bgr(options: dict[str, Any]) -> None:
    picture = read_picture(jpeg(**options))
    assert (picture.width, picture.height, picture.format) == (320, 180, "JPEG")
    assert picture.pixels.shape == (180, 320, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert difference(picture, scene()) < 6


def test_a_jpeg_with_restart_markers_is_decoded() -> None:
    assert difference(read_picture(jpeg(restart_marker_blocks=5)), scene()) < 6


def test_a_grey_jpeg_has_three_equal_channels() -> None:
    picture = read_picture(jpeg(mode="L"))
    assert picture.pixels.shape == (180, 320, 3)
    assert np.array_equal(picture.pixels[..., 0], picture.pixels[..., 2])


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    assert difference(read_picture(jpeg(mode="CMYK")), scene()) < 8


def test_a_ycck_jpeg_keeps_its_colours() -> None:
    data = jpeg(mode="CMYK")
    marker = data.index(b"Adobe")
    ycck = data[: marker + 11] + b"\x02" + data[marker + 12 :]
    expected = np.asarray(Image.open(io.BytesIO(ycck)).convert("RGB"))
    assert difference(read_picture(ycck), expected) < 3


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1"])
def test_pngs_of_every_mode_are_decoded(mode: str) -> None:
    picture = read_picture(png(Image.fromarray(scene()).convert(mode)))
    assert picture.pixels.shape == (180, 320, 3)
    assert picture.format == "PNG"


def test_a_colour_png_is_decoded_exactly() -> None:
    assert difference(read_picture(png()), scene()) == 0


def test_a_grey_png_of_16_bits_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    picture = read_picture(png(Image.fromarray(ramp)))
    assert np.array_equal(picture.pixels[..., 0], (ramp >> 8).astype(np.uint8))


def test_a_colour_png_of_16_bits_is_scaled() -> None:
    import cv2

    deep = scene().astype(np.uint16) * 257
    encoded = cv2.imencode(".png", np.ascontiguousarray(deep[..., ::-1]))[1].tobytes()
    assert difference(read_picture(encoded), scene()) <= 1


def test_transparent_pixels_do_not_show_what_they_hide() -> None:
    pixels = np.dstack([scene(), np.zeros((180, 320), np.uint8)])
    assert read_picture(png(Image.fromarray(pixels, "RGBA"))).pixels.max() == 0


def test_a_palette_with_transparency_is_decoded() -> None:
    image = Image.fromarray(scene()).convert("P")
    assert read_picture(png(image, transparency=0)).pixels.shape == (180, 320, 3)


def test_of_an_animated_png_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    picture = read_picture(png(frames[0], save_all=True, append_images=frames[1:]))
    assert picture.pixels[5, 5].tolist() == [0, 0, 255]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("make", [jpeg, png])
def test_exif_rotation_is_undone(make: object, orientation: int) -> None:
    upright = Image.fromarray(scene())
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    stream = io.BytesIO()
    stored.save(stream, "JPEG" if make is jpeg else "PNG", quality=95, exif=exif(orientation))
    picture = read_picture(stream.getvalue())
    assert (picture.width, picture.height) == (320, 180)
    assert picture.pixels.shape == (180, 320, 3)
    assert picture.pixels.flags.c_contiguous
    assert difference(picture, scene()) < 6


@pytest.mark.parametrize("block", [b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 30])
def test_malformed_exif_counts_as_none(block: bytes) -> None:
    data = jpeg()
    segment = b"Exif\0\0" + block
    with_exif = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]
    assert read_picture(with_exif).width == 320


def test_a_jpeg_is_decoded_smaller_when_less_is_needed() -> None:
    picture = read_picture(jpeg(scene(720, 1280)), reduce_to=(320, 320))
    assert picture.pixels.shape == (180, 320, 3)
    assert (picture.width, picture.height) == (1280, 720)


def test_a_reduced_jpeg_is_never_smaller_than_needed() -> None:
    picture = read_picture(jpeg(scene(719, 1279)), reduce_to=(320, 320))
    assert picture.pixels.shape[0] >= 180
    assert picture.pixels.shape[1] >= 320


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_large_png_is_shrunk_but_never_below_what_is_needed(orientation: int) -> None:
    data = png(Image.fromarray(scene(1000, 1700)), exif=exif(orientation))
    picture = read_picture(data, reduce_to=(320, 320))
    portrait = orientation == 6
    assert (picture.width, picture.height) == ((1000, 1700) if portrait else (1700, 1000))
    height, width = picture.pixels.shape[:2]
    assert max(height, width) >= 320 > max(height, width) / 2
    assert (height > width) == portrait


def test_a_small_jpeg_is_not_enlarged() -> None:
    assert read_picture(jpeg(), reduce_to=(640, 640)).pixels.shape == (180, 320, 3)


def test_reduction_minds_the_rotation() -> None:
    stream = io.BytesIO()
    Image.fromarray(scene(720, 1280)).save(stream, "JPEG", exif=exif(6))
    picture = read_picture(stream.getvalue(), reduce_to=(320, 320))
    assert (picture.width, picture.height) == (720, 1280)
    assert picture.pixels.shape == (320, 180, 3)


def test_a_photograph_of_48_megapixels_is_read() -> None:
    data = jpeg(np.tile(scene(600, 800), (10, 10, 1)))
    picture = read_picture(data, reduce_to=(640, 640))
    assert (picture.width, picture.height) == (8000, 6000)
    assert picture.pixels.shape[1] < 2000


def test_an_empty_file_is_named_so() -> None:
    assert "empty" in reason_of(b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello, this is no picture\n" * 100, "looks like text"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (b"\0" * 20_000, "zeros"),
        (b"GIF89a" + b"\0" * 100, "a GIF picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a WebP picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "an HEIC picture"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video clip"),
        (b"\x1aE\xdf\xa3" + b"\0" * 40, "a video clip"),
        (b"%PDF-1.7 ....", "a PDF document"),
        (bytes(range(256)) * 4, "unknown bytes"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_content(data: bytes, words: str) -> None:
    assert words in reason_of(data)


def test_text_named_jpg_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.jpg"
    file.write_text("FTP error: quota exceeded\n" * 500)
    with pytest.raises(UnreadablePicture, match="looks like text"):
        read_picture(file)


def test_a_png_named_jpg_is_read_and_remarked_on(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.jpg"
    file.write_bytes(png())
    picture = read_picture(file)
    assert picture.format == "PNG"
    assert picture.remark == "named .jpg but is a PNG; read by its content"


def test_a_file_that_is_what_its_name_says_gets_no_remark(tmp_path: Path) -> None:
    file = tmp_path / "snapshot.JPEG"
    file.write_bytes(jpeg())
    assert read_picture(file).remark is None


@pytest.mark.parametrize("size", [(0, 100), (100, 0), (0, 0)])
def test_pictures_without_pixels_are_refused(size: tuple[int, int]) -> None:
    assert "no pixels" in reason_of(png_claiming(*size))
    assert "no pixels" in reason_of(jpeg_claiming(*size))


@pytest.mark.parametrize("data", [png_claiming(60_000, 60_000), jpeg_claiming(60_000, 60_000)])
def test_a_decompression_bomb_is_refused_by_its_header(data: bytes) -> None:
    assert "60000×60000" in reason_of(data)


def test_the_limit_on_pixels_can_be_set() -> None:
    with pytest.raises(UnreadablePicture, match="more than the limit"):
        read_picture(jpeg(), max_pixels=1000)


def test_a_png_that_promises_more_than_it_holds_is_refused() -> None:
    assert "cut off" in reason_of(png_claiming(2000, 2000))


def test_a_png_whose_text_unpacks_to_hundreds_of_megabytes_is_refused() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("comment", "A" * 70_000_000, zip=True)
    assert "cannot be decoded" in reason_of(png(pnginfo=info))


def test_a_jpeg_made_of_thousands_of_scans_is_refused() -> None:
    data = jpeg(progressive=True)
    last = data.rindex(b"\xff\xda")
    scan = data[last:-2]
    assert "scans" in reason_of(data[:-2] + scan * 300 + data[-2:])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("data", [jpeg(), jpeg(progressive=True), png()], ids=["jpeg", "progressive", "png"])
def test_a_truncated_picture_is_refused(data: bytes, share: float) -> None:
    assert "cut off" in reason_of(data[: int(len(data) * share)])


@pytest.mark.parametrize("missing", range(1, 9))
def test_even_a_missing_last_byte_is_noticed(missing: int) -> None:
    assert "cut off" in reason_of(jpeg()[:-missing])
    assert "cut off" in reason_of(png()[:-missing])


def test_a_jpeg_whose_rest_is_zeros_is_refused() -> None:
    data = jpeg()
    assert "cut off" in reason_of(data[: len(data) // 2] + b"\0" * 5000)


def test_an_end_marker_glued_to_a_truncated_jpeg_does_not_help_it() -> None:
    data = jpeg()
    assert "cut off" in reason_of(data[: len(data) // 2] + b"\xff\xd9")


def test_the_end_of_an_embedded_thumbnail_is_not_the_end_of_the_picture() -> None:
    data, small = jpeg(), jpeg(scene(30, 40))
    segment = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + small
    with_thumbnail = data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:]
    assert read_picture(with_thumbnail).width == 320
    assert "cut off" in reason_of(with_thumbnail[: -len(data) // 2])


def test_extraneous_bytes_before_the_end_of_a_jpeg_are_borne() -> None:
    data = jpeg()
    picture = read_picture(data[:-2] + b"\x12\x34\x56\x78" * 16 + data[-2:])
    assert difference(picture, scene()) < 6
    assert picture.remark is not None
    assert "extraneous" in picture.remark


def test_bytes_behind_the_end_of_a_jpeg_are_borne() -> None:
    assert difference(read_picture(jpeg() + b"\0" * 4096), scene()) < 6


def test_a_jpeg_with_a_hole_in_the_middle_is_refused() -> None:
    data = jpeg()
    assert reason_of(data[: len(data) // 3] + data[len(data) // 2 :])


def test_a_png_with_damaged_data_is_refused() -> None:
    data = bytearray(png(Image.fromarray(np.random.default_rng(1).integers(0, 255, (90, 90, 3), np.uint8))))
    middle = len(data) // 2
    data[middle : middle + 40] = b"\xa5" * 40
    assert reason_of(bytes(data))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_does_worse_than_a_reason(data: st.DataObject) -> None:
    source = bytearray(data.draw(st.sampled_from([jpeg(), jpeg(progressive=True), jpeg(mode="CMYK"), png()])))
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(source) - 1))
        source[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(source)))
    with contextlib.suppress(UnreadablePicture):
        assert read_picture(bytes(source[:cut]), max_pixels=4_000_000).pixels.ndim == 3


def test_a_deleted_file_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePicture, match="no longer there"):
        read_picture(tmp_path / "gone.jpg")


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        read_picture(tmp_path)


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        read_picture(pipe)


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.jpg"
    with file.open("wb") as stream:
        stream.truncate(300 * 1024 * 1024)
    with pytest.raises(UnreadablePicture, match="more than the limit"):
        read_picture(file)


def test_names_of_any_bytes_are_read(tmp_path: Path) -> None:
    for name in ("a b.jpg", "quo\"te's.jpg", "new\nline.jpg", "ünïcode-犬.jpg", os.fsdecode(b"latin-\xe9.jpg")):
        file = tmp_path / name
        file.write_bytes(jpeg())
        assert read_picture(file).width == 320


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(UnreadablePicture("the file is empty (0 bytes)")))
    assert (error.reason, str(error)) == ("the file is empty (0 bytes)", "the file is empty (0 bytes)")
