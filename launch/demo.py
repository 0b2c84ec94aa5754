"""The demo room: drawn cameras, a rule for people, and a receiver that prints every alert that arrives."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
from pydantic import SecretStr

from demo.cameras import DemoCameras
from demo.receiver import AlertReceiver
from launch.keys import passing_key
from schemas.runtime_config import DEFAULT_CLASSES
from settings import Settings

RULE = {
    "name": "Somebody is there",
    "description": "Made by the demo: any person, on any camera.",
    "severity": "medium",
    "object_types": ["person"],
    "cooldown_seconds": 30,
    "channels": ["webhook"],
}


def demo_settings(settings: Settings) -> Settings:
    """Short batches, so that the first alert comes within a minute of the first picture."""
    changes: dict[str, object] = {"camera_root": settings.data_dir / "demo" / "cameras"}
    if "detection_classes" not in settings.model_fields_set:
        changes["detection_classes"] = (*DEFAULT_CLASSES, "package")  # which the demo's detector knows
    if "batch_window_seconds" not in settings.model_fields_set:
        changes["batch_window_seconds"] = 15
    if "batch_idle_timeout_seconds" not in settings.model_fields_set:
        changes["batch_idle_timeout_seconds"] = 5
    return settings.model_copy(update=changes)


class Demo:
    """`prepare()` before the system starts, `play()` once it is ready, `stop()` at its end."""

    def __init__(self, data_dir: Path, seed: int, interval_seconds: float, tell: Callable[[str], None]) -> None:
        self._cameras = DemoCameras(data_dir / "demo" / "cameras", seed, interval_seconds)
        self._receiver = AlertReceiver()
        self._tell = tell
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread: threading.Thread | None = None

    def prepare(self, settings: Settings) -> Settings:
        """Has alerts sent to the receiver here, unless the operator has a webhook of their own."""
        if settings.default_webhook_url is not None:
            self._tell("the demo's alerts go to DEFAULT_WEBHOOK_URL")
            return settings
        url = self._receiver.start()
        return settings.model_copy(
            update={
                "default_webhook_url": SecretStr(url),
                "webhook_allowed_hosts": (*settings.webhook_allowed_hosts, httpx.URL(url).netloc.decode()),
            }
        )

    def play(self, settings: Settings) -> None:
        """Makes the rule where there is none, and lets the cameras see their stories. The system runs by then."""
        with (
            passing_key(settings) as headers,
            httpx.Client(base_url=settings.api_url, headers=headers, timeout=10, trust_env=False) as api,
        ):
            rules = api.get("/api/alerts/rules").raise_for_status().json()["rules"]
            if not any(rule["name"] == RULE["name"] for rule in rules):
                api.post("/api/alerts/rules", json=RULE).raise_for_status()
        self._tell("three drawn cameras upload pictures now; alerts are printed here as they arrive (Ctrl-C ends)")
        self._thread = threading.Thread(target=self._play, name="demo cameras", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout=10)
        self._receiver.stop()

    def _play(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._cameras.run(self._ended))
