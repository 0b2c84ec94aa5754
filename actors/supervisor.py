"""Looks at every service, restarts what failed, carries out a person's wishes, and writes down what it saw: the one
writer of the tables `services` and `disabled_services`.

When it dies nothing else stops; what the API shows grows stale, and says so, until its successor looks again. What was
switched off stays off: that is a row.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from actors.service_rows import merged, own_row, service_row, status_frames
from actors.services_by_hand import ServicesByHand
from actors.supervised_service import SupervisedService, SupervisorTools, observe
from actors.work_loop import WorkLoop
from domain.clock import Clock
from domain.degradation import Degradation
from domain.supervision import Observation, Restart
from domain.watch import Watch
from schemas.audit import Caller
from schemas.service import Health, Service, ServiceAction, ServiceActionDone, ServiceStatus
from storage.errors import StoreUnavailable

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 2.0
DEGRADATION_EVERY_SECONDS = 15.0
RESTART_SECONDS = 10.0
KEEP_DOWN_SECONDS = 5.0
DEGRADABLE = ("postgres", "redis", "yolo26", "file_watcher", "detection_worker", "batch_aggregator", "analysis_worker")


class Supervisor:
    """Starts, probes, restarts (5 s doubling to 300 s), and does by hand what is asked."""

    def __init__(self, app_name: str, connect: Callable[[], Awaitable[SupervisorTools]]) -> None:
        self._app_name = app_name
        self._connect = connect
        self._tools: SupervisorTools | None = None
        self._opening = asyncio.Lock()
        self._disabled: set[str] = set()
        self._watches: dict[str, Watch] = {}
        self._statuses: dict[str, ServiceStatus] = {}
        self._degradation = Degradation(DEGRADABLE)
        self._judged_at = float("-inf")
        self._in_memory = 0
        self._by_hand = ServicesByHand(self._disabled, self._watches, self._note)
        self._loop = WorkLoop("supervisor", self.look, self._wait)

    async def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()
        await self._by_hand.stop()

    async def health(self) -> Health:
        return self._loop.health()

    async def app_name(self) -> str:
        """The name of the Serve application that this pipeline belongs to."""
        return self._app_name

    async def act(self, action: ServiceAction, name: str, caller: Caller) -> ServiceActionDone:
        """A person's wish; answers within seconds, while what takes longer goes on.

        Raises NotFound, ServiceRefused, and Conflict while another wish about this service is being carried out.
        """
        return await self._by_hand.act(await self._opened(), action, name, caller)

    async def _wait(self, _seconds: float) -> None:
        await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def _opened(self) -> SupervisorTools:
        async with self._opening:
            if self._tools is None:
                tools = await self._connect()
                self._disabled |= await tools.rows.disabled()
                self._watches |= {service.name: Watch() for service in tools.services}
                await tools.rows.keep_only(["supervisor", *(service.shown_as for service in tools.services)])
                self._tools = tools
        return self._tools

    async def look(self) -> bool:
        """One look at everything, side by side."""
        tools = await self._opened()
        seen = await asyncio.gather(*(self._look(tools, service) for service in tools.services))
        self._in_memory = sum(int(row.detail.get("waiting_for_database", 0)) for row in seen)
        groups: dict[str, list[Service]] = {}
        for service, row in zip(tools.services, seen, strict=True):
            groups.setdefault(service.shown_as, []).append(row)
        self._judge(tools.clock, [merged(name, rows) for name, rows in groups.items()])
        shown = {service.shown_as for service in tools.services if service.shown}
        await self._note(tools, [merged(name, rows) for name, rows in groups.items() if name in shown])
        await self._by_hand.write_audit(tools)
        return False

    async def _note(self, tools: SupervisorTools, rows: Sequence[Service]) -> None:
        """Writes rows down, its own with them, and tells the live views of every status that changed."""
        frames = status_frames(self._statuses, rows)
        self._statuses |= {row.name: row.status for row in rows}
        now = tools.clock.now()
        try:
            await tools.rows.upsert_many([*rows, own_row(self._degradation, self._in_memory, now)])
        except StoreUnavailable as error:
            logger.warning("what was seen cannot be written down: %s", error)
        await tools.live.publish(frames, now)

    async def _look(self, tools: SupervisorTools, service: SupervisedService) -> Service:
        """Probes one service and starts it again when that is due."""
        watch, clock = self._watches[service.name], tools.clock
        turn = watch.turn
        observed, health = await observe(service)
        enabled = service.shown_as not in self._disabled
        observed, decision = watch.see(observed, clock.monotonic(), enabled=enabled, turn=turn)
        if isinstance(decision, Restart) and service.restart is not None:
            logger.warning("restarting %s (number %d): %s", service.name, decision.number, health.message)
            watch.restarted(clock.now())
            watch.healing = True
            await _try(service.name, "restarted", service.restart, RESTART_SECONDS)
            watch.healing = False
        if not enabled and not watch.in_hand and observed is not Observation.DEAD:
            await self._keep_down(service)
        return service_row(service, watch, observed, health, enabled, clock)

    async def _keep_down(self, service: SupervisedService) -> None:
        """It runs although it is switched off: the wish was broken off, or somebody else started it."""
        if service.by_hand is not None and service.by_hand.disable is not None:
            logger.warning("%s is switched off and runs: it is ended", service.name)
            await _try(service.name, "ended", service.by_hand.disable, KEEP_DOWN_SECONDS)

    def _judge(self, clock: Clock, rows: Sequence[Service]) -> None:
        if clock.monotonic() - self._judged_at < DEGRADATION_EVERY_SECONDS:
            return
        self._judged_at = clock.monotonic()
        for row in rows:
            if row.name not in DEGRADABLE:
                continue
            if not row.enabled:
                self._degradation.forget(row.name)
            else:
                self._degradation.observe(row.name, row.status is ServiceStatus.RUNNING, clock.now(), row.message)


async def _try(name: str, what: str, act: Callable[[], Awaitable[None]], seconds: float) -> None:
    try:
        await asyncio.wait_for(act(), seconds)
    except Exception as error:
        logger.warning("%s could not be %s: %s", name, what, error)
