"""Pictures of detections and cameras: as they came, with boxes drawn, or small; decoded off the event loop."""

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deployments.api.views.evidence_files import opened
from domain.thumbnails import thumbnail_name
from schemas.detection import DetectedObject
from schemas.media import MediaType
from storage.detections import Detections, PictureSource
from vision.annotate import THUMBNAIL_SIDE, draw_boxes, jpeg_of, thumbnail
from vision.errors import UnreadablePicture
from vision.reading import Picture, read_picture
from vision.video import frame_at

AT_ONCE = 2
"""Pictures decoded at a time: a large one takes 300 MB and a core."""
MOST_PICTURE_BYTES = 64 * 1024 * 1024
_BY_CONTENT = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shown:
    """A picture as it is answered; no content when the asker has it already."""

    etag: str
    media_type: str
    content: bytes | None


class Pictures:
    """Every method takes the asker's `If-None-Match`; raises NotFound or UnreadableMedia."""

    def __init__(self, detections: Detections, camera_root: Path, thumbnails: Path) -> None:
        self._detections = detections
        self._camera_root = camera_root
        self._thumbnails = thumbnails
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def image(self, detection_id: int, boxes: bool, known: str | None = None) -> Shown:
        """The picture as the camera wrote it, or the clip's frame as JPEG; with boxes, always a JPEG."""
        source = await self._detections.source(detection_id)
        etag = _etag(source, "boxes" if boxes else "plain")
        if _has(known, etag):
            return Shown(etag, "image/jpeg", None)
        objects = await self._detections.objects(source) if boxes else ()
        draw = boxes or source.media_type is MediaType.VIDEO
        content = await self._in_thread(lambda: self._drawn(source, objects) if draw else self._original(source))
        return Shown(etag, _media_type(content), content)

    async def thumbnail(self, detection_id: int, known: str | None = None) -> Shown:
        """A small JPEG with this detection's box; made once, then kept."""
        source = await self._detections.source(detection_id)
        etag = _etag(source, f"thumbnail-{detection_id}")
        if _has(known, etag):
            return Shown(etag, "image/jpeg", None)
        place = self._thumbnail_place(detection_id, source)
        content = await asyncio.to_thread(_kept_jpeg, place)
        if content is None:
            content = await self._in_thread(lambda: self._small(source))
            await asyncio.to_thread(_keep, place, content)
        return Shown(etag, "image/jpeg", content)

    async def snapshot(self, camera_id: str, known: str | None = None) -> Shown:
        """The newest picture of a camera as JPEG; of a clip its first frame."""
        source = await self._detections.newest_source(camera_id)
        etag = _etag(source, "snapshot")
        if _has(known, etag):
            return Shown(etag, "image/jpeg", None)
        return Shown(etag, "image/jpeg", await self._in_thread(lambda: self._as_jpeg(source)))

    async def _in_thread(self, work: Callable[[], bytes]) -> bytes:
        async with self._turns:
            return await asyncio.to_thread(work)

    def _original(self, source: PictureSource) -> bytes:
        with opened(source, self._camera_root) as file:
            return _whole(source, file)

    def _drawn(self, source: PictureSource, objects: Sequence[DetectedObject]) -> bytes:
        picture = self._decoded(source)
        return jpeg_of(draw_boxes(picture, objects) if objects else picture.pixels)

    def _small(self, source: PictureSource) -> bytes:
        picture = self._decoded(source, (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        return thumbnail(picture, () if source.subject is None else (source.subject,))

    def _as_jpeg(self, source: PictureSource) -> bytes:
        content = b"" if source.media_type is MediaType.VIDEO else self._original(source)
        return content if _media_type(content) == "image/jpeg" and content else self._drawn(source, ())

    def _decoded(self, source: PictureSource, fit: tuple[int, int] | None = None) -> Picture:
        with opened(source, self._camera_root) as file:
            if source.media_type is MediaType.VIDEO:
                return frame_at(f"/dev/fd/{file.fileno()}", source.frame_offset_seconds, fit=fit)
            return read_picture(_whole(source, file), reduce_to=fit)

    def _thumbnail_place(self, detection_id: int, source: PictureSource) -> Path:
        return self._thumbnails / thumbnail_name(detection_id, source.content_hash)


def _whole(source: PictureSource, file: BinaryIO) -> bytes:
    """What is newest may not have been looked at yet, and be anything."""
    if source.size_bytes > MOST_PICTURE_BYTES:
        raise UnreadablePicture(f"it has {source.size_bytes / 1e6:.0f} MB, more than can be shown")
    return file.read(MOST_PICTURE_BYTES)


def _etag(source: PictureSource, variant: str) -> str:
    return f'"{source.content_hash.hex()[:24]}-{source.media_id}-{source.frame_offset_seconds:g}-{variant}"'


def _has(known: str | None, etag: str) -> bool:
    """`If-None-Match`: a list of tags, weak or not, or `*`."""
    return known is not None and any(tag.strip().removeprefix("W/") in (etag, "*") for tag in known.split(","))


def _media_type(content: bytes) -> str:
    """By what it is, not by what it is called."""
    return next((kind for start, kind in _BY_CONTENT if content.startswith(start)), "application/octet-stream")


def _kept_jpeg(place: Path) -> bytes | None:
    """A whole one: a power cut may have left half of it."""
    try:
        content = place.read_bytes()
    except OSError:
        return None
    return content if content.startswith(b"\xff\xd8") and content.endswith(b"\xff\xd9") else None


def _keep(place: Path, content: bytes) -> None:
    """All of it or nothing; a disk that is full only means that it is made again next time."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, unfinished = tempfile.mkstemp(dir=place.parent, suffix=".part")
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
            os.chmod(unfinished, 0o644)
            os.replace(unfinished, place)
        except OSError:
            os.unlink(unfinished)
            raise
    except OSError as error:
        _log.warning("a thumbnail could not be kept: %s", error)
