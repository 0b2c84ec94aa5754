"""What a file's first bytes say: which format it is, how large its picture, how it was held; nothing is decoded."""

import re
import struct
from dataclasses import dataclass

from vision.errors import UnreadablePicture

MOST_SCANS = 200
"""A progressive JPEG of more scans is made to burn processor time; cameras write about ten."""

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_REAL_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
"""A marker inside entropy-coded data: stuffed zeros and restart markers are none."""

_OTHER_FORMATS = (
    (re.compile(rb"GIF8[79]a"), "a GIF picture"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "a WebP picture"),
    (re.compile(rb"BM.{12}[\x0c\x28\x38\x6c\x7c]\x00\x00\x00", re.DOTALL), "a BMP picture"),
    (re.compile(rb"II\*\x00|MM\x00\*"), "a TIFF or raw picture"),
    (re.compile(rb"....ftyp(heic|heix|mif1|msf1|hevc)", re.DOTALL), "an HEIC picture"),
    (re.compile(rb"....ftypavi[fs]", re.DOTALL), "an AVIF picture"),
    (re.compile(rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ", re.DOTALL), "a video clip"),
    (re.compile(rb"%PDF-"), "a PDF document"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive"),
    (re.compile(rb"\x1f\x8b"), "a gzip archive"),
    (re.compile(rb"\x7fELF|MZ"), "a program"),
)


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """A picture's format and its size as stored, before any rotation."""

    format: str
    width: int
    height: int
    orientation: int = 1
    """EXIF orientation, 1 to 8."""
    first_scan: int = 0
    """Where a JPEG's entropy-coded data begins."""


def read_header(data: bytes) -> PictureHeader:
    """The header of a JPEG or PNG, whatever its name says; anything else is refused with what it looks like."""
    if not data:
        raise UnreadablePicture("the file is empty (0 bytes)")
    if data.startswith(b"\xff\xd8\xff"):
        header = _jpeg_header(data)
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        header = _png_header(data)
    else:
        raise UnreadablePicture(f"not a JPEG or PNG picture: the file looks like {_looks_like(data)}")
    if header.width < 1 or header.height < 1:
        raise UnreadablePicture(f"the picture has no pixels ({header.width}×{header.height})")
    return header


def jpeg_is_closed(data: bytes, first_scan: int) -> bool:
    """Whether an end-of-image marker follows the scans, which a cut-off file lacks.

    Trailing bytes after it, and the end of a thumbnail before it, make no difference.
    """
    position = first_scan
    while match := _REAL_MARKER.search(data, position):
        if match[1][0] == _END_OF_IMAGE:
            return True
        position = match.end()
        if match[1][0] not in _STANDALONE and position + 2 <= len(data):
            position += int.from_bytes(data[position : position + 2], "big")
    return False


def exif_orientation(tiff: bytes) -> int:
    """The orientation (1 to 8) in an EXIF block's first directory; 1 where there is none or it is malformed."""
    order = {b"II*\x00": "<", b"MM\x00*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    if start + 2 > len(tiff):
        return 1
    (count,) = struct.unpack_from(order + "H", tiff, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind, values, value = struct.unpack_from(order + "HHIH", tiff, entry)
        if tag == 0x0112 and kind == 3 and values == 1:
            return value if 1 <= value <= 8 else 1
    return 1


def _png_header(data: bytes) -> PictureHeader:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise UnreadablePicture("the PNG is cut off inside its header")
    width, height = struct.unpack_from(">II", data, 16)
    return PictureHeader("PNG", width, height)


def _jpeg_header(data: bytes) -> PictureHeader:
    size: tuple[int, int] | None = None
    orientation, position, seen_exif = 1, 2, False
    while (position := data.find(b"\xff", position)) >= 0:
        marker = data[position + 1] if position + 1 < len(data) else 0
        position += 1
        if marker in (0x00, 0xFF):
            continue
        position += 1
        if marker == _END_OF_IMAGE:
            break
        if marker in _STANDALONE:
            continue
        if position + 2 > len(data):
            break
        end = position + max(2, int.from_bytes(data[position : position + 2], "big"))
        if marker == _APP1 and not seen_exif and data[position + 2 : position + 8] == b"Exif\x00\x00":
            orientation, seen_exif = exif_orientation(data[position + 8 : end]), True
        if marker in _START_OF_FRAME and size is None:
            if position + 8 > len(data):
                break
            _, height, width, _ = struct.unpack_from(">BHHB", data, position + 2)
            size = (width, height)
        if marker == _START_OF_SCAN and size is not None:
            if data.count(b"\xff\xda", position) > MOST_SCANS:
                raise UnreadablePicture(f"the JPEG has more than {MOST_SCANS} scans")
            return PictureHeader("JPEG", *size, orientation, first_scan=end)
        position = end
    raise UnreadablePicture("the JPEG is cut off inside its header")


def _looks_like(data: bytes) -> str:
    head = data[:64]
    for pattern, words in _OTHER_FORMATS:
        if pattern.match(head):
            return words
    if not data[:4096].strip(b"\x00"):
        return "zeros (an upload that was never written?)"
    sample = data[:1024]
    printable = sum(byte in b"\t\n\r" or 32 <= byte < 127 or byte >= 0x80 for byte in sample)
    if printable == len(sample):
        lowered = sample.lower()
        return "a web page" if b"<html" in lowered or b"<!doctype" in lowered else "text"
    return "unknown bytes"
