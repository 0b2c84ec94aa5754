"""Performance as the monitor last saw it; where its last look is old, one of the API's own."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from actors.performance_sample import PerformanceSampler
from deployments.api.views.kept import Kept
from domain.clock import Clock
from schemas.frozen import Frozen, UtcTime
from schemas.performance import PerformanceSnapshot
from storage.performance import PerformanceRows

FRESH = timedelta(seconds=15)
MOST_SNAPSHOTS = 60


class TimeRange(StrEnum):
    FIVE_MINUTES = "5m"
    FIFTEEN_MINUTES = "15m"
    ONE_HOUR = "60m"


RANGES: Mapping[TimeRange, timedelta] = {
    TimeRange.FIVE_MINUTES: timedelta(minutes=5),
    TimeRange.FIFTEEN_MINUTES: timedelta(minutes=15),
    TimeRange.ONE_HOUR: timedelta(minutes=60),
}


class Performance(PerformanceSnapshot):
    stale: bool
    """Whether the performance monitor has not reported for 15 s: then this was looked up for this answer."""
    monitor_reported_at: UtcTime | None
    """When the monitor last reported; null when it never has."""


class PerformanceHistory(Frozen):
    snapshots: tuple[PerformanceSnapshot, ...]
    """Oldest first, evenly thinned to 60 at most."""
    time_range: TimeRange
    count: int


class PerformanceView:
    """Of one replica."""

    def __init__(self, rows: PerformanceRows, sampler: PerformanceSampler, clock: Clock) -> None:
        self._rows = rows
        self._live = Kept(sampler.sample, clock)
        self._clock = clock

    async def __call__(self) -> Performance:
        newest = await self._rows.newest()
        reported_at = newest.timestamp if newest is not None else None
        if newest is not None and self._clock.now() - newest.timestamp <= FRESH:
            return Performance(**dict(newest), stale=False, monitor_reported_at=reported_at)
        sampled = await self._live()
        return Performance(**dict(sampled.snapshot), stale=True, monitor_reported_at=reported_at)

    async def history(self, time_range: TimeRange) -> PerformanceHistory:
        reach = RANGES[time_range]
        snapshots = await self._rows.history(self._clock.now() - reach, reach / MOST_SNAPSHOTS)
        kept = tuple(snapshots)[-MOST_SNAPSHOTS:]
        return PerformanceHistory(snapshots=kept, time_range=time_range, count=len(kept))

    def close(self) -> None:
        self._live.close()
