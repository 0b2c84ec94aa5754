"""A supervisor over services that do as they are told, real rows, and time that passes by hand."""

import asyncio
from collections.abc import Sequence
from typing import Any

import redis.asyncio

from actors.supervised_service import ByHand, Gone, SupervisedService, SupervisorTools
from actors.supervisor import LOOK_EVERY_SECONDS, Supervisor
from domain.service_actions import Limits
from schemas.audit import AuditEntry, Caller
from schemas.frame import Frame, LiveChannel
from schemas.service import Health, Service, ServiceAction, ServiceActionDone, ServiceCategory
from storage.audit import Audit
from storage.live_bus import LiveBus
from storage.postgres import Pool
from storage.services import Services
from tests.actors.fakes import FakeClock

CALLER = Caller(actor="ann", ip_address="192.0.2.7")


class Subject:
    """A service as the supervisor sees it: `state` is its health, or what its probe raises."""

    def __init__(self, name: str = "file_watcher", limits: Limits | None = None, **values: Any) -> None:
        self.state: Health | Exception = Health(healthy=True)
        self.hangs = False
        self.restarts = 0
        self.restart_raises: Exception | None = None
        self.by_hand: list[str] = []
        self.by_hand_raises: Exception | None = None
        self.takes: asyncio.Event | None = None
        """What is done by hand is not done before this is set."""
        given: dict[str, Any] = {"category": ServiceCategory.INFRASTRUCTURE, "restart": self.restart}
        hand = ByHand(self._restart_by_hand, self._disable, self._enable, limits or Limits())
        self.service = SupervisedService(name=name, probe=self.probe, **(given | {"by_hand": hand} | values))

    async def probe(self) -> Health:
        if self.hangs:
            await asyncio.Event().wait()
        if isinstance(self.state, Exception):
            raise self.state
        return self.state

    async def restart(self) -> None:
        self.restarts += 1
        if self.restart_raises is not None:
            raise self.restart_raises

    async def _restart_by_hand(self) -> None:
        await self._by_hand("restart", Health(healthy=True))

    async def _disable(self) -> None:
        await self._by_hand("disable", Gone("ended"))

    async def _enable(self) -> None:
        await self._by_hand("enable", Health(healthy=True))

    async def _by_hand(self, deed: str, state: Health | Exception) -> None:
        self.by_hand.append(deed)
        if self.takes is not None:
            await self.takes.wait()
        if self.by_hand_raises is not None:
            raise self.by_hand_raises
        self.state = state


class House:
    """A supervisor over some subjects, whose looks are called and whose time passes by hand."""

    def __init__(self, pool: Pool, live: redis.asyncio.Redis, *subjects: Subject) -> None:
        self.clock = FakeClock()
        self.rows = Services(pool)
        self.audit = Audit(pool)
        self.live = LiveBus(live, self.clock)
        self.subjects: Sequence[Subject] = subjects
        self.supervisor = Supervisor("app", self.connect)

    async def connect(self) -> SupervisorTools:
        return SupervisorTools([one.service for one in self.subjects], self.rows, self.audit, self.live, self.clock)

    def succeeded(self) -> None:
        """The supervisor dies, and another one follows it."""
        self.supervisor = Supervisor("app", self.connect)

    async def look(self, seconds: float = 0.0) -> None:
        """Looks at once, and then every two seconds for so long."""
        await self.supervisor.look()
        for _ in range(round(seconds / LOOK_EVERY_SECONDS)):
            self.clock.advance(LOOK_EVERY_SECONDS)
            await self.supervisor.look()

    async def row(self, name: str = "file_watcher") -> Service:
        return {row.name: row for row in await self.rows.list()}[name]

    async def act(self, action: str, name: str = "file_watcher") -> ServiceActionDone:
        return await self.supervisor.act(ServiceAction(action), name, CALLER)

    async def audited(self) -> list[AuditEntry]:
        """Oldest first."""
        return list(await self.audit.list())[::-1]

    async def frames(self) -> list[Frame]:
        frames, _ = await self.live.replay(LiveChannel.SYSTEM, 0)
        return list(frames)
