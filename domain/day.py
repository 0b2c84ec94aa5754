"""The day as the house has it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def day_start(now: datetime, timezone: str) -> datetime:
    """The last midnight of that zone, in UTC; where clocks skip midnight, the day's first moment."""
    local = now.astimezone(ZoneInfo(timezone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
