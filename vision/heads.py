"""Turning what a model's head answers into boxes, whichever of the two YOLO heads it is.

end to end     M×(6+…)   x1 y1 x2 y2 confidence class      already one box an object
one to many    (4+nc+…)×A   cx cy w h, then a confidence a class   many boxes an object: needs suppression
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.errors import BrokenOutput

OVERLAP_OF_ONE_OBJECT = 0.5
"""Two boxes of one class that overlap more (intersection over union) are one object. Public benchmarks use 0.7, which
suits crowds; on the demo's held-out drawings 0.45 to 0.6 is better in both precision and mAP50."""
MOST_CANDIDATES = 2_000
MOST_BOXES = 300
"""What an end-to-end YOLO head gives at most; the other head is held to the same."""

_FEW = 64
"""Up to here all pairs at once cost less than many small steps."""

_TASKS_WITH_BOXES = frozenset({"detect", "segment", "pose"})
_ROUNDING = 1e-3
"""Half precision may put a confidence this far above 1."""


class HeadKind(StrEnum):
    END_TO_END = "end_to_end"
    ONE_TO_MANY = "one_to_many"


@dataclass(frozen=True, slots=True)
class Head:
    """How to read one model's answers."""

    kind: HeadKind
    names: tuple[str, ...]

    def boxes(self, answer: NDArray[Any], confidence: float, frame_shape: tuple[int, int]) -> NDArray[np.float32]:
        """Rows of x1, y1, x2, y2, confidence, class in frame pixels, most certain first.

        `answer` is one frame's. Raises BrokenOutput where it holds no number at all, or numbers that no head gives.
        """
        rows = (
            self._end_to_end(answer, confidence) if self.kind is HeadKind.END_TO_END else self._many(answer, confidence)
        )
        if not len(rows):
            return rows
        if rows[0, 4] > 1 + _ROUNDING:
            raise BrokenOutput(f"the model gives a confidence of {rows[0, 4]:.3g}; its head lacks the sigmoid")
        height, width = frame_shape
        limits = np.array((width, height, width, height, 1, np.inf), np.float32)
        np.minimum(np.maximum(rows, 0, out=rows), limits, out=rows)
        return rows[(rows[:, 2] > rows[:, 0]) & (rows[:, 3] > rows[:, 1])]

    def _end_to_end(self, answer: NDArray[Any], confidence: float) -> NDArray[np.float32]:
        _refuse_if_no_number(answer[:, 4])
        rows = answer[np.nan_to_num(answer[:, 4], nan=-1) >= confidence, :6].astype(np.float32)
        rows = rows[np.isfinite(rows).all(axis=1)]
        rows = rows[(rows[:, 5] >= 0) & (rows[:, 5] < len(self.names))]
        return rows[np.argsort(-rows[:, 4], kind="stable")][:MOST_BOXES]

    def _many(self, answer: NDArray[Any], confidence: float) -> NDArray[np.float32]:
        scores = answer[4 : 4 + len(self.names)]
        best = scores.max(axis=0)
        surest = best.max()
        if surest < confidence and np.isfinite(surest):
            return np.empty((0, 6), np.float32)  # most frames of most cameras
        if not np.isfinite(surest):
            _refuse_if_no_number(best)
            best = np.nan_to_num(best, nan=-1, posinf=-1, neginf=-1)
        chosen = np.flatnonzero(best >= confidence)
        if len(chosen) > MOST_CANDIDATES:
            chosen = chosen[np.argpartition(-best[chosen], MOST_CANDIDATES)[:MOST_CANDIDATES]]
        chosen = chosen[np.argsort(-best[chosen], kind="stable")]
        centre_x, centre_y, width, height = answer[:4, chosen].astype(np.float32)
        rows = np.empty((len(chosen), 6), np.float32)
        rows[:, 0] = centre_x - width / 2
        rows[:, 1] = centre_y - height / 2
        rows[:, 2] = centre_x + width / 2
        rows[:, 3] = centre_y + height / 2
        rows[:, 4] = best[chosen]
        rows[:, 5] = scores[:, chosen].argmax(axis=0)
        rows = rows[np.isfinite(rows).all(axis=1)]
        return rows[one_box_an_object(rows)]


def one_box_an_object(rows: NDArray[np.float32], overlap: float = OVERLAP_OF_ONE_OBJECT) -> NDArray[np.intp]:
    """Which rows stay (x1, y1, x2, y2, confidence, class; most certain first): greedy suppression within each class."""
    x1, y1, x2, y2, _, classes = np.ascontiguousarray(rows.T)
    areas = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
    if len(rows) <= _FEW:
        width = np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1)
        height = np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1)
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        same = (shared > overlap * (areas[:, None] + areas - shared)) & (classes[:, None] == classes)
        return _first_of_each(same)
    left = np.arange(len(rows))
    kept: list[int] = []
    while len(left) and len(kept) < MOST_BOXES:
        first, rest = left[0], left[1:]
        kept.append(int(first))
        width = np.minimum(x2[first], x2[rest]) - np.maximum(x1[first], x1[rest])
        height = np.minimum(y2[first], y2[rest]) - np.maximum(y1[first], y1[rest])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        alike = shared > overlap * (areas[first] + areas[rest] - shared)
        left = rest[~(alike & (classes[rest] == classes[first]))]
    return np.array(kept, np.intp)


def _first_of_each(same: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows that no row kept before them is the same as."""
    taken = np.zeros(len(same), np.bool_)
    kept: list[int] = []
    for row, others in enumerate(same):
        if not taken[row]:
            kept.append(row)
            taken |= others
    return np.array(kept, np.intp)


def head_of(answer_shape: tuple[int, ...], metadata: Mapping[str, Any]) -> Head:
    """Which head answers in this shape (the batch's axis first), by the shape and what the export says of itself.

    Raises ValueError, in words for the user, where it is neither.
    """
    task = str(metadata.get("task", "detect"))
    if task not in _TASKS_WITH_BOXES:
        raise ValueError(f"this is a model for the task '{task}'; the detector needs one that finds boxes")
    if len(answer_shape) != 3:
        raise ValueError(f"its answer has the shape {answer_shape}, which is no YOLO detection head's")
    names = parse_names(metadata.get("names"))
    rows, columns = answer_shape[1], answer_shape[2]
    if _gives_one_box_an_object(rows, columns, names, metadata):
        return Head(HeadKind.END_TO_END, names or _numbered(1000))
    if rows < 5 or (names is None and columns <= rows):
        raise ValueError(f"its answer has the shape {answer_shape}, which is no YOLO detection head's")
    if names is not None and rows < 4 + len(names):
        raise ValueError(f"it names {len(names)} classes and answers for {rows - 4}")
    return Head(HeadKind.ONE_TO_MANY, names or _numbered(rows - 4))


def _gives_one_box_an_object(
    rows: int, columns: int, names: tuple[str, ...] | None, metadata: Mapping[str, Any]
) -> bool:
    """Six columns and no room for a confidence a class; more columns (masks, keypoints) only if the export says so."""
    if columns < 6 or (names is not None and rows == 4 + len(names) and not _truth(metadata.get("end2end"))):
        return False
    return columns == 6 or (_truth(metadata.get("end2end")) and columns < rows)


def parse_names(written: object) -> tuple[str, ...] | None:
    """Class names as exports write them: a list, a dict by number, or either as text; None where there are none."""
    if isinstance(written, str):
        try:
            written = ast.literal_eval(written)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ValueError("its list of class names cannot be read") from None
    if isinstance(written, Mapping):
        numbers = {int(number): str(name) for number, name in written.items()}
        if sorted(numbers) != list(range(len(numbers))):
            raise ValueError("its class names are not numbered from 0 on")
        written = [numbers[number] for number in range(len(numbers))]
    if not isinstance(written, (list, tuple)) or not written:
        return None
    return tuple(str(name).strip() or f"class{number}" for number, name in enumerate(written))


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"class{number}" for number in range(count))


def _truth(written: object) -> bool:
    return written is True or str(written).lower() == "true"


def _refuse_if_no_number(confidences: NDArray[Any]) -> None:
    """A stray NaN is left out later; a frame of nothing else means that the model is broken, not the scene empty."""
    if len(confidences) and not np.isfinite(confidences).any():
        raise BrokenOutput(
            "the model answers with no finite number (half precision that overflowed, or broken weights)"
        )
