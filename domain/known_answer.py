"""Whether a detector still finds in a known picture what it is known to find there.

Runtimes and devices differ in the last digits, so boxes are compared by their overlap and confidences within a margin.
"""

from collections.abc import Iterable, Sequence

from schemas.detection import BoundingBox, DetectedObject

SURE = 0.25
"""What is known with less confidence may be missing: it stands too near to the edge of being found at all."""
NEWS = 0.5
"""What is found with less confidence may be new, for the same reason."""
LEAST_OVERLAP = 0.5
CONFIDENCE_MARGIN = 0.25


def difference(known: Sequence[DetectedObject], found: Sequence[DetectedObject]) -> str | None:
    """What is other than it should be, in words; None when it is as it should be."""
    for one in known:
        if one.confidence < SURE:
            continue
        match = _best(one, found)
        if match is None:
            return f"it no longer finds the {_words(one)} in the check picture"
        if abs(match.confidence - one.confidence) > CONFIDENCE_MARGIN:
            return (
                f"it finds the {_words(one)} in the check picture with a confidence of {match.confidence:.2f}, "
                f"where {one.confidence:.2f} is known"
            )
    for one in found:
        if one.confidence >= NEWS and _best(one, known) is None:
            return f"it finds a {_words(one)} in the check picture where nothing of the kind is known"
    return None


def overlap(one: BoundingBox, other: BoundingBox) -> float:
    """Intersection over union; 0 for boxes without an area."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    both = one.width * one.height + other.width * other.height - shared
    return shared / both if both > 0 else 0.0


def _best(wanted: DetectedObject, among: Iterable[DetectedObject]) -> DetectedObject | None:
    """The one of its class that lies most where it lies."""
    alike = [one for one in among if one.object_type == wanted.object_type]
    best = max(alike, key=lambda one: overlap(one.bbox, wanted.bbox), default=None)
    return best if best is not None and overlap(best.bbox, wanted.bbox) >= LEAST_OVERLAP else None


def _words(one: DetectedObject) -> str:
    return f"{one.object_type} at {one.bbox.x:.0f},{one.bbox.y:.0f}"
