"""The detections of batches, as an assessor gets to see them."""

import os
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from schemas.detection import BoundingBox, Detection
from storage.postgres import Pool, PooledConnection


async def detections_of(pool: Pool | PooledConnection, batches: Sequence[UUID]) -> dict[str, tuple[Detection, ...]]:
    """By the batch's id, each batch's in the order in which their pictures were taken; none for one without any."""
    rows = await pool.fetch(
        """
        SELECT d.id, d.camera_id, m.path AS file_path, m.media_type, d.detected_at,
               d.object_type, d.confidence, d.x, d.y, d.width, d.height, d.batch_id, d.frame_offset_seconds,
               m.width AS picture_width, m.height AS picture_height
        FROM detections d JOIN media m ON m.id = d.media_id WHERE d.batch_id = ANY($1) ORDER BY d.detected_at, d.id
        """,
        [*batches],
    )
    found: dict[str, list[Detection]] = {}
    for row in rows:
        found.setdefault(str(row["batch_id"]), []).append(_detection(row))
    return {batch: tuple(detections) for batch, detections in found.items()}


def _detection(row: asyncpg.Record) -> Detection:
    values = dict(row, file_path=os.fsdecode(row["file_path"]).encode("utf-8", "replace").decode())
    box = BoundingBox(**{side: values.pop(side) for side in ("x", "y", "width", "height")})
    return Detection(**{**values, "batch_id": str(values["batch_id"])}, event_id=None, bbox=box)
