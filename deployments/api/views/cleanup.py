"""Whether clean-up is alive, and when it runs next: from rows, so that it is answered while a run is busy."""

import asyncio

from deployments.api.views.readiness import why_not_running
from domain.clock import Clock
from domain.retention import clock_time, due
from schemas.cleanup import CleanupStatus
from settings import Settings
from storage.cleanup_runs import CleanupRuns
from storage.config import RuntimeConfigs
from storage.services import Services as ServiceRows

SERVICE = "cleanup_service"


class CleanupView:
    def __init__(
        self, services: ServiceRows, runs: CleanupRuns, configs: RuntimeConfigs, settings: Settings, clock: Clock
    ) -> None:
        self._services = services
        self._runs = runs
        self._configs = configs
        self._settings = settings
        self._clock = clock

    async def __call__(self) -> CleanupStatus:
        services, past, last, config = await asyncio.gather(
            self._services.list(), self._runs.past(), self._runs.last_completed(), self._configs.current()
        )
        now, settings = self._clock.now(), self._settings
        row = next((service for service in services if service.name == SERVICE), None)
        running = why_not_running(row, now) is None
        moment = due(past, clock_time(settings.cleanup_time), settings.timezone)
        return CleanupStatus(
            running=running,
            retention_days=config.retention_days,
            log_retention_days=settings.log_retention_days,
            cleanup_time=settings.cleanup_time,
            timezone=settings.timezone,
            delete_images=settings.cleanup_delete_images,
            next_cleanup=max(moment, now) if running else None,
            last_cleanup=last,
            timestamp=now,
        )
