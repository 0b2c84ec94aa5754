"""A detection worker's tools."""

import random
from functools import partial

from actors.circuit_breakers import UnstoppedByBreakers
from actors.detection_worker import DetectionTools
from actors.metrics import count_live_frames
from actors.ref import DetectorDeployment, Ref
from actors.scene_watch import SceneWatch
from actors.tools import open_pool, open_redis
from domain.clock import SystemClock
from settings import Settings
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus
from storage.media import MediaQueue
from storage.scene_changes import SceneChanges


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
        scenes=SceneWatch(SceneChanges(pool), LiveBus(redis, counted=count_live_frames), SystemClock()),
    )
