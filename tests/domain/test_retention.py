"""When the daily run is, through the changes of the clocks; and how a run keeps its steps short."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.retention import Pace, PastRuns, Step, clock_time, cutoffs, due, next_run

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_next_run_is_today_when_its_time_is_still_to_come() -> None:
    assert next_run(utc("2025-12-30T01:59:59"), time(3), BERLIN) == utc("2025-12-30T02:00:00")


def test_the_next_run_is_tomorrow_when_its_time_is_over_or_just_now() -> None:
    assert next_run(utc("2025-12-30T02:00:00"), time(3), BERLIN) == utc("2025-12-31T02:00:00")


def test_the_day_is_the_houses_and_not_that_of_utc() -> None:
    assert next_run(utc("2025-12-30T20:00:00"), time(9), "Asia/Tokyo") == utc("2025-12-31T00:00:00")


def test_a_time_that_the_clocks_jump_over_comes_as_much_later() -> None:
    moment = next_run(utc("2025-03-29T12:00:00"), time(2, 30), BERLIN)
    assert moment.astimezone(ZoneInfo(BERLIN)).isoformat() == "2025-03-30T03:30:00+02:00"
    assert next_run(moment, time(2, 30), BERLIN) == utc("2025-03-31T00:30:00")


def test_of_a_time_that_comes_twice_the_first_counts_and_the_second_does_not() -> None:
    moment = next_run(utc("2025-10-25T12:00:00"), time(2, 30), BERLIN)
    assert moment == utc("2025-10-26T00:30:00")
    assert next_run(moment, time(2, 30), BERLIN) == utc("2025-10-27T01:30:00")


@given(
    st.integers(0, 3_000_000).map(lambda minutes: utc("2024-01-01T00:00:00") + timedelta(minutes=minutes)),
    st.times(),
    st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_a_run_always_follows_within_two_days_and_never_at_once(after: datetime, at: time, timezone: str) -> None:
    moment = next_run(after, at.replace(second=0, microsecond=0), timezone)
    assert after < moment <= after + timedelta(hours=50)


def test_a_run_that_was_missed_is_due() -> None:
    assert due(PastRuns(utc("2025-12-01T02:00:05")), time(3), BERLIN) == utc("2025-12-02T02:00:00")


def test_a_run_by_hand_counts_as_the_last_one() -> None:
    assert due(PastRuns(utc("2025-12-30T10:00:00")), time(3), BERLIN) == utc("2025-12-31T02:00:00")


def test_one_that_failed_is_tried_again_after_a_quarter_of_an_hour() -> None:
    past = PastRuns(utc("2025-12-29T02:00:00"), failed=utc("2025-12-30T02:00:00"))
    assert due(past, time(3), BERLIN) == utc("2025-12-30T02:15:00")


@pytest.mark.parametrize("text", ["3:00", "24:00", "03:60", "0300", "03:00:00", "", "aa:bb", "+3:00", "٠٣:٠٠"])
def test_a_time_of_day_is_written_in_one_way(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        clock_time(text)


def test_a_time_of_day_is_read() -> None:
    assert (clock_time("03:00"), clock_time("23:59")) == (time(3), time(23, 59))


def test_rows_and_logs_have_cutoffs_of_their_own() -> None:
    cut = cutoffs(utc("2025-12-31T00:00:00"), 30, 7)
    assert (cut.rows, cut.logs) == (utc("2025-12-01T00:00:00"), utc("2025-12-24T00:00:00"))


def test_a_step_that_took_long_makes_the_next_one_smaller_and_the_rest_longer() -> None:
    pace = Pace(step_seconds=0.05, rests=1.0)
    assert pace.next(Step(100), 0.1) == Step(50, 0.1)
    assert pace.next(Step(100), 5.0) == Step(50, pace.longest_rest_seconds)


def test_a_busy_machine_does_not_make_the_steps_so_small_that_nothing_gets_done() -> None:
    assert Pace().next(Step(30), 5.0).rows == Pace().smallest


def test_a_quick_step_makes_the_next_one_at_most_twice_as_large() -> None:
    assert Pace(step_seconds=0.05).next(Step(100), 0.001).rows == 200
    assert Pace(largest=150).next(Step(100), 0.001).rows == 150


@given(st.integers(1, 10_000), st.floats(0, 1000))
def test_a_step_always_has_a_row_and_never_more_than_the_most(rows: int, took: float) -> None:
    pace = Pace()
    step = pace.next(Step(rows), took)
    assert pace.smallest <= step.rows <= pace.largest
    assert 0 <= step.rest_seconds <= pace.longest_rest_seconds
