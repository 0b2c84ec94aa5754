"""What a system stands on: its DATA_DIR's lock, its stores with the schema in them, its own Ray, Serve's proxy."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable

import psutil

from deployments.ray_environment import ray_environment, ray_token
from language.engine_files import remove_orphans
from launch.down import end_leftovers
from launch.keys import require_keys_where_needed, settle_keys
from settings import Settings
from storage.migrate import migrate
from storage.own_stores import OwnStores
from storage.system_lock import SystemLock, SystemState, acquire

NAMESPACE = "home-security"
OBJECT_STORE_BYTES = 256 * 1024 * 1024
PROXY_TRIES = 5


class StartFailed(Exception):
    """The system cannot come up; the message says what to do."""


class Ground:
    """`prepare()` and `start_ray()`, then the application; `clear()` at the end, whatever came of it."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self.settings = settings
        self._tell = tell
        self._stores = OwnStores(settings)
        self._lock: SystemLock | None = None

    def prepare(self) -> Settings:
        """Lock, stores, schema, keys; the settings with the stores' addresses.

        Raises StoreError, StartFailed or SettingsError.
        """
        _require_ipv4(self.settings.api_host)
        require_keys_where_needed(self.settings)
        self._lock = acquire(self.settings.data_dir)
        _require_port(self.settings.api_host, self.settings.api_port)
        end_leftovers(self.settings.data_dir, self._tell)
        self.settings = self._stores.start(self._tell)
        assert self.settings.database_url is not None
        self._tell("migrating the database")
        asyncio.run(migrate(self.settings.database_url.get_secret_value()))
        settle_keys(self.settings, self._tell)
        return self.settings

    def start_ray(self) -> None:
        """A Ray of our own and Serve's proxy on API_HOST:API_PORT. Ray reads its environment when it starts."""
        self._tell("starting Ray")
        os.environ.update(ray_environment(self.settings))
        import ray  # not before: it reads parts of its environment when it is imported

        context = ray.init(
            namespace=NAMESPACE,
            num_cpus=max(os.cpu_count() or 1, 2),
            include_dashboard=self.settings.ray_dashboard,
            dashboard_host="127.0.0.1",
            dashboard_port=self.settings.ray_dashboard_port,
            object_store_memory=OBJECT_STORE_BYTES,
            _node_ip_address="127.0.0.1",
            log_to_driver=False,
            configure_logging=False,
        )
        self._record(str(context.address_info["gcs_address"]))

    def start_proxy(self) -> None:
        """Serve kills a proxy that comes up slowly and makes another; a busy machine gets some tries."""
        from ray import serve
        from ray.exceptions import RayActorError

        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        for _ in range(PROXY_TRIES - 1):
            try:
                return self._start_proxy(serve)
            except RayActorError:
                self._tell("the proxy did not come up in time, trying again")
        return self._start_proxy(serve)

    def _start_proxy(self, serve: object) -> None:
        serve.start(  # type: ignore[attr-defined]
            http_options={"host": self.settings.api_host, "port": self.settings.api_port},
            logging_config={"log_level": "WARNING", "enable_access_log": False},
        )

    def mark(self, state: SystemState) -> None:
        """Tells other processes, through the record beside the lock, how far the system is."""
        if self._lock is not None:
            self._lock.update(state=state)

    def clear(self) -> None:
        """Stops the stores, ends what is left, gives the lock back. Without the lock nothing here is ours to end."""
        if self._lock is None:
            return
        self._stores.stop()
        end_leftovers(self.settings.data_dir, self._tell)
        remove_orphans()
        self._lock.release()
        self._lock = None

    def is_alive(self) -> bool:
        """Whether the processes that Ray cannot do without still run."""
        running = {child.name() for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}
        return {"gcs_server", "raylet"} <= running

    def _record(self, ray_address: str) -> None:
        assert self._lock is not None
        assert self.settings.database_url is not None
        assert self.settings.redis_url is not None
        self._lock.update(
            api_url=self.settings.api_url,
            ray_address=ray_address,
            ray_token_path=str(ray_token(self.settings.data_dir)),
            database_url=self.settings.database_url.get_secret_value() if self._stores.postgres else None,
            redis_url=self.settings.redis_url.get_secret_value() if self._stores.redis else None,
        )


def _require_ipv4(host: str) -> None:
    if ":" in host:
        raise StartFailed(f"API_HOST={host}: Ray Serve does not come up on IPv6; use 127.0.0.1 or 0.0.0.0")


def _require_port(host: str, port: int) -> None:
    """Another program's answer on our port must not be taken for our own."""
    with socket.socket(socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartFailed(f"{host}:{port} cannot be used ({error.strerror}): set API_PORT or API_HOST") from None
