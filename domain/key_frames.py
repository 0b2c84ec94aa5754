"""Which few detections of a batch are shown to a model that sees: spread over time, the gravest and surest first."""

from collections.abc import Iterable, Sequence

from domain.labels import normalised
from domain.risk_weights import weight_of
from schemas.detection import Detection

MOST_KEY_FRAMES = 4


def key_frames(detections: Iterable[Detection], most: int = MOST_KEY_FRAMES) -> tuple[Detection, ...]:
    """One detection for each chosen picture or frame, in the order in which they were taken.

    The batch's time is cut into `most` equal parts; each gives its best frame, and places that are left go to the
    best of the others. A frame is as good as its gravest class, then as sure as the surest detection of that class.
    """
    frames = _best_of_each_frame(detections)
    if len(frames) <= most:
        return tuple(_in_time(frames))
    chosen = [min(part, key=_rank) for part in _parts(frames, most) if part]
    others = sorted((frame for frame in frames if frame not in chosen), key=_rank)
    return tuple(_in_time([*chosen, *others[: most - len(chosen)]]))


def _best_of_each_frame(detections: Iterable[Detection]) -> list[Detection]:
    best: dict[tuple[object, ...], Detection] = {}
    for detection in detections:
        frame = (detection.file_path, detection.detected_at, detection.frame_offset_seconds)
        best[frame] = min(best.get(frame, detection), detection, key=_rank)
    return [*best.values()]


def _parts(frames: Sequence[Detection], count: int) -> list[list[Detection]]:
    first, last = (edge(frame.detected_at for frame in frames) for edge in (min, max))
    length = (last - first).total_seconds()
    parts: list[list[Detection]] = [[] for _ in range(count)]
    for frame in frames:
        place = count * (frame.detected_at - first).total_seconds() / length if length else 0.0
        parts[min(count - 1, int(place))].append(frame)
    return parts


def _rank(detection: Detection) -> tuple[float, float, int]:
    """Lower is better; the row's number decides between equals, so that the choice is always the same."""
    return -weight_of(normalised(detection.object_type)).presence, -detection.confidence, detection.id


def _in_time(frames: Iterable[Detection]) -> list[Detection]:
    return sorted(frames, key=lambda frame: (frame.detected_at, frame.id))
