"""Schedules by the clock on the wall: nights, weekdays, zones, and the hours that daylight saving skips or repeats."""

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.schedule import describe, describe_moment, is_active, is_always
from schemas.alert_rule import Schedule, Weekday

BERLIN = "Europe/Berlin"
NEW_YORK = "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"
ZONES = (BERLIN, NEW_YORK, LORD_HOWE, "UTC", "Asia/Kathmandu", "Africa/Cairo", "Pacific/Apia", "America/St_Johns")


def hours(start: str | None, end: str | None, *days: str, zone: str | None = None) -> Schedule:
    return Schedule.model_validate({"days": days or None, "start_time": start, "end_time": end, "timezone": zone})


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN), fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


FRIDAY_NIGHT = hours("22:00", "06:00", "fri")
# 2026-01-02 is a Friday.


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-01-02T21:59:59.999999", False),
        ("2026-01-02T22:00:00", True),
        ("2026-01-02T23:59:59.999999", True),
        ("2026-01-03T00:00:00", True),
        ("2026-01-03T02:00:00", True),
        ("2026-01-03T05:59:59.999999", True),
        ("2026-01-03T06:00:00", False),
        ("2026-01-03T22:00:00", False),
        ("2026-01-02T02:00:00", False),
        ("2026-01-02T00:00:00", False),
    ],
)
def test_friday_night_ends_on_saturday_morning_and_does_not_begin_on_friday_morning(
    moment: str, expected: bool
) -> None:
    assert is_active(FRIDAY_NIGHT, berlin(moment), BERLIN) is expected


def test_sunday_night_reaches_into_monday() -> None:
    assert is_active(hours("22:00", "06:00", "sun"), berlin("2026-01-05T05:00"), BERLIN)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("08:59:59.999999", False), ("09:00:00", True), ("16:59:59.999999", True), ("17:00:00", False)],
)
def test_hours_within_a_day_include_their_start_and_exclude_their_end(moment: str, expected: bool) -> None:
    assert is_active(hours("09:00", "17:00"), berlin(f"2026-01-02T{moment}"), BERLIN) is expected


def test_seconds_are_kept() -> None:
    schedule = hours("09:00:30", "09:00:31")
    assert is_active(schedule, berlin("2026-01-02T09:00:30.5"), BERLIN)
    assert not is_active(schedule, berlin("2026-01-02T09:00:29.999999"), BERLIN)
    assert not is_active(schedule, berlin("2026-01-02T09:00:31"), BERLIN)


@pytest.mark.parametrize("end", ["23:59", "23:59:00", "23:59:59"])
def test_an_end_in_the_days_last_minute_means_midnight(end: str) -> None:
    schedule = hours("22:00:00", end, "fri")
    assert is_active(schedule, berlin("2026-01-02T23:59:59.999999"), BERLIN)
    assert not is_active(schedule, berlin("2026-01-03T00:00:00"), BERLIN)


def test_an_end_of_midnight_belongs_to_the_day_before() -> None:
    schedule = hours("22:00", "00:00", "fri")
    assert is_active(schedule, berlin("2026-01-02T23:59:59.999999"), BERLIN)
    assert not is_active(schedule, berlin("2026-01-03T00:00:00"), BERLIN)


@pytest.mark.parametrize("clock_time", ["00:00", "06:00", "23:59"])
def test_equal_times_are_the_24_hours_that_begin_then(clock_time: str) -> None:
    schedule = hours(clock_time, clock_time, "fri")
    start = berlin(f"2026-01-02T{clock_time}")
    assert not is_active(schedule, start - timedelta(microseconds=1), BERLIN)
    assert is_active(schedule, start, BERLIN)
    assert is_active(schedule, start + timedelta(hours=24, microseconds=-1), BERLIN)
    assert not is_active(schedule, start + timedelta(hours=24), BERLIN)


def test_days_without_times_are_whole_days_of_that_zone() -> None:
    saturday = hours(None, None, "sat", zone="Pacific/Auckland")
    # Auckland is 13 hours ahead in January.
    assert not is_active(saturday, utc("2026-01-02T10:59:59"), BERLIN)
    assert is_active(saturday, utc("2026-01-02T11:00:00"), BERLIN)
    assert is_active(saturday, utc("2026-01-03T10:59:59"), BERLIN)
    assert not is_active(saturday, utc("2026-01-03T11:00:00"), BERLIN)


@pytest.mark.parametrize("days", [None, []])
def test_no_days_and_an_empty_list_of_days_are_every_day(days: list[str] | None) -> None:
    schedule = Schedule.model_validate({"days": days, "start_time": "22:00", "end_time": "06:00"})
    assert all(is_active(schedule, berlin(f"2026-01-0{day}T23:00"), BERLIN) for day in range(1, 8))


def test_a_schedules_own_zone_wins_over_the_houses() -> None:
    moment = utc("2026-01-02T12:00")
    assert is_active(hours("21:00", "22:00", zone="Asia/Tokyo"), moment, BERLIN)
    assert not is_active(hours("21:00", "22:00"), moment, BERLIN)
    assert is_active(hours("13:00", "14:00"), moment, BERLIN)


def test_the_answer_does_not_depend_on_the_zone_the_moment_is_written_in() -> None:
    moment = berlin("2026-01-03T02:00")
    assert is_active(FRIDAY_NIGHT, moment.astimezone(timezone(timedelta(hours=-11))), BERLIN)


def test_a_schedule_that_names_nothing_is_always_in_force() -> None:
    assert is_always(Schedule())
    assert is_always(Schedule(timezone=BERLIN, days=()))
    assert is_active(Schedule(), berlin("2026-01-02T12:00"), BERLIN)


@pytest.mark.parametrize("schedule", [hours("00:00", "23:59"), hours(None, None, "mon")])
def test_days_or_times_alone_restrict(schedule: Schedule) -> None:
    assert not is_always(schedule)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="UTC offset"):
        is_active(FRIDAY_NIGHT, datetime.fromisoformat("2026-01-02T23:00"), BERLIN)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", BERLIN])
@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_have_an_answer(moment: datetime, zone: str) -> None:
    night, day = hours("18:00", "06:00"), hours("06:00", "18:00")
    assert is_active(night, moment, zone) is not is_active(day, moment, zone)


# Berlin: 2026-03-29 02:00 jumps to 03:00 (01:00Z); 2026-10-25 03:00 goes back to 02:00 (01:00Z).


def test_hours_inside_the_skipped_hour_do_not_happen_that_day() -> None:
    schedule = hours("02:15", "02:45")
    start = utc("2026-03-29T00:00")
    assert not any(is_active(schedule, start + timedelta(minutes=m), BERLIN) for m in range(180))


def test_hours_that_begin_in_the_skipped_hour_begin_where_the_clock_jumps() -> None:
    schedule = hours("02:30", "06:00", "sun")
    assert not is_active(schedule, utc("2026-03-29T00:59:59"), BERLIN)
    assert is_active(schedule, utc("2026-03-29T01:00:00"), BERLIN)


def test_hours_that_end_in_the_skipped_hour_end_where_the_clock_jumps() -> None:
    schedule = hours("22:00", "02:30", "sat")
    assert is_active(schedule, utc("2026-03-29T00:59:59"), BERLIN)
    assert not is_active(schedule, utc("2026-03-29T01:00:00"), BERLIN)


def test_both_passes_through_the_repeated_hour_are_treated_alike() -> None:
    schedule = hours("02:00", "03:00", "sun")
    assert is_active(schedule, berlin("2026-10-25T02:30", fold=0), BERLIN)
    assert is_active(schedule, berlin("2026-10-25T02:30", fold=1), BERLIN)
    assert berlin("2026-10-25T02:30", fold=1).astimezone(UTC) == utc("2026-10-25T01:30")


def _active_minutes(schedule: Schedule, start: datetime, zone: str, length_hours: int = 26) -> int:
    return sum(is_active(schedule, start + timedelta(minutes=m), zone) for m in range(length_hours * 60))


@pytest.mark.parametrize(
    ("zone", "evening", "expected_minutes"),
    [
        (BERLIN, "2026-03-28T12:00", 7 * 60),
        (BERLIN, "2026-06-28T12:00", 8 * 60),
        (BERLIN, "2026-10-24T12:00", 9 * 60),
        (NEW_YORK, "2026-03-07T18:00", 7 * 60),
        (NEW_YORK, "2026-10-31T18:00", 9 * 60),
        (LORD_HOWE, "2026-10-03T03:00", 7 * 60 + 30),
        (LORD_HOWE, "2026-04-04T03:00", 8 * 60 + 30),
    ],
)
def test_a_night_of_eight_hours_on_the_wall_is_as_long_as_the_change_of_clocks_makes_it(
    zone: str, evening: str, expected_minutes: int
) -> None:
    assert _active_minutes(hours("22:00", "06:00", "sat", "sun"), utc(evening), zone, 24) == expected_minutes


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        # New York: 2026-11-01 02:00 EDT goes back to 01:00 EST at 06:00Z.
        (NEW_YORK, "2026-11-01T05:30", True),
        (NEW_YORK, "2026-11-01T06:30", True),
        (NEW_YORK, "2026-11-01T07:00", False),
        # Lord Howe: 2026-04-05 02:00 (+11) goes back half an hour at 15:00Z of the 4th, to 01:30 (+10:30).
        (LORD_HOWE, "2026-04-04T14:45", True),
        (LORD_HOWE, "2026-04-04T15:15", True),
        (LORD_HOWE, "2026-04-04T15:30", False),
    ],
)
def test_an_hour_of_sunday_morning_holds_in_both_its_passes(zone: str, moment: str, expected: bool) -> None:
    assert is_active(hours("01:00", "02:00", "sun"), utc(moment), zone) is expected


moments = st.builds(lambda s: utc("2000-01-01T00:00") + timedelta(seconds=s), st.integers(0, 1_200_000_000))
CHANGES_OF_CLOCKS = (
    "2026-03-29T01:00 2026-10-25T01:00 2026-03-08T07:00 2026-11-01T06:00 2026-04-04T15:00 2026-10-03T15:30"
)
changes = st.sampled_from([utc(text) for text in CHANGES_OF_CLOCKS.split()])
near_changes = st.builds(lambda c, s: c + timedelta(seconds=s), changes, st.integers(-90_000, 90_000))
any_moment = st.one_of(moments, near_changes)
clock_times = st.times().map(lambda t: t.strftime("%H:%M:%S"))
some_days = st.sets(st.sampled_from(list(Weekday)), min_size=1).map(sorted)
MEANS_MIDNIGHT = ("23:59:00", "23:59:59")


@settings(deadline=None)
@given(any_moment, clock_times, clock_times, st.sampled_from(ZONES))
def test_hours_and_the_rest_of_the_day_share_out_every_moment(
    moment: datetime, start: str, end: str, zone: str
) -> None:
    assume(start != end and start not in MEANS_MIDNIGHT and end not in MEANS_MIDNIGHT)
    assert is_active(hours(start, end), moment, zone) is not is_active(hours(end, start), moment, zone)


@settings(deadline=None)
@given(any_moment, clock_times, clock_times, some_days, st.sampled_from(ZONES))
def test_the_named_days_and_the_other_days_share_out_what_every_day_covers(
    moment: datetime, start: str, end: str, days: list[Weekday], zone: str
) -> None:
    others = [day for day in Weekday if day not in days]
    on_others = bool(others) and is_active(hours(start, end, *others), moment, zone)
    assert is_active(hours(start, end, *days), moment, zone) + on_others == is_active(hours(start, end), moment, zone)


@settings(deadline=None)
@given(any_moment, clock_times, clock_times, some_days, st.sampled_from(ZONES))
def test_a_moment_is_covered_when_its_wall_time_lies_between_a_start_and_its_end(
    moment: datetime, start: str, end: str, days: list[Weekday], zone: str
) -> None:
    assume(end not in MEANS_MIDNIGHT)
    wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    expected = False
    for back in (0, 1):
        begins = datetime.combine(wall.date() - timedelta(days=back), time.fromisoformat(start))
        ends = datetime.combine(begins.date(), time.fromisoformat(end))
        if ends <= begins:
            ends += timedelta(days=1)
        on_a_named_day = any(day.number == begins.weekday() for day in days)
        expected = expected or (on_a_named_day and begins <= wall < ends)
    assert is_active(hours(start, end, *days), moment, zone) is expected


def test_a_schedule_is_described_in_the_order_of_the_week_without_repetition() -> None:
    assert describe(hours("22:00", "06:00", "sun", "fri", "FRIDAY")) == "fri, sun 22:00-06:00"
    assert describe(hours("22:00", "06:00")) == "every day 22:00-06:00"
    assert describe(hours(None, None, "sat")) == "sat"


def test_a_moment_is_described_by_the_schedules_clock() -> None:
    moment = utc("2026-01-03T01:05:59")
    assert describe_moment(FRIDAY_NIGHT, moment, BERLIN) == "sat 02:05 (Europe/Berlin)"
    assert describe_moment(hours(None, None, "fri", zone=NEW_YORK), moment, BERLIN) == "fri 20:05 (America/New_York)"
