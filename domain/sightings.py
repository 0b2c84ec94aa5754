"""What a batch's detections amount to: for each class how many, how surely, and for how long."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.labels import normalised
from domain.plain_text import plain
from schemas.detection import Detection

_PLURALS = {"person": "people", "knife": "knives", "sheep": "sheep", "deer": "deer", "aircraft": "aircraft"}


@dataclass(frozen=True, slots=True)
class Sighting:
    """One class of object in one batch."""

    object_type: str
    """Normalised."""
    number: int
    """The most that were in one picture or frame: a lower bound of how many there were."""
    confidence: float
    """Of the surest detection."""
    seconds: float
    """From the first picture or frame with one to the last."""
    height: float | None = None
    """Of the tallest box, as a share of the picture's; None where the size of one of the pictures is not known."""

    def __str__(self) -> str:
        """`a person`, `2 people`."""
        noun = plain(self.object_type.replace("_", " "), 40) or "unnamed object"
        if self.number == 1:
            return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
        ending = "es" if noun.endswith(("s", "x", "ch", "sh")) else "s"
        return f"{self.number} {_PLURALS.get(noun, noun + ending)}"


def sightings(detections: Iterable[Detection]) -> tuple[Sighting, ...]:
    """One for each class, by name."""
    by_class: dict[str, list[Detection]] = {}
    for detection in detections:
        by_class.setdefault(normalised(detection.object_type), []).append(detection)
    return tuple(_sighting(object_type, by_class[object_type]) for object_type in sorted(by_class))


def _sighting(object_type: str, detections: list[Detection]) -> Sighting:
    times: list[datetime] = [detection.detected_at for detection in detections]
    frames = Counter((d.file_path, d.detected_at, d.frame_offset_seconds) for d in detections)
    return Sighting(
        object_type=object_type,
        number=max(frames.values()),
        confidence=max(detection.confidence for detection in detections),
        seconds=(max(times) - min(times)).total_seconds(),
        height=_tallest(detections),
    )


def _tallest(detections: list[Detection]) -> float | None:
    shares = [d.bbox.height / d.picture_height if d.picture_height else math.nan for d in detections]
    return min(1.0, max(0.0, *shares)) if all(map(math.isfinite, shares)) else None
