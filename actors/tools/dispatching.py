"""The alert dispatcher's tools."""

import random
from functools import partial

from actors.alert_dispatcher import DispatcherTools
from actors.metrics import count_live_frames
from actors.tools import open_pool, open_redis
from actors.tools.channels import notify_config
from domain.clock import SystemClock
from notify.channels import build_channels, why_not
from settings import Settings
from storage.deliveries import Deliveries
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus


async def dispatcher_tools(settings: Settings, name: str) -> DispatcherTools:
    pool, redis = await open_pool(settings, name), open_redis(settings)
    channels = notify_config(settings)
    return DispatcherTools(
        deliveries=Deliveries(pool),
        channels=build_channels(channels),
        why_not=partial(why_not, channels),
        live=LiveBus(redis, counted=count_live_frames),
        wait=partial(Doorbells(redis).wait, "deliveries"),
        clock=SystemClock(),
        random=random.random,
        timezone=settings.timezone,
    )
