"""A whole running system for tests: `hsi up` as its user starts it, real sinks for its alerts, and questions to it."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil

from launch.down import processes_of
from tests.eventually import eventually_sync
from tests.notify.http_sink import HttpSink, answer
from tests.notify.smtp_sink import SmtpSink
from tests.system.model_server import model_server

HSI = str(Path(sys.executable).with_name("hsi"))
START_SECONDS = 300.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sinks:
    """Where a system reaches out to, on loopback and in a thread of their own: a webhook receiver and a mail server for
    its alerts, and a language model's server.
    """

    def __init__(self) -> None:
        self.http = HttpSink(answer(200))
        self.smtp = SmtpSink()
        self.model = model_server()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Sinks":
        self._thread.start()
        self._run(self.http.__aenter__())
        self._run(self.smtp.__aenter__())
        self._run(self.model.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self.http.__aexit__(None, None, None))
        self._run(self.smtp.__aexit__(None, None, None))
        self._run(self.model.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DEFAULT_WEBHOOK_URL": self.http.url,
            "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.smtp.port),
            "SMTP_TO": "owner@example.org",
        }

    @property
    def model_url(self) -> str:
        return f"http://127.0.0.1:{self.model.port}/v1"


@dataclass
class House:
    """One running system and its address."""

    data_dir: Path
    url: str
    environment: dict[str, str]
    process: subprocess.Popen[str]
    output: Path
    api: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.api = httpx.Client(base_url=self.url, timeout=30, trust_env=False, headers=self.key_header)

    @property
    def key_header(self) -> dict[str, str]:
        """What a request must carry where this system asks for keys; its first key is `name:key`."""
        first = self.environment.get("API_KEYS", "").split(",")[0]
        return {"X-API-Key": first.partition(":")[2]} if first else {}

    @property
    def cameras(self) -> Path:
        return self.data_dir / "cameras"

    def get(self, path: str, **parameters: Any) -> Any:
        """The body of a GET; tried again for a moment, as a client of an API with several replicas does."""
        for _ in range(20):
            try:
                response = self.api.get(path, params=parameters)
            except httpx.TransportError:
                continue
            if response.status_code < 500:
                return response.raise_for_status().json()
        raise AssertionError(f"{path} does not answer")

    def all(self, path: str, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """Every row of a list, page after page."""
        rows: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.get(path, limit=100, **parameters, **({"cursor": cursor} if cursor else {}))
            rows += page[name]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows

    def hsi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([HSI, *arguments], env=self.environment, capture_output=True, text=True, timeout=180)

    def workers(self, kind: str) -> list[psutil.Process]:
        """The Ray worker processes of one actor's class, found as an operator would find them."""
        return [process for process in processes_of(self.data_dir) if _title(process).startswith(f"ray::{kind}")]

    def kill(self, kind: str) -> int:
        """kill -9 of the one process of this actor; answers its process id."""
        eventually_sync(lambda: len(self.workers(kind)) == 1, 60)
        victim = self.workers(kind)[0]
        victim.send_signal(signal.SIGKILL)
        return victim.pid

    def is_ready(self) -> bool:
        try:
            return self.api.get("/api/system/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def query(self, sql: str, *arguments: Any) -> list[Any]:
        """Straight from the database, to hold the API's answers against."""

        async def ask() -> list[Any]:
            record = json.loads((self.data_dir / "run" / "system.json").read_text())
            connection = await asyncpg.connect(record["database_url"])
            try:
                return list(await connection.fetch(sql, *arguments))
            finally:
                await connection.close()

        return asyncio.run(ask())


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@contextmanager
def running_house(data_dir: Path, command: list[str] | None = None, **environment: str) -> Iterator[House]:
    """Starts a system, gives it once it answers, and takes it down with nothing of it left."""
    port = free_port()
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "SMTP_", "DATABASE_"))},
        "DATA_DIR": str(data_dir),
        "API_PORT": str(port),
        "RAY_DASHBOARD": "false",
        **environment,
    }
    output = data_dir / "hsi.log"
    with output.open("w") as log:
        process = subprocess.Popen([*(command or [HSI, "up"])], env=variables, stdout=log, stderr=log, text=True)
    house = House(data_dir, f"http://127.0.0.1:{port}", variables, process, output)
    try:
        eventually_sync(lambda: house.is_ready() or _has_ended(house), START_SECONDS)
        yield house
    finally:
        house.api.close()
        process.send_signal(signal.SIGTERM)
        process.wait(120)
        left = [_title(one) for one in processes_of(data_dir)]
        assert left == [], left


def _has_ended(house: House) -> bool:
    assert house.process.poll() is None, house.output.read_text()[-3000:]
    return False
