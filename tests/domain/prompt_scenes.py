"""Batches for tests of tracks and prompts: detections with boxes that move, and evidence around them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from schemas.assessment import Evidence, RecentEvent, Unusualness
from schemas.batch import ClaimedBatch
from schemas.detection import BoundingBox, Detection
from schemas.media import MediaType

STARTED = datetime(2026, 11, 21, 1, 13, 20, tzinfo=UTC)
"""02:13 on a Saturday in Berlin."""
PICTURE = (1280, 720)


def detection(
    second: float,
    x: float,
    y: float = 300,
    width: float = 60,
    height: float = 160,
    object_type: str = "person",
    confidence: float = 0.9,
    picture: tuple[int | None, int | None] = PICTURE,
    clip: str | None = None,
    number: int = 0,
) -> Detection:
    """One in a picture of its own second, or in the frame of a clip at that second."""
    return Detection(
        id=number,
        camera_id="front_door",
        file_path=clip or f"/cameras/front_door/{second}.jpg",
        media_type=MediaType.VIDEO if clip else MediaType.IMAGE,
        detected_at=STARTED + timedelta(seconds=second),
        object_type=object_type,
        confidence=confidence,
        bbox=BoundingBox(x=x, y=y, width=width, height=height),
        batch_id="b",
        event_id=None,
        frame_offset_seconds=second if clip else 0.0,
        picture_width=picture[0],
        picture_height=picture[1],
    )


def evidence(
    detections: Iterable[Detection],
    unusual: tuple[Unusualness, ...] = (),
    recent: tuple[RecentEvent, ...] = (),
    camera_name: str = "Front Door",
    timezone: str = "Europe/Berlin",
    started_at: datetime = STARTED,
    quiet_hours: bool = False,
) -> Evidence:
    found = tuple(detections)
    batch = ClaimedBatch(
        id="5d0c4fb1-33a5-4bd5-9d5b-0a8a2f6f7c11",
        camera_id="front_door",
        camera_name=camera_name,
        started_at=started_at,
        ended_at=max((one.detected_at for one in found), default=started_at),
        closed_at=started_at + timedelta(seconds=120),
        detection_count=len(found),
        attempts=1,
        lease="w/1",
    )
    return Evidence(
        batch=batch, detections=found, unusual=unusual, timezone=timezone, recent=recent, quiet_hours=quiet_hours
    )


def usual(
    object_type: str = "person", expected: float = 0.04, deviation: float = 3.1, samples: int = 412
) -> Unusualness:
    return Unusualness(
        object_type=object_type,
        expected_per_hour=expected,
        probability=0.04,
        sample_count=samples,
        slot_count=3,
        reliable=samples >= 100,
        deviation=deviation,
    )


def earlier(
    number: int = 1,
    minutes: float = 12,
    camera_id: str = "front_door",
    camera_name: str = "Front Door",
    object_types: tuple[str, ...] = ("person",),
    score: int = 63,
) -> RecentEvent:
    return RecentEvent(
        event_id=number,
        camera_id=camera_id,
        camera_name=camera_name,
        started_at=STARTED - timedelta(minutes=minutes),
        risk_score=score,
        object_types=object_types,
    )


def pacing_at_the_door() -> Evidence:
    """A person goes to and fro for 42 s, a parked car beside, and what came before."""
    walked = [
        detection(2.0 * step, 500 + 260 * (1 - abs(step % 8 - 4) / 4), number=step, confidence=0.8 + step % 3 / 20)
        for step in range(22)
    ]
    parked = [detection(2.0 * step, 950, 420, 260, 150, "car", 0.93, number=100 + step) for step in range(22)]
    return evidence(
        [*walked, *parked],
        unusual=(usual(), usual("car", 2.4, -0.3, 412)),
        recent=(earlier(41, 9.4), earlier(38, 31, "driveway", "Driveway", ("person", "car"), 44)),
        quiet_hours=True,
    )


def largest() -> Evidence:
    """More tracks, classes and earlier events than a prompt has room for."""
    names = ("person", "car", "bicycle", "motorcycle", "dog")
    detections = [
        detection(step * 9.7, 20 + 120 * (number % 10), 60 + 130 * (number // 10), 60, 110, names[number % 5], 0.87)
        for number in range(50)
        for step in range(2)
    ]
    return evidence(
        detections,
        unusual=tuple(usual(name, 1.25, -1.1) for name in names),
        recent=tuple(earlier(number, number * 3.7, "d", "Driveway", ("person", "car")) for number in range(1, 15)),
    )
