"""Hours of the day on days of the week, by the clock on a zone's wall: one arithmetic for schedules and quiet hours.

    fri 22:00 ├────────────────┤ 06:00 sat      with days = fri: Saturday 02:00 is covered, Friday 02:00 is not

What counts is what a clock on the wall shows at the moment asked about. So when clocks go back, both passes through
the repeated hour are treated alike; when they go forward, the skipped times do not happen that day, and hours that
begin or end among them begin or end where the clock jumps.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schemas.alert_rule import Weekday

_DAY_SECONDS = 86_400
# The latest ends that a person can write: who writes them means midnight, not a minute or a second before it.
_MEANS_MIDNIGHT = ("23:59", "23:59:59")
# After this many years the calendar repeats with the same weekdays.
_CALENDAR_CYCLE_YEARS = 400


@dataclass(frozen=True, slots=True)
class WallTime:
    """What clock and calendar on the wall show."""

    weekday: int
    """As `date.weekday()`: Monday is 0."""
    second: int
    """Whole seconds since the day's 00:00 as the clock shows them."""

    def __str__(self) -> str:
        return f"{list(Weekday)[self.weekday]} {self.second // 3600:02d}:{self.second // 60 % 60:02d}"


def wall_time(at: datetime, zone: str) -> WallTime:
    """What the clock in `zone` (an IANA name) shows at an aware moment; ValueError for a naive one."""
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError("a moment without its UTC offset is no moment")
    if at.year in (date.min.year, date.max.year):
        # At the ends of the calendar a zone's offset would lead out of it.
        shift = _CALENDAR_CYCLE_YEARS if at.year == date.min.year else -_CALENDAR_CYCLE_YEARS
        at = at.replace(year=at.year + shift)
    local = at.astimezone(ZoneInfo(zone))
    return WallTime(local.weekday(), local.hour * 3600 + local.minute * 60 + local.second)


def _second_of_day(clock_time: str) -> int:
    hour, minute, second = (*map(int, clock_time.split(":")), 0)[:3]
    return hour * 3600 + minute * 60 + second


def covers(days: Collection[Weekday] | None, start_time: str | None, end_time: str | None, wall: WallTime) -> bool:
    """Whether the hours from `start_time` (inclusive) to `end_time` (exclusive) on `days` include what the wall shows.

    - No days, or an empty collection: every day.
    - No times: the whole of each day.
    - An end before the start is on the following day; the hours belong to the day on which they start.
    - Equal times: the 24 hours that begin then.
    - An end of 23:59 or 23:59:59 means midnight, so that the day's last minute belongs to it.
    """
    numbers = {day.number for day in days} if days else set(range(7))
    if start_time is None or end_time is None:
        return wall.weekday in numbers
    start, end = _second_of_day(start_time), _second_of_day(end_time)
    if start == end:
        return _covers_overnight(numbers, start, end, wall)
    if end_time in _MEANS_MIDNIGHT:
        end = _DAY_SECONDS
    if start < end:
        return wall.weekday in numbers and start <= wall.second < end
    return _covers_overnight(numbers, start, end, wall)


def _covers_overnight(numbers: Collection[int], start: int, end: int, wall: WallTime) -> bool:
    began_today = wall.second >= start and wall.weekday in numbers
    began_yesterday = wall.second < end and (wall.weekday - 1) % 7 in numbers
    return began_today or began_yesterday
