"""Quiet hours by the house's clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.quiet_hours import quiet_period
from domain.schedule import is_active
from schemas.alert_rule import Schedule, Weekday
from schemas.notification import QuietHours

BERLIN = "Europe/Berlin"


def period(start: str, end: str, *days: str, number: int = 1, label: str = "Night") -> QuietHours:
    return QuietHours.model_validate(
        {"id": number, "label": label, "start_time": start, "end_time": end, "days": days or tuple(Weekday)}
    )


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN))


def test_without_periods_it_is_never_quiet() -> None:
    assert quiet_period((), berlin("2026-01-02T23:00"), BERLIN) is None


def test_the_period_that_covers_the_moment_is_the_answer() -> None:
    night, noon = period("22:00", "06:00"), period("12:00", "13:00", number=2, label="Noon")
    assert quiet_period((night, noon), berlin("2026-01-02T12:30"), BERLIN) is noon
    assert quiet_period((night, noon), berlin("2026-01-02T05:59"), BERLIN) is night
    assert quiet_period((night, noon), berlin("2026-01-02T06:00"), BERLIN) is None


def test_of_two_that_cover_the_moment_the_first_is_the_answer() -> None:
    first, second = period("22:00", "06:00"), period("21:00", "07:00", number=2)
    assert quiet_period((first, second), berlin("2026-01-02T23:00"), BERLIN) is first


def test_friday_night_is_quiet_on_saturday_morning() -> None:
    night = period("22:00", "06:00", "friday")
    assert quiet_period((night,), berlin("2026-01-03T02:00"), BERLIN) is night
    assert quiet_period((night,), berlin("2026-01-02T02:00"), BERLIN) is None


def test_the_hours_are_the_houses_and_not_utc() -> None:
    night = period("22:00", "23:00")
    assert quiet_period((night,), datetime(2026, 7, 1, 20, 30, tzinfo=UTC), BERLIN) is night
    assert quiet_period((night,), datetime(2026, 7, 1, 22, 30, tzinfo=UTC), BERLIN) is None


def test_an_evening_until_23_59_is_quiet_until_midnight() -> None:
    evening = period("22:00:00", "23:59:00", "friday")
    assert quiet_period((evening,), berlin("2026-01-02T23:59:59.9"), BERLIN) is evening
    assert quiet_period((evening,), berlin("2026-01-03T00:00"), BERLIN) is None


def test_a_period_without_days_is_every_days() -> None:
    always = QuietHours(id=1, label="Night", start_time="22:00", end_time="06:00", days=())
    assert all(quiet_period((always,), berlin(f"2026-01-0{day}T23:00"), BERLIN) for day in range(1, 8))


def test_a_naive_moment_is_refused_even_without_periods() -> None:
    with pytest.raises(ValueError, match="UTC offset"):
        quiet_period((), datetime.fromisoformat("2026-01-02"), BERLIN)


@settings(deadline=None)
@given(
    st.integers(0, 366 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.tuples(st.times(), st.times()).filter(
        lambda pair: pair[0].replace(microsecond=0) != pair[1].replace(microsecond=0)
    ),
    st.sets(st.sampled_from(list(Weekday)), min_size=1),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe"]),
)
def test_quiet_hours_and_schedules_read_the_same_hours_alike(
    at: datetime, times: tuple[time, time], days: set[Weekday], zone: str
) -> None:
    start, end = (t.strftime("%H:%M:%S") for t in times)
    quiet = quiet_period((period(start, end, *days),), at, zone) is not None
    assert quiet is is_active(Schedule(days=tuple(days), start_time=start, end_time=end), at, zone)


def test_a_period_inside_the_hour_that_spring_skips_does_not_happen_that_night() -> None:
    """2026-03-29: at 02:00 the clocks in Berlin go to 03:00, which is 01:00 in UTC."""
    short = period("02:15", "02:45")
    moments = [datetime(2026, 3, 29, 0, 0, tzinfo=UTC) + timedelta(minutes=n) for n in range(180)]
    assert not any(quiet_period((short,), at, BERLIN) for at in moments)
    assert quiet_period((short,), moments[75] + timedelta(days=1, hours=-1), BERLIN) is short


def test_a_period_that_begins_in_the_skipped_hour_begins_where_the_clock_jumps() -> None:
    morning = period("02:30", "06:00", "sunday")
    jump = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert quiet_period((morning,), jump - timedelta(microseconds=1), BERLIN) is None
    assert quiet_period((morning,), jump, BERLIN) is morning


def test_both_passes_through_the_hour_that_autumn_repeats_are_quiet() -> None:
    """2026-10-25: at 03:00 the clocks in Berlin go back to 02:00."""
    short = period("02:15", "02:45", "sunday")
    for fold in (0, 1):
        at = datetime(2026, 10, 25, 2, 30, fold=fold, tzinfo=ZoneInfo(BERLIN))
        assert quiet_period((short,), at.astimezone(UTC), BERLIN) is short


@pytest.mark.parametrize(("night", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-06", 8)])
def test_a_night_is_quiet_from_its_start_to_its_end_however_long_it_is(night: str, hours: int) -> None:
    quiet = period("22:00", "06:00", "saturday")
    start = berlin(f"{night}T22:00").astimezone(UTC)
    minutes = range(-120, 12 * 60)
    covered = [n for n in minutes if quiet_period((quiet,), start + timedelta(minutes=n), BERLIN)]
    assert covered == list(range(hours * 60))


@settings(deadline=None)
@given(
    st.integers(0, 366 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s)),
    st.tuples(st.times(), st.times()).map(lambda pair: tuple(t.strftime("%H:%M:%S") for t in pair)),
    st.sets(st.sampled_from(list(Weekday)), min_size=1),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]),
)
def test_what_counts_is_what_a_clock_on_the_wall_shows(
    at: datetime, times: tuple[str, str], days: set[Weekday], zone: str
) -> None:
    start, end = times
    assume(start != end and end not in ("23:59:00", "23:59:59"))
    wall = at.astimezone(ZoneInfo(zone))
    shown, today = wall.strftime("%H:%M:%S"), list(Weekday)[wall.weekday()]
    yesterday = list(Weekday)[wall.weekday() - 1]
    if start < end:
        expected = today in days and start <= shown < end
    else:
        expected = (today in days and shown >= start) or (yesterday in days and shown < end)
    assert (quiet_period((period(start, end, *days),), at, zone) is not None) is expected
