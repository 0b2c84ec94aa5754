"""Exact figures, whatever the samples."""

from datetime import UTC, datetime, timedelta
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.latency import TICKS_A_MILLISECOND, Buckets, bucket_figures, figures

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TICKS = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=60)


def _interpolated(values: list[int], share: float) -> float:
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low, high = ordered[floor(place)], ordered[min(floor(place) + 1, len(ordered) - 1)]
    return (low + (high - low) * (place - floor(place))) / TICKS_A_MILLISECOND


@given(TICKS)
def test_figures_are_exact_to_a_tenth(values: list[int]) -> None:
    found = figures(np.array(values, np.int32))
    assert found is not None
    assert found.sample_count == len(values)
    assert found.min_ms == pytest.approx(min(values) / TICKS_A_MILLISECOND, abs=0.051)
    assert found.max_ms == pytest.approx(max(values) / TICKS_A_MILLISECOND, abs=0.051)
    assert found.avg_ms == pytest.approx(sum(values) / len(values) / TICKS_A_MILLISECOND, abs=0.051)
    for told, share in ((found.p50_ms, 0.5), (found.p95_ms, 0.95), (found.p99_ms, 0.99)):
        assert told == pytest.approx(_interpolated(values, share), abs=0.051)


@given(st.lists(st.tuples(st.integers(-2, 7), st.integers(0, 2**31 - 1)), max_size=80))
def test_each_bucket_has_the_figures_of_its_own_samples(samples: list[tuple[int, int]]) -> None:
    numbers = np.array([number for number, _ in samples], np.int64)
    ticks = np.array([value for _, value in samples], np.int32)
    found = bucket_figures(ticks, numbers, 5)
    for number in range(5):
        whole = figures(ticks[numbers == number])
        told = found[number]
        if whole is None:
            assert told is None
        else:
            assert told is not None
            assert told.model_dump() == whole.model_dump(exclude={"min_ms", "max_ms"})


def test_no_samples_are_no_figures() -> None:
    assert figures(np.empty(0, np.int32)) is None
    assert bucket_figures(np.empty(0, np.int32), np.empty(0, np.int64), 3) == (None, None, None)


@pytest.mark.parametrize("seconds", [10, 37, 60, 3600])
def test_buckets_cover_the_window_and_begin_at_multiples(seconds: int) -> None:
    since, until = NOON - timedelta(minutes=59, seconds=3), NOON + timedelta(seconds=4)
    buckets = Buckets.over(since, until, seconds)
    starts = buckets.starts
    length = timedelta(seconds=seconds)
    assert starts[0] <= since < starts[0] + length
    assert starts[-1] <= until < starts[-1] + length
    assert all(start.timestamp() % seconds == 0 for start in starts)
    moments = np.array([since.timestamp(), until.timestamp(), starts[0].timestamp() - 0.001])
    assert buckets.numbers(moments).tolist() == [0, buckets.count - 1, -1]
