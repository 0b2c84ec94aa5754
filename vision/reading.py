"""Reading pictures that anybody may have written: by content, with limits, and whole or not at all.

JPEGs go through libjpeg-turbo's strict mode, decoded at the smallest DCT scale that still holds what the detector
needs; PNGs and whatever is strange about a JPEG go through Pillow.
"""

import errno
import io
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from vision.errors import UnreadablePicture
from vision.headers import PictureHeader, exif_orientation, jpeg_is_closed, read_header
from vision.letterbox import fitted_size
from vision.orientation import SWAPS_SIDES, upright

MOST_PIXELS = 100_000_000
"""A 48-megapixel photograph fits, with room; 300 MB is the most that one picture takes decoded."""
MOST_BYTES = 256 * 1024 * 1024

_CUT_OFF = re.compile("premature end", re.IGNORECASE)
_DAMAGED = re.compile("huffman|instead of RST|corrupt", re.IGNORECASE)
_HARMLESS = re.compile("extraneous bytes", re.IGNORECASE)
"""IP cameras pad the end of a scan; every pixel is there all the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded picture, upright."""

    pixels: NDArray[np.uint8]
    """H×W×3 BGR, contiguous; smaller than `height`×`width` where it was decoded at a reduced scale."""
    width: int
    """The picture's own, after EXIF rotation; boxes are given in these pixels."""
    height: int
    format: str
    """What the content is: JPEG, PNG or the clip's codec."""
    remark: str | None = None
    """What was odd and harmless, such as a PNG named .jpg."""


def read_picture(
    source: bytes | str | Path, *, max_pixels: int = MOST_PIXELS, reduce_to: tuple[int, int] | None = None
) -> Picture:
    """Decode a JPEG or PNG from bytes or a file.

    `reduce_to` is the width and height that the picture will be fitted into afterwards (`InputSpec.box`): it may then
    be decoded at a reduced scale, never below what that needs. Raises UnreadablePicture; other failures of the disk
    (OSError) may pass and are worth another try.
    """
    data, name = (source, None) if isinstance(source, bytes) else (read_file(source), os.fspath(source))
    header = read_header(data)
    if header.width * header.height > max_pixels:
        raise UnreadablePicture(
            f"the picture claims {header.width}×{header.height} pixels, more than the limit of "
            f"{max_pixels / 1e6:g} megapixels"
        )
    try:
        if header.format == "JPEG":
            pixels, orientation, remark = _decode_jpeg(data, header, reduce_to)
        else:
            pixels, orientation, remark = _decode_png(data, reduce_to)
    except MemoryError:
        raise UnreadablePicture(f"there is not enough memory to decode {header.width}×{header.height} pixels") from None
    swapped = orientation in SWAPS_SIDES
    return Picture(
        pixels=upright(pixels, orientation),
        width=header.height if swapped else header.width,
        height=header.width if swapped else header.height,
        format=header.format,
        remark=_misnamed(name, header.format) or remark,
    )


def read_file(path: str | Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a regular file."""
    with open_regular_file(path, most_bytes) as file:
        return file.read(most_bytes)


def open_regular_file(path: str | Path, most_bytes: int) -> IO[bytes]:
    """Open without ever blocking on a pipe or a device that somebody put there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _why_not_opened(error) from None
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= most_bytes:
        return open(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISREG(status.st_mode):
        size, limit = status.st_size / 1e6, most_bytes / 1e6
        raise UnreadablePicture(f"the file has {size:.0f} MB, more than the limit of {limit:.0f} MB")
    raise UnreadablePicture("this is not a regular file")


def _why_not_opened(error: OSError) -> Exception:
    reasons = {
        errno.ENOENT: "the file is no longer there",
        errno.ENOTDIR: "the file is no longer there",
        errno.EACCES: "there is no permission to read the file",
        errno.EPERM: "there is no permission to read the file",
        errno.ELOOP: "the file is a symbolic link that leads nowhere",
        errno.EISDIR: "this is a folder",
        errno.ENXIO: "this is not a regular file",
        errno.ENAMETOOLONG: "the file's name is too long",
    }
    reason = reasons.get(error.errno or 0)
    return UnreadablePicture(reason) if reason else error


def _misnamed(name: str | None, actual: str) -> str | None:
    if name is None:
        return None
    suffix = Path(name).suffix.lower()
    named = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}.get(suffix)
    return f"named {suffix} but is a {actual}; read by its content" if named and named != actual else None


def _decode_jpeg(
    data: bytes, header: PictureHeader, reduce_to: tuple[int, int] | None
) -> tuple[NDArray[np.uint8], int, str | None]:
    least_width, least_height = _least_size(header, reduce_to)
    if not data.endswith(b"\xff\xd9") and not jpeg_is_closed(data, header.first_scan):
        raise UnreadablePicture("the JPEG is cut off: its end is missing")
    remark = None
    for strict in (True, False):
        try:
            decoded = simplejpeg.decode_jpeg(data, "BGR", min_width=least_width, min_height=least_height, strict=strict)
            return decoded, header.orientation, remark
        except ValueError as error:
            words = str(error)
            if _CUT_OFF.search(words):
                raise UnreadablePicture("the JPEG is cut off: picture data is missing") from None
            if strict and _HARMLESS.search(words) and jpeg_is_closed(data, header.first_scan):
                remark = f"read in spite of a fault in the JPEG: {words}"
                continue
            if _DAMAGED.search(words):
                raise UnreadablePicture(f"the JPEG is damaged: {words}") from None
            break
    return _decode_strange_jpeg(data, header, reduce_to)


def _least_size(header: PictureHeader, reduce_to: tuple[int, int] | None) -> tuple[int, int]:
    """The smallest stored size worth decoding; 0, 0 means the full size."""
    if reduce_to is None:
        return 0, 0
    box = (reduce_to[1], reduce_to[0]) if header.orientation in SWAPS_SIDES else reduce_to
    return fitted_size(header.width, header.height, box)


def _decode_strange_jpeg(
    data: bytes, header: PictureHeader, reduce_to: tuple[int, int] | None
) -> tuple[NDArray[np.uint8], int, str | None]:
    """JPEGs that libjpeg-turbo's quick interface does not take, such as odd chroma subsampling."""
    image = _opened(JpegImageFile, data)
    if reduce_to is not None:
        image.draft(None, _least_size(header, reduce_to))
    return _bgr(image), header.orientation, None


def _decode_png(data: bytes, reduce_to: tuple[int, int] | None) -> tuple[NDArray[np.uint8], int, str | None]:
    """The first frame, and how it was held (its eXIf chunk)."""
    end = data.rfind(b"IEND")
    if end < 0 or len(data) < end + 8:
        raise UnreadablePicture("the PNG is cut off: its end is missing")
    image = _opened(PngImageFile, data)
    pixels = _bgr(image, reduce_to)
    exif = image.info.get("exif", b"")  # known once everything is loaded: the chunk may stand behind the pixels
    tiff = exif.removeprefix(b"Exif\x00\x00") if isinstance(exif, bytes) else b""
    return pixels, exif_orientation(tiff), None


def _opened(kind: type[JpegImageFile] | type[PngImageFile], data: bytes) -> Image.Image:
    """The plug-in itself, not `Image.open`: no other format slips in, and the limit on pixels is ours."""
    stream: IO[bytes] = io.BytesIO(data)
    try:
        return kind(stream)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plug-ins raise whatever their parsing trips over
        raise UnreadablePicture(f"the picture cannot be decoded: {_words(error)}") from None


def _bgr(image: Image.Image, reduce_to: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    try:
        image.load()
        image = _reduced(image, reduce_to)
        if image.mode.startswith("I") or image.mode == "F":
            return _bgr_of_deep_grey(image)
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            opaque = Image.new("RGBA", image.size, (0, 0, 0, 255))
            image = Image.alpha_composite(opaque, image.convert("RGBA"))
        rgb = np.asarray(image.convert("RGB"))
    except MemoryError:
        raise
    except Exception as error:
        words = _words(error)
        if "truncated" in words or "end of" in words:
            raise UnreadablePicture("the picture is cut off: picture data is missing") from None
        raise UnreadablePicture(f"the picture cannot be decoded: {words}") from None
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False)


def _reduced(image: Image.Image, reduce_to: tuple[int, int] | None) -> Image.Image:
    """Shrunk by a whole number before anything is copied: a huge PNG is held in memory once, not three times."""
    if reduce_to is None or image.mode not in ("L", "RGB", "RGBA") or "transparency" in image.info:
        return image
    boxes = (reduce_to, reduce_to[::-1])  # enough whichever way the picture turns out to be held
    needed = [fitted_size(image.width, image.height, (box[0], box[1])) for box in boxes]
    factor = min(image.width // max(size[0] for size in needed), image.height // max(size[1] for size in needed))
    return image.reduce(factor) if factor >= 2 else image


def _bgr_of_deep_grey(image: Image.Image) -> NDArray[np.uint8]:
    """16 bits of grey a pixel; Pillow's own conversion clips them at 255 instead of scaling."""
    grey = (np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
