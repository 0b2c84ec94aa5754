"""The stores of a system: yours where DATABASE_URL and REDIS_URL name them, else our own, started and kept alive."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from settings import Settings
from storage.child_process import end_leftovers
from storage.embedded import EmbeddedPostgres, EmbeddedRedis, EmbeddedStore
from storage.errors import StoreError
from storage.system_lock import read_system

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
_KINDS: dict[str, type[EmbeddedStore]] = {"postgres": EmbeddedPostgres, "redis": EmbeddedRedis}


class OwnStores:
    """Starts what is not configured, restarts what dies, stops what it started."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir)
        self.redis = None if settings.redis_url else EmbeddedRedis(settings.data_dir)
        self._ended = threading.Event()
        self._keeper: threading.Thread | None = None

    def start(self, tell: Callable[[str], None] = lambda _: None) -> Settings:
        """The settings with both addresses filled in. Raises StoreSetupFailed that says how to mend it. Blocks."""
        urls: dict[str, SecretStr] = {}
        for field, store in (("database_url", self.postgres), ("redis_url", self.redis)):
            if store is not None:
                tell(f"starting our own {store.title}")
                urls[field] = SecretStr(store.start())
        self._keeper = threading.Thread(target=self._keep, name="store keeper", daemon=True)
        self._keeper.start()
        return self._settings.model_copy(update=urls)

    def stop(self) -> None:
        self._ended.set()
        if self._keeper is not None:
            self._keeper.join()
        for store in (self.redis, self.postgres):
            if store is not None:
                store.stop()

    def _keep(self) -> None:
        stores: list[EmbeddedStore] = [store for store in (self.postgres, self.redis) if store is not None]
        while not self._ended.wait(LOOK_EVERY_SECONDS):
            for store in stores:
                try:
                    if store.restart_if_dead():
                        logger.warning("%s had died and runs again", store.title)
                except StoreError as error:
                    logger.error("%s is down: %s", store.title, error)


def runs_own_store(data_dir: Path, name: str) -> bool:
    """Whether the system of this DATA_DIR, which runs on this machine, keeps a `postgres` or `redis` of its own."""
    system = read_system(data_dir)
    return system is not None and (system.database_url if name == "postgres" else system.redis_url) is not None


def end_own_server(data_dir: Path, name: str) -> None:
    """Ends our own server in good order, from any process of this machine; its keeper starts it again. Blocks.

    One that is dead is left to its keeper.
    """
    kind = _KINDS[name]
    folder = (data_dir / name).resolve() / "data"
    end_leftovers(folder, kind.executable, kind.stop_steps)
