"""What each actor opens in its own process: one function an actor, from Settings to its tools."""

import random
from functools import partial
from pathlib import Path

import redis.asyncio as redis_client

from actors.alert_dispatcher import DispatcherTools
from actors.alerting import Alerting
from actors.analysis_worker import AnalysisTools
from actors.assessors import DeterministicAssessor
from actors.batch_aggregator import AggregatorTools
from actors.circuit_breakers import UnstoppedByBreakers
from actors.detection_worker import DetectionTools
from actors.file_watcher import WatcherTools
from actors.gpu_monitor import MonitorTools
from actors.ref import DetectorDeployment, Ref
from domain.clock import SystemClock
from notify.channels import NotifyConfig, build_channels, recipients, why_not
from notify.email import SmtpTls
from settings import Settings
from storage.assessments import Assessments
from storage.baselines import Baselines
from storage.batches import Batches
from storage.cameras import Cameras
from storage.config import RuntimeConfigs
from storage.deliveries import Deliveries
from storage.doorbells import Doorbells
from storage.gpu_stats import GpuStats
from storage.live_bus import LiveBus
from storage.media import MediaQueue
from storage.postgres import Pool, connect_pool
from storage.redis import connect_redis

CONNECTIONS_AN_ACTOR = 4


async def open_pool(settings: Settings, name: str) -> Pool:
    """Raises StoreUnavailable while PostgreSQL is away; the caller's loop tries again."""
    assert settings.database_url is not None, "the stores are started before the actors"
    return await connect_pool(settings.database_url.get_secret_value(), 1, CONNECTIONS_AN_ACTOR, name)


def open_redis(settings: Settings) -> redis_client.Redis:
    """Connects at the first command; Redis may be away."""
    assert settings.redis_url is not None, "the stores are started before the actors"
    return connect_redis(settings.redis_url.get_secret_value())


def notify_config(settings: Settings) -> NotifyConfig:
    return NotifyConfig(
        smtp_host=settings.smtp_host,
        smtp_port=settings.smtp_port,
        smtp_user=settings.smtp_user,
        smtp_password=settings.smtp_password,
        smtp_from_address=settings.smtp_from_address,
        smtp_tls=SmtpTls(settings.smtp_tls),
        smtp_to=settings.smtp_to,
        webhook_url=settings.default_webhook_url,
        webhook_allowed_hosts=settings.webhook_allowed_hosts,
        webhook_secret=settings.webhook_secret,
        push_urls=settings.push_urls,
    )


async def watcher_tools(settings: Settings) -> WatcherTools:
    pool, redis = await open_pool(settings, "file_watcher"), open_redis(settings)
    return WatcherTools(MediaQueue(pool), Cameras(pool), Doorbells(redis), LiveBus(redis), SystemClock())


async def detection_tools(settings: Settings, app_name: str, name: str) -> DetectionTools:
    pool, redis = await open_pool(settings, name), open_redis(settings)
    return DetectionTools(
        queue=MediaQueue(pool),
        configs=RuntimeConfigs(pool, settings.runtime_config()),
        detector=DetectorDeployment(app_name),
        aggregator=Ref("batch_aggregator"),
        breakers=UnstoppedByBreakers(Ref("circuit_breakers")),
        wait=partial(Doorbells(redis).wait, "media"),
        random=random.random,
    )


async def aggregator_tools(settings: Settings) -> AggregatorTools:
    pool, redis = await open_pool(settings, "batch_aggregator"), open_redis(settings)
    configs = RuntimeConfigs(pool, settings.runtime_config())
    return AggregatorTools(Batches(pool), configs, LiveBus(redis), Doorbells(redis), SystemClock())


async def analysis_tools(settings: Settings, name: str) -> AnalysisTools:
    pool, redis = await open_pool(settings, name), open_redis(settings)
    channels = notify_config(settings)
    doorbells = Doorbells(redis)
    return AnalysisTools(
        batches=Batches(pool),
        baselines=Baselines(pool),
        assessments=Assessments(pool),
        configs=RuntimeConfigs(pool, settings.runtime_config()),
        assessor=DeterministicAssessor(),
        alerting=Alerting(settings.timezone, partial(recipients, channels), partial(why_not, channels)),
        live=LiveBus(redis),
        doorbells=doorbells,
        wait=partial(doorbells.wait, "batches"),
        clock=SystemClock(),
        random=random.random,
        timezone=settings.timezone,
    )


async def dispatcher_tools(settings: Settings, name: str) -> DispatcherTools:
    pool, redis = await open_pool(settings, name), open_redis(settings)
    channels = notify_config(settings)
    return DispatcherTools(
        deliveries=Deliveries(pool),
        channels=build_channels(channels),
        why_not=partial(why_not, channels),
        live=LiveBus(redis),
        wait=partial(Doorbells(redis).wait, "deliveries"),
        clock=SystemClock(),
        random=random.random,
        timezone=settings.timezone,
    )


async def monitor_tools(settings: Settings) -> MonitorTools:
    return MonitorTools(GpuStats(await open_pool(settings, "gpu_monitor")), SystemClock())


def camera_root(settings: Settings) -> Path:
    """The folder that holds the cameras' folders, made when it is not there."""
    settings.cameras.mkdir(parents=True, exist_ok=True)
    return settings.cameras
