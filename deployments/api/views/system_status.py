"""How the system is, made by the API itself: for when nobody else tells."""

from deployments.api.views.probes import Probe, ReadinessProbe
from deployments.api.views.readiness import PartStatus, Readiness
from domain.clock import Clock
from domain.health import PIPELINE_WORKERS, overall
from schemas.frame_types import SystemHealth, SystemStatus
from storage.system_figures import NOT_KNOWN, SystemFigures, SystemRows


class SystemStatusView:
    """Answers within the probes' patience whatever the stores do; what cannot be read is null."""

    def __init__(self, rows: SystemRows, readiness: ReadinessProbe, clock: Clock) -> None:
        self._rows = rows
        self._readiness = readiness
        self._clock = clock
        self._figures = Probe("Database", self._read)

    async def __call__(self) -> SystemStatus:
        readiness = await self._readiness()
        figures = (await self._figures()).value or NOT_KNOWN
        return SystemStatus(gpu=figures.gpu, cameras=figures.cameras, queue=figures.queue, health=health_of(readiness))

    def close(self) -> None:
        self._figures.close()

    async def _read(self) -> SystemFigures:
        return await self._rows.figures(self._clock.now())


def health_of(readiness: Readiness) -> SystemHealth:
    """By the rule of GET /api/system/health."""
    parts = {name: part.status is PartStatus.HEALTHY for name, part in readiness.services.items()}
    workers = [worker.running for worker in readiness.workers if worker.name in PIPELINE_WORKERS]
    return overall(parts.pop("database"), [*parts.values(), *workers])
