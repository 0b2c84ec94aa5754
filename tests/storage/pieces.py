"""What the pipeline hands to storage, with what a test does not care about filled in."""

from datetime import datetime, timedelta
from typing import Any

from schemas.assessment import Assessment, AssessmentStanding, Evidence
from schemas.batch import ClaimedBatch, OpenBatch
from schemas.detection import BoundingBox, FrameDetection, MediaDetections
from schemas.media import ClaimedMedia, MediaType, NewMedia
from schemas.severity import SeverityBands
from schemas.why import Why
from storage.media import MediaQueue
from storage.postgres import Pool
from tests.storage.rows import NOON

LEASE = 120.0
TRIES = 5
A_WHY = Why(severity_bands=SeverityBands(), timezone="UTC")


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def new_media(name: str = "a.jpg", **values: Any) -> NewMedia:
    """A file of its own bytes, unless `content_hash` is given."""
    given: dict[str, Any] = {
        "camera_id": "front_door",
        "path": f"/srv/cameras/front_door/{name}",
        "size_bytes": 20_000,
        "modified_ns": 1_766_000_000_000_000_000,
        "content_hash": name.encode("utf-8", "surrogateescape").rjust(32, b"."),
        "media_type": MediaType.IMAGE,
        "captured_at": NOON,
    }
    return NewMedia(**(given | values))


def box(x: float = 10.0, y: float = 20.0, width: float = 30.0, height: float = 40.0) -> BoundingBox:
    return BoundingBox(x=x, y=y, width=width, height=height)


def seen(object_type: str = "person", confidence: float = 0.75, offset: float = 0.0) -> FrameDetection:
    return FrameDetection(object_type=object_type, confidence=confidence, bbox=box(), frame_offset_seconds=offset)


def found_in(file: ClaimedMedia, *detections: FrameDetection, **values: Any) -> MediaDetections:
    """What a worker found in a file that it holds."""
    given: dict[str, Any] = {
        "media_id": file.id,
        "camera_id": file.camera_id,
        "lease": file.lease,
        "captured_at": file.captured_at,
        "width": 1280,
        "height": 720,
        "frames": 1,
        "detections": detections,
    }
    return MediaDetections(**(given | values))


def open_batch(batch_id: str, **values: Any) -> OpenBatch:
    given: dict[str, Any] = {
        "id": batch_id,
        "camera_id": "front_door",
        "started_at": NOON,
        "ended_at": NOON,
        "opened_at": NOON,
        "last_activity_at": NOON,
        "detection_count": 1,
    }
    return OpenBatch(**(given | values))


def evidence(batch: ClaimedBatch, **values: Any) -> Evidence:
    given: dict[str, Any] = {"batch": batch, "detections": (), "unusual": (), "timezone": "UTC"}
    return Evidence(**(given | values))


def assessment(risk_score: int = 70, **values: Any) -> Assessment:
    given: dict[str, Any] = {
        "risk_score": risk_score,
        "summary": "A person at the door",
        "reasoning": "because of the hour",
        "assessed_by": "deterministic",
        "standing": AssessmentStanding.FINAL,
    }
    return Assessment(**(given | values))


async def queued(pool: Pool, *files: NewMedia) -> None:
    """The files as rows that wait."""
    await MediaQueue(pool).add(files)


async def claimed(pool: Pool, *files: NewMedia, owner: str = "worker") -> list[ClaimedMedia]:
    """The files as rows that a worker holds."""
    await queued(pool, *files)
    return await MediaQueue(pool).claim(owner, len(files), LEASE, TRIES)


async def expire_leases(pool: Pool, table: str) -> None:
    """As if their time had passed."""
    await pool.execute(f"UPDATE {table} SET lease_until = now() - interval '1 second' WHERE lease IS NOT NULL")


async def make_claimable(pool: Pool, table: str) -> None:
    """As if every back-off had passed."""
    await pool.execute(f"UPDATE {table} SET claimable_at = now() - interval '1 second'")
