"""The batch aggregator's tools."""

from actors.batch_aggregator import AggregatorTools
from actors.metrics import count_live_frames
from actors.tools import open_pool, open_redis
from domain.clock import SystemClock
from settings import Settings
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus


async def aggregator_tools(settings: Settings) -> AggregatorTools:
    pool, redis = await open_pool(settings, "batch_aggregator"), open_redis(settings)
    configs = RuntimeConfigs(pool, settings.runtime_config())
    return AggregatorTools(
        Batches(pool), configs, LiveBus(redis, counted=count_live_frames), Doorbells(redis), SystemClock()
    )
