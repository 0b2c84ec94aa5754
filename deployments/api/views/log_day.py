"""What was said today, as the house counts its days."""

from domain.clock import Clock
from domain.day import day_start
from schemas.log import LogStats
from storage.logs import Logs


class LogDay:
    def __init__(self, logs: Logs, clock: Clock, timezone: str) -> None:
        self._logs = logs
        self._clock = clock
        self._timezone = timezone

    async def figures(self) -> LogStats:
        return await self._logs.stats(day_start(self._clock.now(), self._timezone))
