"""The labelled set: from a seed and the taxonomy to evidence as an assessor gets it, the same one every time.

Two halves of the same make: `tuning` is what the deterministic assessor's weights were set by, `held_out` is not looked
at until the end. Each scene has a generator of its own, seeded by half, kind and number, so that a kind added or taken
away changes no other scene.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bench.judgement.detector import Seen
from bench.judgement.household import baseline_facts, earlier_events, household, is_dark, is_quiet, local_moment
from bench.judgement.kinds import Kind
from bench.judgement.staging import staged
from bench.judgement.taxonomy import KINDS
from schemas.assessment import Evidence
from schemas.batch import ClaimedBatch
from schemas.detection import BoundingBox, Detection
from schemas.media import MediaType
from schemas.runtime_config import RuntimeConfig

SEED = 20250107
CONFIG = RuntimeConfig(detection_classes=())
"""The defaults, with every class that the detector knows."""
_SIZES = ((1280, 720), (1920, 1080), (2560, 1440))


class Half(StrEnum):
    TUNING = "tuning"
    HELD_OUT = "held_out"


@dataclass(frozen=True, slots=True)
class Scene:
    """One labelled happening."""

    kind: Kind
    half: Half
    number: int
    evidence: Evidence


def scenes(half: Half, each: int | None = None, seed: int = SEED) -> tuple[Scene, ...]:
    """Of one half, kind by kind: all, or the first `each` of every kind."""
    return tuple(scene(kind, half, number, seed) for kind in KINDS for number in range(kind.count)[:each])


def scene(kind: Kind, half: Half, number: int, seed: int = SEED) -> Scene:
    rng = random.Random(f"{seed}/{half}/{kind.name}/{number}")
    house = household(kind, rng)
    at = local_moment(kind, house.timezone, rng)
    pictures = staged(kind, is_dark(house, at), rng.uniform(1.0, 4.0), rng)
    camera_id = house.camera.lower().replace(" ", "_")
    detections = _detections(pictures, at, camera_id, rng)
    seen = frozenset(detection.object_type for detection in detections)
    recent = earlier_events(house, kind, seen, at, rng)
    ended_at = max(detection.detected_at for detection in detections)
    batch = ClaimedBatch(
        id=f"{half}-{kind.name}-{number}".replace(" ", "-"),
        camera_id=camera_id,
        camera_name=house.camera,
        started_at=at,
        ended_at=ended_at,
        closed_at=ended_at + timedelta(seconds=30),
        detection_count=len(detections),
        attempts=1,
        lease="judgement",
    )
    evidence = Evidence(
        batch=batch,
        detections=detections,
        unusual=baseline_facts(house, kind, seen, at, recent, CONFIG, rng),
        timezone=house.timezone,
        recent=recent,
        quiet_hours=is_quiet(house, at),
    )
    return Scene(kind, half, number, evidence)


def _detections(
    pictures: list[tuple[float, list[Seen]]], at: datetime, camera_id: str, rng: random.Random
) -> tuple[Detection, ...]:
    """As rows; one camera in four uploads clips, and one in twenty rows is from before sizes were kept."""
    width, height = rng.choice(_SIZES)
    sized, clip = rng.random() >= 0.05, rng.random() < 0.25
    found: list[Detection] = []
    for place, (seconds, boxes) in enumerate(pictures):
        moment = at + timedelta(milliseconds=round(seconds * 1000))
        for seen in boxes:
            found.append(
                Detection(
                    id=len(found) + 1,
                    camera_id=camera_id,
                    file_path=f"/cameras/{camera_id}/clip.mp4" if clip else f"/cameras/{camera_id}/{place:03}.jpg",
                    media_type=MediaType.VIDEO if clip else MediaType.IMAGE,
                    detected_at=moment,
                    object_type=seen.object_type,
                    confidence=seen.confidence,
                    bbox=BoundingBox(
                        x=round(seen.x * width),
                        y=round(seen.y * height),
                        width=max(1, round(seen.width * width)),
                        height=max(1, round(seen.height * height)),
                    ),
                    batch_id=None,
                    event_id=None,
                    frame_offset_seconds=round(seconds, 3) if clip else 0.0,
                    picture_width=width if sized else None,
                    picture_height=height if sized else None,
                )
            )
    return tuple(found)
