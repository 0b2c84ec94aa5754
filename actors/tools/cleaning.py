"""The clean-up service's tools."""

from actors.cleanup_run import ExpiredFiles
from actors.cleanup_service import CleanupPolicy, CleanupTools
from actors.expired_files import ThumbnailFiles, Uploads
from actors.metrics import count_live_frames
from actors.orphan_search import OwnFolders
from actors.tools import open_pool, open_redis
from domain.clock import SystemClock
from domain.retention import clock_time
from settings import Settings
from storage.cleanup_runs import CleanupRuns
from storage.config import RuntimeConfigs
from storage.live_bus import LiveBus
from storage.orphans import References


def cleanup_policy(settings: Settings) -> CleanupPolicy:
    return CleanupPolicy(clock_time(settings.cleanup_time), settings.timezone, settings.log_retention_days)


async def cleanup_tools(settings: Settings) -> CleanupTools:
    pool = await open_pool(settings, "cleanup_service")
    thumbnails, clips = settings.data_dir / "thumbnails", settings.data_dir / "clips"
    return CleanupTools(
        runs=CleanupRuns(pool),
        references=References(pool),
        configs=RuntimeConfigs(pool, settings.runtime_config()),
        files=ExpiredFiles(ThumbnailFiles(thumbnails), Uploads(settings.cameras, settings.cleanup_delete_images)),
        folders=OwnFolders(thumbnails, clips, settings.cameras),
        live=LiveBus(open_redis(settings), counted=count_live_frames),
        clock=SystemClock(),
    )
