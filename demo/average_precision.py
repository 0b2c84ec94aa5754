"""Average precision at an overlap of one half: what share of drawn objects a detector finds, and how purely."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_OVERLAP = 0.5


@dataclass(frozen=True)
class Box:
    """A class and a rectangle in pixels; `confidence` is 1 for the truth."""

    object_type: str
    x: float
    y: float
    width: float
    height: float
    confidence: float = 1.0


@dataclass(frozen=True)
class Verdict:
    """One found box: how sure the detector was, and whether a true box was there for it alone."""

    confidence: float
    hit: bool


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0..1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def judge(found: Sequence[Box], truth: Sequence[Box]) -> list[Verdict]:
    """One picture's boxes, the surest first: each takes the free true box of its class that it overlaps most."""
    free, verdicts = list(truth), []
    for box in sorted(found, key=lambda one: -one.confidence):
        near = [(overlap(box, true), number) for number, true in enumerate(free) if true.object_type == box.object_type]
        best, number = max(near, default=(0.0, -1))
        hit = best >= LEAST_OVERLAP
        if hit:
            del free[number]
        verdicts.append(Verdict(box.confidence, hit))
    return verdicts


def average_precision(verdicts: Sequence[Verdict], wanted: int) -> float:
    """The area under the precision-recall curve, precision made to fall monotonically as PASCAL VOC does since 2010.

    `wanted` is the number of true boxes; NaN where there are none.
    """
    if wanted == 0:
        return float("nan")
    hits = np.array([verdict.hit for verdict in sorted(verdicts, key=lambda one: -one.confidence)], np.float64)
    recall = np.cumsum(hits) / wanted
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def average_precisions(
    found: Sequence[Sequence[Box]], truth: Sequence[Sequence[Box]], classes: Sequence[str]
) -> dict[str, float]:
    """Each class's average precision over the same pictures, one sequence of boxes a picture."""
    return {name: average_precision(*_judged(_only(found, name), _only(truth, name))) for name in classes}


def precision_and_recall(
    found: Sequence[Sequence[Box]], truth: Sequence[Sequence[Box]], least_confidence: float
) -> tuple[float, float]:
    """How much of what is found is there, and how much of what is there is found, at a threshold; NaN for none."""
    sure = [[box for box in boxes if box.confidence >= least_confidence] for boxes in found]
    verdicts, wanted = _judged(sure, truth)
    hits = sum(verdict.hit for verdict in verdicts)
    return hits / len(verdicts) if verdicts else float("nan"), hits / wanted if wanted else float("nan")


def _judged(found: Sequence[Sequence[Box]], truth: Sequence[Sequence[Box]]) -> tuple[list[Verdict], int]:
    pairs = zip(found, truth, strict=True)
    return [verdict for boxes, true in pairs for verdict in judge(boxes, true)], sum(map(len, truth))


def _only(pictures: Sequence[Sequence[Box]], name: str) -> list[list[Box]]:
    return [[box for box in boxes if box.object_type == name] for boxes in pictures]
