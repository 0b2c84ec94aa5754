"""Quiet hours: which period, if any, asks for silence at a moment."""

from collections.abc import Iterable
from datetime import datetime

from domain.weekly_hours import covers, wall_time
from schemas.notification import QuietHours


def quiet_period(periods: Iterable[QuietHours], at: datetime, timezone: str) -> QuietHours | None:
    """The first period that covers the aware moment `at` by the house's clock; a period without days is every day's."""
    wall = wall_time(at, timezone)
    return next((p for p in periods if covers(p.days, p.start_time, p.end_time, wall)), None)
