"""One system on this machine: brought up in order, held until a signal, taken down in the order that loses nothing."""

import asyncio
import signal
import time
from collections.abc import Callable

import httpx

from domain.clock import Clock, SystemClock
from launch.ground import Ground, StartFailed
from settings import Settings
from storage.system_lock import SystemState

APP_NAME = "home-security"
READY_SECONDS = 240.0
LOOK_EVERY_SECONDS = 2.0
ASK_AGAIN_SECONDS = 60.0
"""After so long a signal counts again: something has swallowed the first."""


class SystemDied(Exception):
    """The system cannot go on; what was in hand are rows."""


class HomeSystem:
    """`start()`, then `wait()` until a signal, then `stop()`; the process that holds it holds the system."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._ground = Ground(settings, self._step)
        self._began = time.monotonic()
        self.url = settings.api_url

    def start(self) -> None:
        """Returns when the API answers ready. Raises AlreadyRunning, StoreSetupFailed, StartFailed, SettingsError."""
        _end_on_signals()
        settings = self._ground.prepare()
        self._ground.start_ray()
        _end_on_signals()  # Ray has put a handler of its own in place, which would end this process in the middle
        self._step("starting the actors, the detector and the API")
        from ray import serve  # Ray must find its environment, which start_ray has set

        from actors.pipeline import start_supervisor
        from serve_app import build

        start_supervisor(settings, APP_NAME)
        self._ground.start_proxy()
        try:
            serve.run(build(settings), name=APP_NAME)
        except TimeoutError as error:  # Serve's own patience, which nothing sets
            raise StartFailed(
                f"Ray Serve did not come up in time ({error}): is the machine too busy? try again"
            ) from None
        self._wait_until_ready()
        _end_on_signals()
        self._ground.mark(SystemState.RUNNING)
        self._step("ready")

    @property
    def settings(self) -> Settings:
        """With the stores' addresses, once it has started."""
        return self._ground.settings

    def wait(self) -> None:
        """Until a signal. Raises SystemDied when Ray's own processes are gone: a service manager then starts anew."""
        while True:
            time.sleep(LOOK_EVERY_SECONDS)
            if not self._ground.is_alive():
                raise SystemDied("Ray's head process died; start the system again, nothing is lost")

    def stop(self) -> None:
        """No new requests, actors finish what they hold, then Ray, then the stores; a second signal changes nothing."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        self._step("stopping")
        self._ground.mark(SystemState.STOPPING)
        try:
            self._stop_ray()
        finally:
            self._ground.clear()
        self._step("stopped")

    def _step(self, what: str) -> None:
        self._tell(f"[{time.monotonic() - self._began:5.1f} s] {what}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        last = "no answer"
        while time.monotonic() < deadline:
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

        asyncio.run(stop_actors(self._ground.settings, APP_NAME))
        serve.shutdown()
        ray.shutdown()


def _end_on_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


class Interrupt:
    """The first signal asks for the end; more of them soon after change nothing.

    They come in pairs where make or a service manager passes one on that the whole process group has had: the second
    must not break off the ending.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._asked_at = float("-inf")

    def __call__(self, *_: object) -> None:
        now = self._clock.monotonic()
        if now - self._asked_at >= ASK_AGAIN_SECONDS:
            self._asked_at = now
            raise KeyboardInterrupt


_interrupt = Interrupt()
