"""The file watcher's tools."""

from pathlib import Path

from actors.file_watcher import WatcherTools
from actors.metrics import count_live_frames
from actors.tools import open_pool, open_redis
from domain.clock import SystemClock
from settings import Settings
from storage.cameras import Cameras
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus
from storage.media import MediaQueue


async def watcher_tools(settings: Settings) -> WatcherTools:
    pool, redis = await open_pool(settings, "file_watcher"), open_redis(settings)
    return WatcherTools(
        MediaQueue(pool), Cameras(pool), Doorbells(redis), LiveBus(redis, counted=count_live_frames), SystemClock()
    )


def camera_root(settings: Settings) -> Path:
    """The folder that holds the cameras' folders, made when it is not there."""
    settings.cameras.mkdir(parents=True, exist_ok=True)
    return settings.cameras
