"""Detections: listed, read, and where the picture of each is found."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from pydantic import Field

from schemas.detection import BoundingBox, DetectedObject, Detection
from schemas.frozen import Frozen, UtcTime
from schemas.media import MediaType
from storage.errors import NotFound
from storage.events import classes_called
from storage.filters import Filters
from storage.postgres import Pool, store_errors

_COLUMNS = (
    "id, media_id, camera_id, batch_id, object_type, confidence, x, y, width, height, frame_offset_seconds, detected_at"
)
_WHOLE = """
    SELECT d.*, e.id AS event_id, m.path, m.media_type, m.width AS picture_width, m.height AS picture_height
    FROM ({page}) d JOIN media m ON m.id = d.media_id LEFT JOIN events e ON e.batch_id = d.batch_id"""
_SOURCE = "m.id AS media_id, m.camera_id, m.path, m.media_type, m.size_bytes, m.modified_ns, m.content_hash"
_OBJECT = "d.object_type, d.confidence, d.x, d.y, d.width, d.height"


class DetectionFilter(Frozen):
    """Which detections are listed; conditions that are set must all hold."""

    camera_id: str | None = Field(default=None, max_length=200)
    object_type: str | None = Field(default=None, max_length=100)
    """A detector class, or a group: `vehicle`, `animal`."""
    min_confidence: float | None = Field(default=None, ge=0, le=1)
    start_date: UtcTime | None = None
    """Pictures taken then or later."""
    end_date: UtcTime | None = None
    """Pictures taken then or earlier."""
    event_id: int | None = Field(default=None, ge=1, le=2**53 - 1)


EVERYTHING = DetectionFilter()


@dataclass(frozen=True)
class PictureSource:
    """Where a picture's file is, and how the file looked when it was taken in."""

    media_id: int
    camera_id: str
    path: str
    media_type: MediaType
    size_bytes: int
    modified_ns: int
    content_hash: bytes
    frame_offset_seconds: float = 0.0
    """Where in the clip; 0 for a picture."""
    subject: DetectedObject | None = None
    """The one object that was asked about."""


class Detections:
    """The table `detections`, newest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(
        self,
        wanted: DetectionFilter = EVERYTHING,
        *,
        before: tuple[datetime, int] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Sequence[Detection]:
        """At most `limit`, from the one after (detected_at, id) = `before` on."""
        filters = _filters(wanted).before(["detected_at", "id"], before)
        page = f"""SELECT {_COLUMNS} FROM detections {filters.where} ORDER BY detected_at DESC, id DESC
            LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}"""
        rows = await self._pool.fetch(
            _WHOLE.format(page=page) + " ORDER BY d.detected_at DESC, d.id DESC", *filters.arguments
        )
        return [detection_of(row) for row in rows]

    @store_errors()
    async def get(self, detection_id: int) -> Detection:
        """Raises NotFound."""
        row = await self._pool.fetchrow(
            _WHOLE.format(page=f"SELECT {_COLUMNS} FROM detections WHERE id = $1"), detection_id
        )
        if row is None:
            raise _no_detection(detection_id)
        return detection_of(row)

    @store_errors()
    async def of_events(self, event_ids: Sequence[int]) -> dict[int, Sequence[Detection]]:
        """The detections of each of these events, in the order in which their pictures were taken."""
        batches = "SELECT batch_id FROM events WHERE id = ANY($1)"
        rows = await self._pool.fetch(
            _WHOLE.format(page=f"SELECT {_COLUMNS} FROM detections WHERE batch_id IN ({batches})")
            + " ORDER BY d.detected_at, d.id",
            [*event_ids],
        )
        found = [detection_of(row) for row in rows]
        return {event_id: [d for d in found if d.event_id == event_id] for event_id in event_ids}

    @store_errors()
    async def source(self, detection_id: int) -> PictureSource:
        """The file in which this was seen; raises NotFound."""
        row = await self._pool.fetchrow(
            f"""
            SELECT {_SOURCE}, d.frame_offset_seconds, {_OBJECT}
            FROM detections d JOIN media m ON m.id = d.media_id WHERE d.id = $1
            """,
            detection_id,
        )
        if row is None:
            raise _no_detection(detection_id)
        return _source(row, row["frame_offset_seconds"], _object(row))

    @store_errors()
    async def newest_source(self, camera_id: str) -> PictureSource:
        """The file that this camera sent last, of those that could be looked at; raises NotFound."""
        row = await self._pool.fetchrow(
            f"""
            SELECT {_SOURCE} FROM media m
            WHERE m.camera_id = $1 AND m.state <> 'dead' ORDER BY m.id DESC LIMIT 1
            """,
            camera_id,
        )
        if row is None:
            raise NotFound(f"camera {camera_id} has not sent a picture yet")
        return _source(row)

    @store_errors()
    async def objects(self, source: PictureSource) -> Sequence[DetectedObject]:
        """Everything that was seen in this picture or frame."""
        rows = await self._pool.fetch(
            f"SELECT {_OBJECT} FROM detections d WHERE media_id = $1 AND frame_offset_seconds = $2::real ORDER BY id",
            source.media_id,
            source.frame_offset_seconds,
        )
        return [_object(row) for row in rows]


def detection_of(row: asyncpg.Record) -> Detection:
    """A detection from its own columns and `path`, `media_type`, `event_id`, `picture_width`, `picture_height`."""
    return Detection(
        id=row["id"],
        camera_id=row["camera_id"],
        file_path=shown_path(row["path"]),
        media_type=row["media_type"],
        detected_at=row["detected_at"],
        object_type=row["object_type"],
        confidence=_single(row["confidence"]),
        bbox=_box(row),
        batch_id=str(row["batch_id"]),
        event_id=row["event_id"],
        frame_offset_seconds=_single(row["frame_offset_seconds"]),
        picture_width=row["picture_width"],
        picture_height=row["picture_height"],
    )


def _source(row: asyncpg.Record, offset: float = 0.0, subject: DetectedObject | None = None) -> PictureSource:
    return PictureSource(
        media_id=row["media_id"],
        camera_id=row["camera_id"],
        path=os.fsdecode(row["path"]),
        media_type=MediaType(row["media_type"]),
        size_bytes=row["size_bytes"],
        modified_ns=row["modified_ns"],
        content_hash=row["content_hash"],
        frame_offset_seconds=offset,
        subject=subject,
    )


def _object(row: asyncpg.Record) -> DetectedObject:
    return DetectedObject(object_type=row["object_type"], confidence=_single(row["confidence"]), bbox=_box(row))


def shown_path(path: bytes) -> str:
    """A file's path as text; bytes that are not UTF-8 are shown as `?`."""
    return os.fsdecode(path).encode("utf-8", "replace").decode()


def _box(row: asyncpg.Record) -> BoundingBox:
    return BoundingBox(**{side: _single(row[side]) for side in ("x", "y", "width", "height")})


def _single(value: float) -> float:
    """A single-precision column as it was written: 0.9, not 0.8999999761581421."""
    return float(f"{value:.7g}")


def _filters(wanted: DetectionFilter) -> Filters:
    filters = Filters().equal("camera_id", wanted.camera_id)
    filters.between("detected_at", wanted.start_date, wanted.end_date)
    if wanted.object_type is not None:
        filters.add("object_type = ANY({}::text[])", classes_called(wanted.object_type))
    if wanted.min_confidence is not None:
        filters.add("confidence >= {}::real", wanted.min_confidence)
    if wanted.event_id is not None:
        filters.add("batch_id = (SELECT batch_id FROM events WHERE id = {})", wanted.event_id)
    return filters


def _no_detection(detection_id: int) -> NotFound:
    return NotFound(f"there is no detection {detection_id}")
