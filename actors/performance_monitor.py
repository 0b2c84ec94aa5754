"""Looks every 5 s at how the system does, and packs the pipeline's latencies: the one writer of both.

              ┌─▶ [performance_snapshots]
every 5 s ────┼─▶ system.status, and system.health_changed when it has
              └─▶ [system_start: still up]
every 5 s ──rows' own timestamps──▶ [latency_minutes]

When it dies nothing is lost but the snapshots of those seconds: latencies are computed from rows, and its successor
computes what is missing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actors.performance_sample import PerformanceSampler, Sampled
from actors.work_loop import WorkLoop
from domain.clock import Clock
from domain.health import components, of_components
from schemas.frame import NewFrame
from schemas.frame_types import SystemHealth, SystemHealthChanged, SystemStatus, frame
from schemas.performance import PerformanceAlert
from schemas.service import Health
from storage.errors import StoreError
from storage.latency import KEPT as LATENCIES_KEPT
from storage.latency import LatencySamples
from storage.live_bus import LiveBus
from storage.performance import PerformanceRows
from storage.stage_latency import AT_ONCE, RECOMPUTED, StageLatencies
from storage.stats import Stats
from storage.system_figures import NOT_KNOWN, SystemFigures, SystemRows

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
FIGURES_SECONDS = 2.0
RECOMPUTE_EVERY = timedelta(minutes=1)
"""How often the minutes are computed again in which late commits may still turn up; the last two are each time."""


@dataclass(frozen=True)
class PerformanceTools:
    """What the monitor works with, opened in its own process."""

    sampler: PerformanceSampler
    performance: PerformanceRows
    figures: SystemRows
    stats: Stats
    stages: StageLatencies
    latencies: LatencySamples
    live: LiveBus
    system_started_at: datetime
    clock: Clock


class PerformanceMonitor:
    """Two loops, so that a large roll-up after a pause delays no status."""

    def __init__(
        self, connect: Callable[[], Awaitable[PerformanceTools]], seconds_between: float = EVERY_SECONDS
    ) -> None:
        self._connect = connect
        self._seconds_between = seconds_between
        self._tools: PerformanceTools | None = None
        self._opening = asyncio.Lock()
        self._alerts: Sequence[PerformanceAlert] | None = None
        self._health: SystemHealth | None = None
        self._rolled_up_to: datetime | None = None
        self._recompute_at: datetime | None = None
        self._not_stored: str | None = None
        self._loops = [
            WorkLoop("performance_monitor", self._look, self._wait),
            WorkLoop("performance_monitor-latency", self._roll_up, self._wait),
        ]

    async def start(self) -> None:
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        await asyncio.gather(*(loop.stop() for loop in self._loops))

    async def health(self) -> Health:
        worst = min((loop.health() for loop in self._loops), key=lambda health: health.healthy)
        rolled_up_to = self._rolled_up_to.isoformat() if self._rolled_up_to else None
        detail = {"alerts": len(self._alerts or ()), "latencies_up_to": rolled_up_to}
        return worst.model_copy(update={"message": worst.message or self._not_stored, "detail": detail})

    async def _wait(self, _seconds: float) -> None:
        await asyncio.sleep(self._seconds_between)

    async def _opened(self) -> PerformanceTools:
        async with self._opening:
            if self._tools is None:
                self._tools = await self._connect()
        return self._tools

    async def _look(self) -> bool:
        """One snapshot: told, then stored. A database that is away stops the storing, not the telling."""
        tools = await self._opened()
        sampled = await tools.sampler.sample(await self._alerts_before(tools))
        self._alerts = sampled.snapshot.alerts
        await tools.live.publish(await self._news(tools, sampled), tools.clock.now())
        try:
            await tools.performance.add(sampled.snapshot)
            await tools.stats.report_start(tools.system_started_at, tools.clock.now())
            await tools.performance.prune(tools.clock.now())
            self._not_stored = None
        except StoreError as error:
            self._not_stored = f"snapshots are not stored: {error}"
            logger.warning(self._not_stored)
        return False

    async def _alerts_before(self, tools: PerformanceTools) -> Sequence[PerformanceAlert]:
        """Those of the last look, or the ones that this actor's predecessor left."""
        if self._alerts is None:
            try:
                newest = await tools.performance.newest()
            except StoreError:
                return ()
            self._alerts = newest.alerts if newest is not None else ()
        return self._alerts

    async def _news(self, tools: PerformanceTools, sampled: Sampled) -> list[NewFrame]:
        rows = None if sampled.services is None else {service.name: service for service in sampled.services}
        parts = components(rows, sampled.redis, tools.clock.now())
        health, previous = of_components(parts), self._health
        self._health = health
        figures = await self._figures(tools) if rows is not None else NOT_KNOWN
        status = SystemStatus(gpu=figures.gpu, cameras=figures.cameras, queue=figures.queue, health=health)
        news = [frame(status)]
        if previous is not None and previous is not health:
            level = logging.INFO if health == "healthy" else logging.WARNING
            logger.log(level, "the system was %s and is %s: %s", previous, health, parts)
            news.append(frame(SystemHealthChanged(health=health, previous_health=previous, components=parts)))
        return news

    async def _figures(self, tools: PerformanceTools) -> SystemFigures:
        try:
            async with asyncio.timeout(FIGURES_SECONDS):
                return await tools.figures.figures(tools.clock.now())
        except (StoreError, TimeoutError):
            return NOT_KNOWN

    async def _roll_up(self) -> bool:
        """Packs what has ended since the last time, an hour at most. Answers whether there is more."""
        tools = await self._opened()
        now = tools.clock.now()
        until = now + timedelta(minutes=1)  # another machine's clock may be a little ahead
        since = await self._since(tools, now)
        reached = min(since + AT_ONCE, until)
        await tools.stages.roll_up(since, reached)
        self._rolled_up_to = min(reached, now)
        if reached < until:
            return True
        await tools.latencies.prune(now)
        return False

    async def _since(self, tools: PerformanceTools, now: datetime) -> datetime:
        """After a pause, where the rows of before end; late commits of the last minutes are looked for again."""
        if self._rolled_up_to is None:
            self._recompute_at = now + RECOMPUTE_EVERY
            newest = await tools.stages.newest()
            oldest = now - LATENCIES_KEPT
            return oldest if newest is None else max(oldest, min(newest, now) - RECOMPUTED)
        if now - self._rolled_up_to > RECOMPUTE_EVERY:
            return self._rolled_up_to
        if self._recompute_at is None or now >= self._recompute_at:
            self._recompute_at = now + RECOMPUTE_EVERY
            return now - RECOMPUTED
        return min(self._rolled_up_to, now) - timedelta(minutes=1)
