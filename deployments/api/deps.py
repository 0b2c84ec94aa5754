"""What handlers work with: one frozen `Services` a replica, and an alias for each of its parts."""

import asyncio
import os
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast

import redis.asyncio
from fastapi import Depends
from starlette.requests import HTTPConnection

from actors.metrics import count_live_frames
from actors.performance_sample import PerformanceSampler
from actors.ports import NOBODY, SystemActors
from actors.process import secrets_of
from deployments.api.access.caller import caller
from deployments.api.access.key_ring import KeyRing
from deployments.api.access.limiter import RateLimiter
from deployments.api.access.sessions import PageSessions
from deployments.api.live.fanout import LiveFanout
from deployments.api.live.policy import LivePolicy
from deployments.api.live.system_fanout import SystemFanout
from deployments.api.views.breakers import BreakerBoard
from deployments.api.views.camera_folders import CameraFolders
from deployments.api.views.cleanup import CleanupView
from deployments.api.views.configuration import Configuration
from deployments.api.views.dead_letters import DeadLetterOffice
from deployments.api.views.frontend_logs import FrontendLogs
from deployments.api.views.health import HealthView
from deployments.api.views.kept import Kept
from deployments.api.views.latency import LatencyView
from deployments.api.views.log_day import LogDay
from deployments.api.views.metrics import MetricsView
from deployments.api.views.models import ModelsView
from deployments.api.views.notification_test import NotificationTest
from deployments.api.views.performance import PerformanceView
from deployments.api.views.pictures import Pictures
from deployments.api.views.pipeline import PipelineView
from deployments.api.views.probes import ReadinessProbe
from deployments.api.views.rule_book import RuleBook
from deployments.api.views.rule_test import RuleTester
from deployments.api.views.services import ServiceBoard
from deployments.api.views.statistics import StatisticsView
from deployments.api.views.storage_use import StorageView
from deployments.api.views.system_status import SystemStatusView
from domain.clock import Clock, SystemClock
from domain.redaction import Redactor
from schemas.audit import Caller
from settings import Settings
from storage.alert_rules import AlertRules
from storage.alerts import Alerts
from storage.api_keys import ApiKeys
from storage.audit import Audit
from storage.batches import Batches
from storage.cameras import Cameras
from storage.changed import Changed
from storage.cleanup_runs import CleanupRuns
from storage.config import RuntimeConfigs
from storage.dead_letters import DeadLetters
from storage.detections import Detections
from storage.doorbells import Doorbells
from storage.event_stats import EventFigures
from storage.events import Events
from storage.gpu_stats import GpuStats, sample_kept
from storage.latency import LatencySamples
from storage.lazy_pool import lazy_pool
from storage.live_bus import LiveBus
from storage.logs import Logs
from storage.media_list import MediaList
from storage.metric_scrape import MetricScrapes
from storage.models import Models
from storage.performance import PerformanceRows
from storage.postgres import Pool
from storage.preferences import Preferences
from storage.rate_limits import RateLimits
from storage.redis import connect_redis, redis_errors
from storage.services import Services as ServiceRows
from storage.stats import Stats
from storage.system_figures import SystemRows
from storage.whys import Whys

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
    keys: KeyRing
    sessions: PageSessions
    limiter: RateLimiter
    behind_own_proxy: bool
    """Whether every request comes through the system's own HAProxy, which says whence."""
    actors: SystemActors
    breaker_board: BreakerBoard
    service_board: ServiceBoard
    dead_letters: DeadLetters
    dead_letter_office: DeadLetterOffice
    audit: Audit
    cameras: Cameras
    camera_folders: CameraFolders
    events: Events
    whys: Whys
    event_figures: EventFigures
    detections: Detections
    logs: Logs
    log_day: LogDay
    frontend_logs: FrontendLogs
    metrics: MetricsView
    media: MediaList
    models: ModelsView
    alerts: Alerts
    alert_rules: AlertRules
    rule_book: RuleBook
    rule_tester: RuleTester
    pictures: Pictures
    cleanup: CleanupView
    pipeline: PipelineView
    configuration: Configuration
    preferences: Preferences
    notification_test: NotificationTest
    readiness: ReadinessProbe
    health: HealthView
    statistics: StatisticsView
    storage_use: StorageView
    latency: LatencyView
    performance: PerformanceView
    tell: Tell
    bus: LiveBus
    fanout: LiveFanout
    system_fanout: SystemFanout
    system_status: SystemStatusView
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
        behind_own_proxy: bool = False,
        clock: Clock | None = None,
        live_policy: LivePolicy | None = None,
    ) -> "Services":
        """Comes up whatever state the stores are in: each is connected to when it is first needed, again and again."""
        clock = clock or SystemClock()
        name = f"api {os.getpid()}"
        database = await lazy_pool(_address(settings, "database_url"), DATABASE_CONNECTIONS, name)
        probing = await lazy_pool(_address(settings, "database_url"), 1, f"{name} probe", command_seconds=2.0)
        letting_in = await lazy_pool(_address(settings, "database_url"), 1, f"{name} keys", command_seconds=2.0)
        client = connect_redis(_address(settings, "redis_url"))
        keys = KeyRing(ApiKeys(letting_in), clock, settings.given_keys())
        bus = LiveBus(client, clock, count_live_frames)
        bells = Doorbells(client)
        cameras, events, detections = Cameras(database), Events(database), Detections(database)
        rules, logs = AlertRules(database), Logs(database)
        preferences = Preferences(database)
        live_policy = live_policy or LivePolicy()
        fanout = LiveFanout(bus)
        readiness = ReadinessProbe(ServiceRows(probing).list, RedisVersion(client), clock)
        system_status = SystemStatusView(SystemRows(database), readiness, clock)
        system_fanout = SystemFanout(fanout, bus, system_status, clock, live_policy)
        gpus, latencies, figures = GpuStats(database), LatencySamples(database), PerformanceRows(database)
        gpu_kept = sample_kept(settings.gpu_poll_interval_seconds)
        sampler = PerformanceSampler(
            figures,
            gpus,
            ServiceRows(database),
            Models(database),
            latencies,
            client,
            settings.data_dir,
            gpu_kept,
            clock,
        )
        return cls(
            settings=settings,
            clock=clock,
            keys=keys,
            sessions=PageSessions(keys, settings.asks_for_keys),
            limiter=RateLimiter(RateLimits(client), settings, clock),
            behind_own_proxy=behind_own_proxy,
            actors=actors,
            breaker_board=BreakerBoard(actors.breakers, Audit(database), clock),
            service_board=ServiceBoard(ServiceRows(database), actors.supervisor, clock),
            dead_letters=DeadLetters(database),
            dead_letter_office=DeadLetterOffice(DeadLetters(database), bells),
            audit=Audit(database),
            cameras=cameras,
            camera_folders=CameraFolders(settings.cameras, cameras),
            events=events,
            whys=Whys(database),
            event_figures=EventFigures(database),
            detections=detections,
            logs=logs,
            log_day=LogDay(logs, clock, settings.timezone),
            frontend_logs=FrontendLogs(logs, clock, Redactor(secrets_of(settings))),
            metrics=MetricsView(MetricScrapes(database), clock, settings.gpu_poll_interval_seconds),
            media=MediaList(database),
            models=ModelsView(Models(database), ServiceRows(database), LatencySamples(database), settings, clock),
            alerts=Alerts(database),
            alert_rules=rules,
            rule_book=RuleBook(rules, cameras),
            rule_tester=RuleTester(rules, events, detections, settings.timezone),
            cleanup=CleanupView(
                ServiceRows(database),
                CleanupRuns(database),
                RuntimeConfigs(database, settings.runtime_config()),
                settings,
                clock,
            ),
            pictures=Pictures(detections, settings.cameras, settings.data_dir / "thumbnails"),
            pipeline=PipelineView(
                ServiceRows(database), Batches(database), RuntimeConfigs(database, settings.runtime_config()), clock
            ),
            configuration=Configuration(RuntimeConfigs(database, settings.runtime_config())),
            preferences=preferences,
            notification_test=NotificationTest(settings, preferences, Audit(database), clock),
            readiness=readiness,
            health=HealthView(readiness, actors.breakers.status, Models(probing).list, fanout, system_fanout, clock),
            statistics=StatisticsView(Stats(database), gpus, latencies, gpu_kept, clock),
            storage_use=StorageView(
                settings.data_dir, settings.cameras, Kept(Stats(database).row_counts, clock), clock
            ),
            latency=LatencyView(latencies, clock),
            performance=PerformanceView(figures, sampler, clock),
            tell=Tell(bus, clock),
            bus=bus,
            fanout=fanout,
            system_fanout=system_fanout,
            system_status=system_status,
            live_policy=live_policy,
            doorbells=bells,
            _pools=(database, probing, letting_in),
            _redis=client,
        )

    async def close(self) -> None:
        for view in (self.readiness, self.health, self.statistics, self.storage_use, self.performance):
            view.close()
        self.keys.close()
        self.system_status.close()
        await self.fanout.close()
        await self.system_fanout.close()
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
BreakerBoardDep = Annotated[BreakerBoard, _part("breaker_board")]
CallerDep = Annotated[Caller, Depends(caller)]
CameraFoldersDep = Annotated[CameraFolders, _part("camera_folders")]
CamerasDep = Annotated[Cameras, _part("cameras")]
CleanupDep = Annotated[CleanupView, _part("cleanup")]
ClockDep = Annotated[Clock, _part("clock")]
DeadLetterOfficeDep = Annotated[DeadLetterOffice, _part("dead_letter_office")]
DeadLettersDep = Annotated[DeadLetters, _part("dead_letters")]
ConfigurationDep = Annotated[Configuration, _part("configuration")]
DetectionsDep = Annotated[Detections, _part("detections")]
HealthDep = Annotated[HealthView, _part("health")]
EventFiguresDep = Annotated[EventFigures, _part("event_figures")]
EventsDep = Annotated[Events, _part("events")]
FrontendLogsDep = Annotated[FrontendLogs, _part("frontend_logs")]
LatencyDep = Annotated[LatencyView, _part("latency")]
LogDayDep = Annotated[LogDay, _part("log_day")]
LogsDep = Annotated[Logs, _part("logs")]
MediaDep = Annotated[MediaList, _part("media")]
MetricsDep = Annotated[MetricsView, _part("metrics")]
ModelsDep = Annotated[ModelsView, _part("models")]
NotificationTestDep = Annotated[NotificationTest, _part("notification_test")]
PerformanceDep = Annotated[PerformanceView, _part("performance")]
PicturesDep = Annotated[Pictures, _part("pictures")]
PipelineDep = Annotated[PipelineView, _part("pipeline")]
PreferencesDep = Annotated[Preferences, _part("preferences")]
PageSessionsDep = Annotated[PageSessions, _part("sessions")]
ReadinessDep = Annotated[ReadinessProbe, _part("readiness")]
RuleBookDep = Annotated[RuleBook, _part("rule_book")]
RuleTesterDep = Annotated[RuleTester, _part("rule_tester")]
ServiceBoardDep = Annotated[ServiceBoard, _part("service_board")]
StatisticsDep = Annotated[StatisticsView, _part("statistics")]
StorageDep = Annotated[StorageView, _part("storage_use")]
TellDep = Annotated[Tell, _part("tell")]
WhysDep = Annotated[Whys, _part("whys")]
