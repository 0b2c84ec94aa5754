"""One system on this machine: stores, migrations, Ray, actors and Serve, brought up in order and taken down in order."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable

import httpx

from deployments.ray_environment import ray_environment, ray_token
from launch.down import end_leftovers
from settings import Settings
from storage.migrate import migrate
from storage.own_stores import OwnStores
from storage.system_lock import SystemLock, SystemState, acquire

APP_NAME = "home-security"
READY_SECONDS = 240.0
PROXY_TRIES = 5


class StartFailed(Exception):
    """The system did not come up; the message says what to do."""


class HomeSystem:
    """`start()`, then `wait()` until a signal, then `stop()`; the process that holds it holds the system."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._settings = settings
        self._stores = OwnStores(settings)
        self._lock: SystemLock | None = None
        self._ended = threading.Event()
        self._began = time.monotonic()

    @property
    def url(self) -> str:
        return f"http://{self._settings.api_host}:{self._settings.api_port}"

    def start(self) -> None:
        """Returns when the API answers ready. Raises AlreadyRunning, StoreSetupFailed, StartFailed."""
        self._lock = acquire(self._settings.data_dir)
        end_leftovers(self._settings.data_dir, self._step)
        self._settings = self._stores.start(self._step)
        assert self._settings.database_url is not None
        self._step("migrating the database")
        asyncio.run(migrate(self._settings.database_url.get_secret_value()))
        self._step("starting Ray")
        address = self._start_ray()
        self._step("starting the actors, the detector and the API")
        self._start_serve()
        own = self._stores
        self._lock.update(
            api_url=self.url,
            ray_address=address,
            ray_token_path=str(ray_token(self._settings.data_dir)),
            database_url=self._settings.database_url.get_secret_value() if own.postgres else None,
            redis_url=self._settings.redis_url.get_secret_value() if own.redis and self._settings.redis_url else None,
        )
        self._wait_until_ready()
        self._lock.update(state=SystemState.RUNNING)
        self._step("ready")

    def wait(self) -> None:
        """Until SIGTERM or SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ended.set())
        while not self._ended.wait(3600):
            pass

    def stop(self) -> None:
        """In the order that loses nothing: no new requests, actors finish what they hold, then Ray, then the stores."""
        self._step("stopping")
        if self._lock is not None:
            self._lock.update(state=SystemState.STOPPING)
        try:
            self._stop_ray()
        finally:
            self._stores.stop()
            end_leftovers(self._settings.data_dir, self._step)
            if self._lock is not None:
                self._lock.release()
        self._step("stopped")

    def _step(self, what: str) -> None:
        self._tell(f"[{time.monotonic() - self._began:5.1f} s] {what}")

    def _start_ray(self) -> str:
        """Ray reads its environment when it is first imported, so that happens here and not before."""
        os.environ.update(ray_environment(self._settings))
        import ray

        context = ray.init(
            namespace="home-security",
            num_cpus=max(os.cpu_count() or 1, 2),
            include_dashboard=self._settings.ray_dashboard,
            dashboard_host="127.0.0.1",
            dashboard_port=self._settings.ray_dashboard_port,
            object_store_memory=256 * 1024 * 1024,
            _node_ip_address="127.0.0.1",
            log_to_driver=False,
            configure_logging=False,
        )
        return str(context.address_info["gcs_address"])

    def _start_serve(self) -> None:
        from ray import serve
        from ray.exceptions import RayActorError

        from actors.pipeline import start_supervisor
        from serve_app import build

        start_supervisor(self._settings, APP_NAME)
        for _ in range(PROXY_TRIES):
            try:
                serve.start(
                    http_options={"host": self._settings.api_host, "port": self._settings.api_port},
                    logging_config={"log_level": "WARNING", "enable_access_log": False},
                )
                break
            except RayActorError:
                self._step("the proxy did not come up in time, trying again")  # Serve kills a slow one and makes another
        serve.run(build(self._settings), name=APP_NAME)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        last = "no answer"
        while time.monotonic() < deadline and not self._ended.is_set():
            try:
                answer = httpx.get(f"{self.url}/api/system/health/ready", timeout=5, trust_env=False)
                if answer.status_code == 200:
                    return
                last = answer.text[:500]
            except httpx.HTTPError as error:
                last = str(error) or type(error).__name__
            time.sleep(0.2)
        raise StartFailed(f"the system was not ready after {READY_SECONDS:.0f} s: {last}; try hsi doctor")

    def _stop_ray(self) -> None:
        import ray

        if not ray.is_initialized():
            return
        from ray import serve

        from actors.pipeline import stop_actors

        asyncio.run(stop_actors(self._settings, APP_NAME))
        serve.shutdown()
        ray.shutdown()
