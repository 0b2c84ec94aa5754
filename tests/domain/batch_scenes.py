"""Batches made up for tests: who was seen, when, how surely and for how long."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from domain.risk import assess
from schemas.assessment import Assessment, Evidence, Unusualness
from schemas.batch import ClaimedBatch
from schemas.detection import BoundingBox, Detection
from schemas.media import MediaType
from schemas.runtime_config import RuntimeConfig

NOON = datetime(2025, 6, 3, 12, 0, tzinfo=UTC)
NIGHT = datetime(2025, 6, 3, 2, 0, tzinfo=UTC)


def seen(
    object_type: str = "person", confidence: float = 0.9, number: int = 1, seconds: float = 0.0
) -> list[tuple[str, float, float]]:
    """(class, confidence, seconds after the start) of each detection: `number` at the start, one more at the end."""
    first = [(object_type, confidence, 0.0)] * number
    return [*first, (object_type, confidence, seconds)] if seconds else first


def scene(
    things: Iterable[tuple[str, float, float]],
    at: datetime = NOON,
    unusual: tuple[Unusualness, ...] = (),
    camera_name: str = "Front Door",
    timezone: str = "UTC",
) -> Evidence:
    detections = tuple(
        Detection(
            id=number,
            camera_id="front_door",
            file_path=f"/cameras/front_door/{offset}.jpg",
            media_type=MediaType.IMAGE,
            detected_at=at + timedelta(seconds=offset),
            object_type=object_type,
            confidence=confidence,
            bbox=BoundingBox(x=1, y=2, width=3, height=4),
            batch_id="b",
            event_id=None,
        )
        for number, (object_type, confidence, offset) in enumerate(things)
    )
    batch = ClaimedBatch(
        id="b",
        camera_id="front_door",
        camera_name=camera_name,
        started_at=at,
        ended_at=max((d.detected_at for d in detections), default=at),
        closed_at=at + timedelta(seconds=120),
        detection_count=len(detections),
        attempts=1,
        lease="w/1",
    )
    return Evidence(batch=batch, detections=detections, unusual=unusual, timezone=timezone)


def fact(
    object_type: str = "person", expected: float = 0.0, deviation: float = 3.16, reliable: bool = True
) -> Unusualness:
    return Unusualness(
        object_type=object_type,
        expected_per_hour=expected,
        probability=min(1.0, expected / (1 + expected)),
        sample_count=412 if reliable else 37,
        slot_count=3,
        reliable=reliable,
        deviation=deviation,
    )


def assessed(
    *things: list[tuple[str, float, float]],
    at: datetime = NOON,
    unusual: tuple[Unusualness, ...] = (),
    config: RuntimeConfig | None = None,
) -> Assessment:
    return assess(scene([one for thing in things for one in thing], at, unusual), config or RuntimeConfig())


def score(*things: list[tuple[str, float, float]], at: datetime = NOON, unusual: tuple[Unusualness, ...] = ()) -> int:
    return assessed(*things, at=at, unusual=unusual).risk_score
