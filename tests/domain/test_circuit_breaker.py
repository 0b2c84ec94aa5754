"""When a breaker refuses calls, and when it trusts again."""

import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.circuit_breaker import Admitted, CircuitBreaker, Rejected, lets_through
from schemas.breaker import BreakerPolicy, BreakerState

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def admitted(breaker: CircuitBreaker, seconds: float) -> Admitted:
    answer = breaker.admit(after(seconds))
    assert isinstance(answer, Admitted)
    return answer


def rejected(breaker: CircuitBreaker, seconds: float) -> float:
    answer = breaker.admit(after(seconds))
    assert isinstance(answer, Rejected)
    return answer.retry_in


def fail(breaker: CircuitBreaker, seconds: float, times: int = 1) -> None:
    for _ in range(times):
        breaker.fail(admitted(breaker, seconds), after(seconds))


def opened(seconds: float = 0) -> CircuitBreaker:
    breaker = CircuitBreaker("yolo26")
    fail(breaker, seconds, 5)
    return breaker


def state(breaker: CircuitBreaker) -> BreakerState:
    return breaker.status().state


def test_five_failures_in_a_row_open_it() -> None:
    breaker = CircuitBreaker("yolo26")
    fail(breaker, 0, 4)
    assert state(breaker) is BreakerState.CLOSED

    fail(breaker, 1)
    assert state(breaker) is BreakerState.OPEN
    assert breaker.status().opened_at == after(1)
    assert breaker.status().last_state_change == after(1)


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = CircuitBreaker("yolo26")
    fail(breaker, 0, 4)
    breaker.succeed(admitted(breaker, 1), after(1))
    fail(breaker, 2, 4)

    assert state(breaker) is BreakerState.CLOSED
    assert breaker.status().failure_count == 4


def test_while_open_calls_are_refused_with_the_time_that_is_left() -> None:
    breaker = opened()

    assert rejected(breaker, 10) == 20
    assert rejected(breaker, 29.5) == 0.5
    assert breaker.status().rejected_calls == 2
    assert breaker.status().total_calls == 7


def test_after_thirty_seconds_three_trial_calls_are_let_through() -> None:
    breaker = opened()

    for _ in range(3):
        admitted(breaker, 30)
    assert state(breaker) is BreakerState.HALF_OPEN
    assert rejected(breaker, 31) == 29


def test_two_successful_trials_close_it() -> None:
    breaker = opened()
    calls = [admitted(breaker, 30) for _ in range(2)]
    breaker.succeed(calls[0], after(31))
    assert state(breaker) is BreakerState.HALF_OPEN

    breaker.succeed(calls[1], after(32))
    status = breaker.status()
    assert status.state is BreakerState.CLOSED
    assert status.failure_count == 0
    assert status.opened_at is None
    assert status.last_failure == after(0)
    admitted(breaker, 33)


def test_any_failed_trial_opens_it_for_another_thirty_seconds() -> None:
    breaker = opened()
    breaker.succeed(admitted(breaker, 30), after(30))
    fail(breaker, 31)

    assert state(breaker) is BreakerState.OPEN
    assert rejected(breaker, 31) == 30
    assert breaker.status().failure_count == 1


def test_one_success_left_over_from_an_earlier_trial_does_not_close_it() -> None:
    breaker = opened()
    breaker.succeed(admitted(breaker, 30), after(30))
    fail(breaker, 31)
    breaker.succeed(admitted(breaker, 61), after(61))

    assert state(breaker) is BreakerState.HALF_OPEN


def test_a_failure_that_began_before_the_trial_does_not_end_it() -> None:
    breaker = CircuitBreaker("yolo26")
    slow = admitted(breaker, 0)
    fail(breaker, 0, 5)
    trial = admitted(breaker, 30)
    breaker.fail(slow, after(31))
    assert state(breaker) is BreakerState.HALF_OPEN

    breaker.succeed(trial, after(32))
    breaker.succeed(admitted(breaker, 32), after(32))
    assert state(breaker) is BreakerState.CLOSED


def test_late_results_neither_close_an_open_breaker_nor_prolong_it() -> None:
    breaker = CircuitBreaker("yolo26")
    slow = [admitted(breaker, 0) for _ in range(3)]
    fail(breaker, 0, 5)
    for call in slow[:2]:
        breaker.succeed(call, after(5))
    breaker.fail(slow[2], after(20))

    assert state(breaker) is BreakerState.OPEN
    assert rejected(breaker, 25) == 5
    assert breaker.status().last_failure == after(20)


def test_a_failed_trial_that_reports_after_the_closing_opens_nothing() -> None:
    breaker = opened()
    calls = [admitted(breaker, 30) for _ in range(3)]
    breaker.succeed(calls[0], after(31))
    breaker.succeed(calls[1], after(31))
    breaker.fail(calls[2], after(32))

    assert breaker.status().failure_count == 0


def test_trials_that_never_report_make_room_after_the_recovery_time() -> None:
    breaker = opened()
    for _ in range(3):
        admitted(breaker, 30)
    assert rejected(breaker, 59) == 1

    for seconds in (60, 61):
        breaker.succeed(admitted(breaker, seconds), after(seconds))
    assert state(breaker) is BreakerState.CLOSED


def test_the_callers_own_mistake_counts_neither_way_and_frees_the_trials_place() -> None:
    breaker = opened()
    calls = [admitted(breaker, 30) for _ in range(3)]
    breaker.release(calls[0])

    admitted(breaker, 30)
    assert state(breaker) is BreakerState.HALF_OPEN
    assert breaker.status().success_count == 0


@pytest.mark.parametrize("trials", [None, 1], ids=["open", "half open"])
def test_a_reset_closes_it_and_tells_the_state_before(trials: int | None) -> None:
    breaker = opened()
    if trials:
        admitted(breaker, 30)
    before = breaker.reset(after(31))

    assert before is (BreakerState.HALF_OPEN if trials else BreakerState.OPEN)
    assert state(breaker) is BreakerState.CLOSED
    assert breaker.status().failure_count == 0
    admitted(breaker, 31)


def test_resetting_a_closed_breaker_changes_no_state() -> None:
    breaker = CircuitBreaker("yolo26")

    assert breaker.reset(after(1)) is BreakerState.CLOSED
    assert breaker.status().last_state_change is None


def test_calls_from_before_a_reset_do_not_count_after_it() -> None:
    breaker = CircuitBreaker("yolo26")
    calls = [admitted(breaker, 0) for _ in range(5)]
    breaker.reset(after(1))
    for call in calls:
        breaker.fail(call, after(2))

    assert state(breaker) is BreakerState.CLOSED


def test_a_clock_that_is_set_back_costs_one_recovery_time_at_most() -> None:
    breaker = opened(3600)

    assert rejected(breaker, 0) == 30
    admitted(breaker, 30)


def test_trials_begun_before_the_clock_was_set_back_make_room() -> None:
    breaker = opened(3600)
    for _ in range(3):
        admitted(breaker, 3630)

    admitted(breaker, 0)


def test_more_successes_needed_than_trials_allowed_still_closes() -> None:
    breaker = CircuitBreaker("x", BreakerPolicy(failure_threshold=1, half_open_max_calls=1, success_threshold=3))
    fail(breaker, 0)
    for seconds in (30, 31, 32):
        breaker.succeed(admitted(breaker, seconds), after(seconds))

    assert state(breaker) is BreakerState.CLOSED


def test_an_admission_survives_the_way_to_another_process() -> None:
    breaker = opened()
    for _ in range(2):
        call = pickle.loads(pickle.dumps(admitted(breaker, 30)))
        breaker.succeed(call, after(30))

    assert state(breaker) is BreakerState.CLOSED


@given(st.lists(st.tuples(st.sampled_from(["ok", "bad", "mine", "silent"]), st.floats(0, 20)), max_size=80))
def test_whatever_happened_calls_are_let_through_again_a_minute_after_the_last(
    history: list[tuple[str, float]],
) -> None:
    breaker, now = CircuitBreaker("yolo26"), 0.0
    for outcome, pause in history:
        now += pause
        call = breaker.admit(after(now))
        if isinstance(call, Rejected):
            assert 0 < call.retry_in <= 30
        elif outcome == "ok":
            breaker.succeed(call, after(now))
        elif outcome == "bad":
            breaker.fail(call, after(now))
        elif outcome == "mine":
            breaker.release(call)

    assert isinstance(breaker.admit(after(now + 60)), Admitted)


def test_a_look_from_outside_says_whether_asking_is_worth_it() -> None:
    breaker = CircuitBreaker("x")
    assert lets_through(breaker.status(), START)
    for _ in range(breaker.policy.failure_threshold):
        breaker.fail(admitted(breaker, 0), START)
    assert not lets_through(breaker.status(), after(breaker.policy.recovery_timeout - 0.001))
    assert lets_through(breaker.status(), after(breaker.policy.recovery_timeout))


def test_a_clock_that_is_set_back_does_not_keep_those_away_who_look_from_outside() -> None:
    assert lets_through(opened(3600).status(), after(0))
