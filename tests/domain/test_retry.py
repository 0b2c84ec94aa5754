"""When failed work is tried again."""

from datetime import timedelta
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.retry import BATCHES, DELIVERIES, MEDIA, GiveUp, RetryIn, RetryPolicy, next_try

PATIENT = RetryPolicy(tries=100)


def wait(policy: RetryPolicy, attempts: int, random: float = 0.0, retry_after: float | None = None) -> float:
    decision = next_try(policy, attempts, random, retry_after)
    assert isinstance(decision, RetryIn)
    return decision.seconds


def test_the_wait_doubles_from_one_second_to_thirty() -> None:
    assert [wait(PATIENT, attempts) for attempts in range(1, 8)] == [1, 2, 4, 8, 16, 20, 20]
    assert [wait(PATIENT, attempts, 0.999999) for attempts in range(1, 8)] == pytest.approx(
        [1.5, 3, 6, 12, 24, 30, 30], abs=1e-3
    )


@pytest.mark.parametrize(("policy", "tries"), [(MEDIA, 5), (BATCHES, 5), (DELIVERIES, 3)])
def test_the_last_try_is_followed_by_giving_up(policy: RetryPolicy, tries: int) -> None:
    assert isinstance(next_try(policy, tries - 1, 0.5), RetryIn)
    assert next_try(policy, tries, 0.5) == GiveUp(tries)
    assert next_try(policy, tries + 1, 0.5) == GiveUp(tries + 1)


def test_a_receiver_that_asks_for_patience_gets_it() -> None:
    assert wait(DELIVERIES, 1, 0.5, retry_after=120) == 120


@pytest.mark.parametrize("asked", [0, -5, -inf, nan, 0.001])
def test_a_receiver_cannot_shorten_the_wait(asked: float) -> None:
    assert wait(DELIVERIES, 2, 0.0, retry_after=asked) == 2


@pytest.mark.parametrize("asked", [10**9, inf])
def test_a_receiver_cannot_put_a_delivery_off_for_ever(asked: float) -> None:
    assert wait(DELIVERIES, 1, 0.5, retry_after=asked) == 3600


def test_two_that_failed_together_do_not_come_back_together() -> None:
    assert wait(PATIENT, 50, 0.1) != wait(PATIENT, 50, 0.9)


@given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_the_most(attempts: int, random: float) -> None:
    policy = RetryPolicy(tries=10**7, most=timedelta(seconds=7))

    assert 1 <= wait(policy, attempts, random) <= 7
