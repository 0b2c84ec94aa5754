"""Shares with Wilson's interval, and the area under the ROC curve with a bootstrapped one."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z = 1.959963984540054
"""Of a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `count`, with the 95 % interval."""

    hits: int
    count: int
    low: float
    high: float

    @property
    def value(self) -> float:
        return self.hits / self.count


@dataclass(frozen=True, slots=True)
class Area:
    """An area under the ROC curve, with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, count: int) -> Share:
    """E. B. Wilson's score interval (1927): never below 0 or above 1, and honest with few samples."""
    if count < 1 or not 0 <= hits <= count:
        raise ValueError(f"{hits} of {count} is no share")
    share, square = hits / count, _Z * _Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = _Z / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    low = 0.0 if hits == 0 else middle - half
    return Share(hits, count, low, 1.0 if hits == count else middle + half)


def auroc(incidents: Sequence[float], routine: Sequence[float]) -> float:
    """The chance that an incident scores more than a routine scene, a tie counting half (Mann-Whitney's U)."""
    if not incidents or not routine:
        raise ValueError("an area needs incidents and routine")
    ordered = sorted(routine)
    wins = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in incidents)
    return wins / (2 * len(incidents) * len(ordered))


def area(incidents: Sequence[float], routine: Sequence[float], draws: int = 1000, seed: int = 1) -> Area:
    """With the percentiles of `draws` areas, each of both groups drawn anew with replacement."""
    value = auroc(incidents, routine)
    levels = np.unique([*incidents, *routine])
    rng = np.random.default_rng(seed)
    above, below = (_drawn(group, levels, draws, rng) for group in (incidents, routine))
    # In whole numbers: twice the routine below each level, and once that at it.
    wins = (above * (2 * np.cumsum(below, axis=1) - below)).sum(axis=1)
    drawn = np.sort(wins / (2 * len(incidents) * len(routine)))
    return Area(value, float(drawn[int(0.025 * (draws - 1))]), float(drawn[math.ceil(0.975 * (draws - 1))]))


def _drawn(
    group: Sequence[float], levels: NDArray[np.float64], draws: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """How many of each level are in each drawing, draws × levels: all that the area depends on."""
    counts = np.bincount(np.searchsorted(levels, group), minlength=len(levels))
    return rng.multinomial(len(group), counts / len(group), size=draws)
