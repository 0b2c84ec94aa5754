"""A bucket of tokens: a minute's worth at once, then a steady rate, and never more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rate_limit import Limit, TokenBucket, allowed, refused


def test_a_full_bucket_gives_a_minutes_worth_at_once() -> None:
    bucket = TokenBucket(Limit(6), now=100.0)
    assert [bucket.take(1, 100.0).tokens for _ in range(7)] == [1, 1, 1, 1, 1, 1, 0]


def test_it_fills_steadily() -> None:
    bucket = TokenBucket(Limit(6), now=0.0)
    bucket.take(6, 0.0)
    assert [bucket.take(1, now).tokens for now in (9.9, 10.0, 19.9, 20.0)] == [0, 1, 0, 1]


def test_it_never_holds_more_than_a_minutes_worth() -> None:
    bucket = TokenBucket(Limit(6), now=0.0)
    assert bucket.take(100, 86_400.0).tokens == 6


def test_it_gives_what_there_is_when_more_is_asked() -> None:
    bucket = TokenBucket(Limit(6), now=0.0)
    assert [bucket.take(4, 0.0).tokens for _ in range(3)] == [4, 2, 0]


def test_a_clock_that_stands_back_gives_nothing_away() -> None:
    bucket = TokenBucket(Limit(6), now=100.0)
    bucket.take(6, 100.0)
    assert bucket.take(1, 50.0).tokens == 0
    assert bucket.take(1, 100.0).tokens == 0


@given(st.integers(1, 100_000), st.lists(st.tuples(st.floats(0, 30), st.integers(1, 200)), max_size=50))
def test_no_one_gets_more_than_a_full_bucket_and_the_rate(per_minute: int, steps: list[tuple[float, int]]) -> None:
    bucket, now, got = TokenBucket(Limit(per_minute), now=0.0), 0.0, 0
    for wait, asked in steps:
        now += wait
        got += bucket.take(asked, now).tokens
    assert got <= per_minute * (1 + now / 60) + 1e-6


@pytest.mark.parametrize(("per_minute", "share"), [(1, 1), (600, 1), (1200, 2), (60_000, 100)])
def test_a_share_is_a_tenth_of_a_second(per_minute: int, share: int) -> None:
    assert Limit(per_minute).share == share


def test_a_verdict_says_what_is_left_and_when_to_come_again() -> None:
    yes, no = allowed(Limit(60), 59.4), refused(Limit(60), 0.25)
    assert (yes.allowed, yes.remaining, yes.reset_seconds, yes.retry_after_seconds) == (True, 59, 1, 0)
    assert (no.allowed, no.remaining, no.reset_seconds, no.retry_after_seconds) == (False, 0, 60, 1)
    assert refused(Limit(6), 0.0).retry_after_seconds == 10
