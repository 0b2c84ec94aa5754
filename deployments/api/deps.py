"""What handlers work with: one frozen `Services` a replica, and an alias for each of its parts."""

import asyncio
import os
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast

import redis.asyncio
from fastapi import Depends
from starlette.requests import HTTPConnection

from actors.ports import NOBODY, SystemActors
from deployments.api.access.caller import caller
from deployments.api.live.fanout import LiveFanout
from deployments.api.live.policy import LivePolicy
from deployments.api.views.camera_folders import CameraFolders
from deployments.api.views.pictures import Pictures
from deployments.api.views.pipeline import PipelineView
from deployments.api.views.probes import ReadinessProbe
from deployments.api.views.rule_book import RuleBook
from deployments.api.views.rule_test import RuleTester
from domain.clock import Clock, SystemClock
from schemas.audit import Caller
from settings import Settings
from storage.alert_rules import AlertRules
from storage.alerts import Alerts
from storage.audit import Audit
from storage.batches import Batches
from storage.cameras import Cameras
from storage.changed import Changed
from storage.config import RuntimeConfigs
from storage.detections import Detections
from storage.doorbells import Doorbells
from storage.events import Events
from storage.lazy_pool import lazy_pool
from storage.live_bus import LiveBus
from storage.media_list import MediaList
from storage.postgres import Pool
from storage.redis import connect_redis, redis_errors
from storage.services import Services as ServiceRows

T = TypeVar("T")

DATABASE_CONNECTIONS = 10
"""A replica's; the probes have one more of their own, so that a busy API is not taken for a dead database."""
TELL_SECONDS = 0.5


class Tell:
    """Awaits a change, tells the live views of it, and gives its value. Redis being slow or away holds nobody up."""

    def __init__(self, bus: LiveBus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._under_way: set[asyncio.Task[int]] = set()

    async def __call__(self, change: Awaitable[Changed[T]]) -> T:
        changed = await change
        if changed.news:
            telling = asyncio.create_task(self._bus.publish(changed.news, self._clock.now()))
            self._under_way.add(telling)
            telling.add_done_callback(self._under_way.discard)
            await asyncio.wait([telling], timeout=TELL_SECONDS)
        return changed.value


@dataclass(frozen=True)
class Services:
    """Everything that a handler may use; made in the replica, closed with it."""

    settings: Settings
    clock: Clock
    actors: SystemActors
    audit: Audit
    cameras: Cameras
    camera_folders: CameraFolders
    events: Events
    detections: Detections
    media: MediaList
    alerts: Alerts
    alert_rules: AlertRules
    rule_book: RuleBook
    rule_tester: RuleTester
    pictures: Pictures
    pipeline: PipelineView
    readiness: ReadinessProbe
    tell: Tell
    bus: LiveBus
    fanout: LiveFanout
    live_policy: LivePolicy
    doorbells: Doorbells
    _pools: tuple[Pool, ...]
    _redis: redis.asyncio.Redis

    @classmethod
    async def open(
        cls,
        settings: Settings,
        *,
        actors: SystemActors = NOBODY,
        clock: Clock | None = None,
        live_policy: LivePolicy | None = None,
    ) -> "Services":
        """Comes up whatever state the stores are in: each is connected to when it is first needed, again and again."""
        clock = clock or SystemClock()
        name = f"api {os.getpid()}"
        database = await lazy_pool(_address(settings, "database_url"), DATABASE_CONNECTIONS, name)
        probing = await lazy_pool(_address(settings, "database_url"), 1, f"{name} probe", command_seconds=2.0)
        client = connect_redis(_address(settings, "redis_url"))
        bus = LiveBus(client, clock)
        cameras, events, detections = Cameras(database), Events(database), Detections(database)
        rules = AlertRules(database)
        return cls(
            settings=settings,
            clock=clock,
            actors=actors,
            audit=Audit(database),
            cameras=cameras,
            camera_folders=CameraFolders(settings.cameras, cameras),
            events=events,
            detections=detections,
            media=MediaList(database),
            alerts=Alerts(database),
            alert_rules=rules,
            rule_book=RuleBook(rules, cameras),
            rule_tester=RuleTester(rules, events, detections, settings.timezone),
            pictures=Pictures(detections, settings.cameras, settings.data_dir / "thumbnails"),
            pipeline=PipelineView(
                ServiceRows(database), Batches(database), RuntimeConfigs(database, settings.runtime_config()), clock
            ),
            readiness=ReadinessProbe(ServiceRows(probing).list, RedisVersion(client), clock),
            tell=Tell(bus, clock),
            bus=bus,
            fanout=LiveFanout(bus),
            live_policy=live_policy or LivePolicy(),
            doorbells=Doorbells(client),
            _pools=(database, probing),
            _redis=client,
        )

    async def close(self) -> None:
        self.readiness.close()
        await self.fanout.close()
        await self.doorbells.aclose()
        await self._redis.aclose(close_connection_pool=True)
        for pool in self._pools:
            pool.terminate()


class RedisVersion:
    """A PING; and what the server is, asked once."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client = client
        self._version: str | None = None

    async def __call__(self) -> str:
        with redis_errors():
            await self._client.ping()
            if self._version is None:
                self._version = str((await self._client.info("server"))["redis_version"])
        return self._version


def _address(settings: Settings, field: str) -> str:
    """Both are set by then: the system fills in the addresses of its own stores."""
    address = getattr(settings, field)
    if address is None:
        raise ValueError(f"{field.upper()} is not set")
    return cast(str, address.get_secret_value())


def _part(name: str) -> Any:
    async def part(connection: HTTPConnection) -> Any:
        return getattr(connection.app.state.services, name)

    return Depends(part)


ActorsDep = Annotated[SystemActors, _part("actors")]
AlertRulesDep = Annotated[AlertRules, _part("alert_rules")]
AlertsDep = Annotated[Alerts, _part("alerts")]
AuditDep = Annotated[Audit, _part("audit")]
CallerDep = Annotated[Caller, Depends(caller)]
CameraFoldersDep = Annotated[CameraFolders, _part("camera_folders")]
CamerasDep = Annotated[Cameras, _part("cameras")]
ClockDep = Annotated[Clock, _part("clock")]
DetectionsDep = Annotated[Detections, _part("detections")]
EventsDep = Annotated[Events, _part("events")]
MediaDep = Annotated[MediaList, _part("media")]
PicturesDep = Annotated[Pictures, _part("pictures")]
PipelineDep = Annotated[PipelineView, _part("pipeline")]
ReadinessDep = Annotated[ReadinessProbe, _part("readiness")]
RuleBookDep = Annotated[RuleBook, _part("rule_book")]
RuleTesterDep = Annotated[RuleTester, _part("rule_tester")]
TellDep = Annotated[Tell, _part("tell")]
