"""The API under plain uvicorn, in a process of its own: `python -m bench.served PORT`."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

import httpx
import uvicorn

from bench.running import SystemFailed, free_port
from deployments.api.app import create_app
from deployments.api.deps import Services
from domain.clock import SystemClock
from settings import Settings, load_settings
from storage.embedded import EmbeddedPostgres, EmbeddedRedis
from storage.migrate import migrate

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LOOK_EVERY_SECONDS = 0.05
UNLIMITED = {"RATE_LIMIT_ENABLED": "false", "API_KEY_ENABLED": "false"}
"""One client asks more than any limit is for."""


async def serve(port: int) -> None:
    app = create_app(await Services.open(load_settings()))
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)
    await uvicorn.Server(config).serve()


@contextmanager
def stores(folder: Path) -> Iterator[tuple[str, str]]:
    """Our own PostgreSQL, with the schema, and Redis, configured as they are shipped; their addresses."""
    postgres, redis = EmbeddedPostgres(folder), EmbeddedRedis(folder)
    database_url = postgres.start()
    try:
        asyncio.run(migrate(database_url))
        redis_url = redis.start()
        try:
            yield database_url, redis_url
        finally:
            redis.stop()
    finally:
        postgres.stop()


def environment(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    """Ours without any setting of the operator's."""
    settings = {name.upper() for name in Settings.model_fields}
    ours = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in settings}
    addresses = {"DATA_DIR": str(folder), "DATABASE_URL": database_url, "REDIS_URL": redis_url}
    return ours | addresses | UNLIMITED


@contextmanager
def under_uvicorn(folder: Path, database_url: str, redis_url: str) -> Iterator[int]:
    """The port of an API over these stores."""
    port = free_port()
    with (folder / f"uvicorn-{port}.log").open("wb+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.served", str(port)],
            env=environment(folder, database_url, redis_url),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_alive(port, process, Path(log.name))
            yield port
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_alive(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + _READY_SECONDS
    with httpx.Client(trust_env=False, timeout=1) as client:
        while process.poll() is None and clock.monotonic() < deadline:
            try:
                if client.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                    return
            except httpx.HTTPError:
                sleep(_LOOK_EVERY_SECONDS)
    raise SystemFailed(f"the API under uvicorn did not come up: {log.read_text(errors='replace')[-2000:]}")


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
