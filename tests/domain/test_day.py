"""Midnight of the house's zone."""

from datetime import UTC, datetime

import pytest

from domain.day import day_start


@pytest.mark.parametrize(
    ("now", "zone", "start"),
    [
        ("2025-12-23T10:30", "UTC", "2025-12-23T00:00"),
        ("2025-12-23T23:30", "Europe/Berlin", "2025-12-23T23:00"),
        ("2025-12-23T22:30", "Europe/Berlin", "2025-12-22T23:00"),
        ("2025-12-23T10:30", "Asia/Kathmandu", "2025-12-22T18:15"),
        ("2025-03-30T12:00", "Europe/Berlin", "2025-03-29T23:00"),  # the day on which clocks go forward at two
        ("2025-09-07T12:00", "America/Santiago", "2025-09-07T04:00"),  # clocks skip that day's midnight
    ],
)
def test_the_day_starts_at_the_zones_midnight(now: str, zone: str, start: str) -> None:
    def moment(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert day_start(moment(now), zone) == moment(start)
