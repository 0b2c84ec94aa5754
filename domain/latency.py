"""Exact figures from packed samples: the percentiles of a window, or of each bucket of one.

A sample is two numbers: when it ended, and how long it took in twentieths of a millisecond, so that 29 hours fit into
four bytes and a figure is right to a tenth.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.latency import BucketFigures, LatencyFigures

TICKS_A_MILLISECOND = 20
PERCENTILES = (50, 95, 99)

Ticks = NDArray[np.int32]


@dataclass(frozen=True)
class Buckets:
    """Equal spans of time, the last of which holds `until`; they begin at multiples of their length since 1970."""

    first: datetime
    length_seconds: int
    count: int

    @classmethod
    def over(cls, since: datetime, until: datetime, length_seconds: int) -> "Buckets":
        first = int(since.timestamp()) // length_seconds
        last = int(until.timestamp()) // length_seconds
        return cls(datetime.fromtimestamp(first * length_seconds, UTC), length_seconds, last - first + 1)

    @property
    def starts(self) -> tuple[datetime, ...]:
        return tuple(self.first + timedelta(seconds=number * self.length_seconds) for number in range(self.count))

    def numbers(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """In which bucket each moment lies, given in seconds since 1970; below 0 or from `count` on for none."""
        since_first = seconds - self.first.timestamp()
        return np.floor_divide(since_first, self.length_seconds).astype(np.int64)


def figures(ticks: Ticks) -> LatencyFigures | None:
    """All seven of these samples; None without any."""
    if not len(ticks):
        return None
    ordered = np.sort(ticks)
    whole = _Spans(np.array([0]), np.array([len(ordered)]))
    p50, p95, p99 = (_milliseconds(_percentile(ordered, whole, percent))[0] for percent in PERCENTILES)
    low, average, high = _milliseconds(np.array([ordered[0], ordered.mean(dtype=np.float64), ordered[-1]]))
    return LatencyFigures(
        avg_ms=average, min_ms=low, max_ms=high, p50_ms=p50, p95_ms=p95, p99_ms=p99, sample_count=len(ticks)
    )


def bucket_figures(ticks: Ticks, numbers: NDArray[np.int64], count: int) -> tuple[BucketFigures | None, ...]:
    """The figures of each of `count` buckets, of samples that lie in the buckets with these numbers."""
    found: list[BucketFigures | None] = [None] * count
    keys = np.sort((numbers << 32) | ticks)  # by bucket, then by duration, in one sort
    edges = np.searchsorted(keys, np.arange(count + 1, dtype=np.int64) << 32)
    filled = np.flatnonzero(np.diff(edges))
    if not len(filled):
        return tuple(found)
    ordered = (keys[: edges[-1]] & 0xFFFFFFFF).astype(np.int64)
    starts = edges[filled]
    spans = _Spans(starts, edges[filled + 1] - starts)
    sums = np.add.reduceat(ordered, starts)
    columns = [
        _milliseconds(sums / spans.lengths),
        *(_milliseconds(_percentile(ordered, spans, percent)) for percent in PERCENTILES),
        spans.lengths.tolist(),
    ]
    for number, average, p50, p95, p99, samples in zip(filled.tolist(), *columns, strict=True):
        found[number] = BucketFigures.model_construct(
            avg_ms=average, p50_ms=p50, p95_ms=p95, p99_ms=p99, sample_count=samples
        )
    return tuple(found)


@dataclass(frozen=True)
class _Spans:
    """Where each group of ordered samples begins, and how long it is."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]


def _percentile(ordered: NDArray[Any], spans: _Spans, percent: int) -> NDArray[np.float64]:
    """Of each span, interpolated linearly between the two nearest samples, as PostgreSQL's percentile_cont does."""
    place = (spans.lengths - 1) * (percent / 100)
    below = np.floor(place).astype(np.int64)
    low = ordered[spans.starts + below].astype(np.float64)
    high = ordered[spans.starts + np.minimum(below + 1, spans.lengths - 1)]
    interpolated: NDArray[np.float64] = low + (high - low) * (place - below)
    return interpolated


def _milliseconds(ticks: NDArray[Any]) -> list[float]:
    found: list[float] = np.round(ticks / TICKS_A_MILLISECOND, 1).tolist()
    return found
