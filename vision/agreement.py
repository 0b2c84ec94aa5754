"""When two runtimes are said to agree: the tolerance, in one place, and what breaks it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_OVERLAP = 0.9
"""Intersection over union of the two boxes of one object."""
MOST_CONFIDENCE_APART = 0.02


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A box that one runtime gave and the other did not."""

    frame: int
    row: tuple[float, ...]
    """x1, y1, x2, y2, confidence, class."""
    nearest_overlap: float
    nearest_confidence: float | None


def disagreements(
    ours: list[NDArray[np.float32]], theirs: list[NDArray[np.float32]], threshold: float
) -> list[Disagreement]:
    """Boxes without a counterpart of the same class, in either direction.

    A box within the tolerance of the threshold may lie on either side of it, so it needs no counterpart.
    """
    found: list[Disagreement] = []
    for frame, (left, right) in enumerate(zip(ours, theirs, strict=True)):
        found += _missing(frame, left, right, threshold) + _missing(frame, right, left, threshold)
    return found


def _missing(
    frame: int, rows: NDArray[np.float32], others: NDArray[np.float32], threshold: float
) -> list[Disagreement]:
    missing: list[Disagreement] = []
    for row in rows[rows[:, 4] > threshold + MOST_CONFIDENCE_APART]:
        same_class = others[others[:, 5] == row[5]]
        overlaps = overlap(row, same_class)
        apart = np.abs(same_class[:, 4] - row[4])
        if not np.any((overlaps >= LEAST_OVERLAP) & (apart <= MOST_CONFIDENCE_APART)):
            best = int(overlaps.argmax()) if len(overlaps) else None
            values = tuple(float(value) for value in row)
            missing.append(
                Disagreement(frame, values, 0.0, None)
                if best is None
                else Disagreement(frame, values, float(overlaps[best]), float(same_class[best, 4]))
            )
    return missing


def overlap(row: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of one box with each of the others."""
    width = np.minimum(row[2], others[:, 2]) - np.maximum(row[0], others[:, 0])
    height = np.minimum(row[3], others[:, 3]) - np.maximum(row[1], others[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    union = (row[2] - row[0]) * (row[3] - row[1]) + areas - shared
    shares: NDArray[np.float32] = shared / np.maximum(union, 1e-9)
    return shares
