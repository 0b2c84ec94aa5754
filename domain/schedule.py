"""Schedules: whether a rule is in force at a moment, by the clock of the schedule's own zone or else the house's."""

from datetime import datetime

from domain.weekly_hours import covers, wall_time
from schemas.alert_rule import Schedule, Weekday


def is_always(schedule: Schedule) -> bool:
    """Whether it names neither days nor times, and so restricts nothing."""
    return not schedule.days and schedule.start_time is None


def is_active(schedule: Schedule, at: datetime, house_zone: str) -> bool:
    """Whether the aware moment `at` falls into the schedule; how hours and days are read: `weekly_hours.covers`."""
    return covers(schedule.days, schedule.start_time, schedule.end_time, wall_time(at, schedule.timezone or house_zone))


def describe(schedule: Schedule) -> str:
    """The schedule in short, as `fri, sat 22:00-06:00`."""
    days = ", ".join(day for day in Weekday if day in (schedule.days or ())) or "every day"
    return days if schedule.start_time is None else f"{days} {schedule.start_time}-{schedule.end_time}"


def describe_moment(schedule: Schedule, at: datetime, house_zone: str) -> str:
    """What the schedule's clock shows at `at`, as `sat 02:00 (Europe/Berlin)`."""
    zone = schedule.timezone or house_zone
    return f"{wall_time(at, zone)} ({zone})"
