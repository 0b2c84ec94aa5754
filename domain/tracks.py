"""Which of a batch's detections are the same object: tracks by class over time, and how each moved.

Cameras here drop a picture every few seconds, so a box seldom overlaps where the object was before. Frame by frame,
boxes are given to tracks by predicted place, the best pair first:

    predicted = last box + its last velocity × time         SORT's motion (Bewley et al., ICIP 2016), no Kalman filter
    score     = overlap - (centre distance / diagonal)²     as DIoU (Zheng et al., AAAI 2020) does, to tell boxes
                                                            apart that do not touch; by the boxes' mean diagonal
    best first, each box and each track once                the greedy IOU tracker (Bochinski et al., AVSS 2017)

A pair is possible only where the centre lies within reach, which grows with the time between, measured in box
diagonals. Appearance is not looked at: a track is a good guess at one object, not an identity.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from domain.labels import normalised
from domain.quoting import cleaned
from domain.track_facts import MOST_PIXELS, Box, movement, place, share_of_picture, sides_in_percent, tenths
from schemas.detection import Detection
from schemas.prompt_facts import Track

MOST_CLASS = 24
"""Bytes of a class's name, quoted."""
UNNAMED = "unnamed"

_MOST_GAP_SECONDS = 30.0
"""Between two sightings of what stayed in place: a batch's own longest pause by default."""
_REACH_IN_PLACE = 0.35
"""In box diagonals: how far off it may be then."""
_MOST_MOVING_GAP_SECONDS = 12.0
"""Of what did not stay in place: two frames of a clip may miss it."""
_REACH, _REACH_A_SECOND, _MOST_REACH = 0.6, 0.9, 4.0
"""In box diagonals: a person walks about 0.8 of theirs a second."""
_CROWD, _REACH_IN_CROWD = 40, 1.0
"""Among so many boxes of one class in a picture, one that is far off is as likely somebody else."""
_MOST_GROWTH = 3.0
"""From one sighting to the next, of the box's side."""
_LEAST_AREA = 1e-9


class _Seen(NamedTuple):
    """A detection, its figures made safe; sorts by time, frame and what it is."""

    at: datetime
    file_path: str
    frame_offset: float
    object_type: str
    x: float
    y: float
    width: float
    height: float
    confidence: float
    id: int
    picture: tuple[int, int] | None

    @property
    def frame(self) -> tuple[datetime, str, float]:
        return self[:3]


class _Chain:
    """A track in the making."""

    def __init__(self, first: _Seen, box: Box, at: float) -> None:
        self.seen, self.boxes, self.at = [first], [box], at
        self.velocity = (0.0, 0.0)
        """Of its centre, a second; 0 where its last two sightings do not tell."""

    @property
    def box(self) -> Box:
        return self.boxes[-1]

    def goes_on(self, one: _Seen, box: Box, at: float) -> None:
        between = at - self.at
        known = 0 < between <= _MOST_MOVING_GAP_SECONDS
        self.velocity = ((box.x - self.box.x) / between, (box.y - self.box.y) / between) if known else (0.0, 0.0)
        self.seen.append(one)
        self.boxes.append(box)
        self.at = at


def tracks(detections: Iterable[Detection], started_at: datetime) -> tuple[Track, ...]:
    """Every detection of one camera's batch in exactly one track, oldest first; the order they come in is no matter."""
    ordered = sorted((_seen(one) for one in detections), key=lambda seen: seen[:-1])
    in_heights = all(one.picture for one in ordered)
    by_class: dict[str, list[_Seen]] = {}
    for one in ordered:
        by_class.setdefault(one.object_type, []).append(one)
    found = [chain for seen in by_class.values() for chain in _chains(seen, in_heights)]
    found.sort(key=lambda chain: chain.seen[0][:-1])
    names = {name: cleaned(name, MOST_CLASS) or UNNAMED for name in by_class}
    return tuple(_track(names[chain.seen[0].object_type], chain, started_at) for chain in found)


def _seen(one: Detection) -> _Seen:
    box, width, height = one.bbox, one.picture_width, one.picture_height
    return _Seen(
        at=one.detected_at,
        file_path=one.file_path,
        frame_offset=one.frame_offset_seconds,
        object_type=normalised(one.object_type),
        x=_finite(box.x, -MOST_PIXELS, MOST_PIXELS),
        y=_finite(box.y, -MOST_PIXELS, MOST_PIXELS),
        width=_finite(box.width, 0, MOST_PIXELS),
        height=_finite(box.height, 0, MOST_PIXELS),
        confidence=_finite(one.confidence, 0, 1),
        id=one.id,
        picture=(width, height) if width and height and min(width, height) > 0 else None,
    )


def _finite(value: float, least: float, most: float) -> float:
    """Rows may hold what is no number; it must not spread."""
    return 0.0 if value != value else min(most, max(least, value))


def _chains(seen: Sequence[_Seen], in_heights: bool) -> list[_Chain]:
    """One class's sightings strung together; two of one frame never in one."""
    chains: list[_Chain] = []
    began = seen[0].at
    for _, frame in groupby(seen, key=lambda one: one.frame):
        found = list(frame)
        at = (found[0].at - began).total_seconds()
        boxes = [_box(one, in_heights) for one in found]
        live = [chain for chain in chains if at - chain.at <= _MOST_GAP_SECONDS]
        given = {column: live[row] for row, column in _pairs(live, boxes, at)}
        for column, (one, box) in enumerate(zip(found, boxes, strict=True)):
            if column in given:
                given[column].goes_on(one, box, at)
            else:
                chains.append(_Chain(one, box, at))
    return chains


def _box(one: _Seen, in_heights: bool) -> Box:
    """In pixels, or in heights of its picture: a clip of another resolution compares."""
    unit = one.picture[1] if in_heights and one.picture else 1
    return Box((one.x + one.width / 2) / unit, (one.y + one.height / 2) / unit, one.width / unit, one.height / unit)


def _pairs(live: Sequence[_Chain], boxes: Sequence[Box], at: float) -> list[tuple[int, int]]:
    """Which of the chains (rows) goes on in which of the frame's boxes (columns). Pairs are many: no calls for each."""
    sized = sorted(
        (*box, math.hypot(box.width, box.height), box.width * box.height + _LEAST_AREA, column)
        for column, box in enumerate(boxes)
    )
    most_reach = _REACH_IN_CROWD if len(boxes) > _CROWD else _MOST_REACH
    most_diagonal = max(one[4] for one in sized)
    possible: list[tuple[float, int, int]] = []
    for row, chain in enumerate(live):
        gap = at - chain.at
        moving = gap <= _MOST_MOVING_GAP_SECONDS
        reach = min(_REACH + _REACH_A_SECOND * gap, most_reach) if moving else _REACH_IN_PLACE
        last_x, last_y, last_width, last_height = chain.box
        expected_x = last_x + chain.velocity[0] * gap if moving else last_x
        expected_y = last_y + chain.velocity[1] * gap if moving else last_y
        diagonal, area = math.hypot(last_width, last_height), last_width * last_height + _LEAST_AREA
        least_area, most_area = area / _MOST_GROWTH**2, area * _MOST_GROWTH**2
        farthest = reach * (diagonal + most_diagonal) / 2
        near = bisect_left(sized, (min(last_x, expected_x) - farthest,))
        beyond = bisect_right(sized, (max(last_x, expected_x) + farthest, math.inf))
        for x, y, width, height, to_diagonal, to_area, column in sized[near:beyond]:
            right, down = x - expected_x, y - expected_y
            apart = right * right + down * down
            half = (diagonal + to_diagonal) / 2
            limit = reach * reach * half * half
            if apart > limit and (x - last_x) ** 2 + (y - last_y) ** 2 > limit:
                continue
            if least_area <= to_area <= most_area:
                far = apart / (half * half + _LEAST_AREA)
                score = -far
                if far < 1:  # else they cannot touch
                    across = min(width, last_width, (width + last_width) / 2 - abs(right))
                    along = min(height, last_height, (height + last_height) / 2 - abs(down))
                    if across > 0 and along > 0:
                        score += across * along / (area + to_area - across * along)
                possible.append((-score, row, column))
    possible.sort()
    return _each_once(possible, min(len(live), len(boxes)))


def _each_once(possible: Iterable[tuple[float, int, int]], most: int) -> list[tuple[int, int]]:
    """From the best pair on, those of which neither side is taken yet."""
    pairs: list[tuple[int, int]] = []
    rows: set[int] = set()
    columns: set[int] = set()
    for _, row, column in possible:
        if row not in rows and column not in columns:
            pairs.append((row, column))
            rows.add(row)
            columns.add(column)
            if len(pairs) == most:
                break
    return pairs


def _track(name: str, chain: _Chain, started_at: datetime) -> Track:
    seen = chain.seen
    confidences = [one.confidence for one in seen]
    placed = [
        sides_in_percent(one.x, one.y, one.width, one.height, one.picture) for one in seen if one.picture is not None
    ]
    largest = max(placed, key=share_of_picture, default=None)
    return Track(
        object_type=name,
        first_seen_seconds=tenths((seen[0].at - started_at).total_seconds()),
        last_seen_seconds=tenths((seen[-1].at - started_at).total_seconds()),
        sightings=len(seen),
        confidence_mean=round(math.fsum(confidences) / len(confidences), 2),
        confidence_max=round(max(confidences), 2),
        movement=movement(chain.boxes),
        from_place=place(placed[0]) if placed else None,
        to_place=place(placed[-1]) if placed else None,
        largest_percent=tenths(share_of_picture(largest)) if largest else None,
        largest_box=(round(largest[0]), round(largest[1]), round(largest[2]), round(largest[3])) if largest else None,
    )
