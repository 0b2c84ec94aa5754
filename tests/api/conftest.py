"""The API over real stores: called in the test's own loop, or served on a port where a real connection matters."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from deployments.api.app import create_app
from deployments.api.deps import Services
from deployments.api.live.policy import LivePolicy
from settings import Settings, load_settings
from storage.postgres import Pool
from tests.storage.rows import Rows

NOBODY_THERE = "127.0.0.1:1"


@pytest.fixture
def camera_root(tmp_path: Path) -> Path:
    root = tmp_path / "cameras"
    root.mkdir()
    return root


@pytest.fixture
def settings(tmp_path: Path, camera_root: Path, database_url: str, redis_url: str) -> Settings:
    return load_settings(
        {
            "DATA_DIR": str(tmp_path / "data"),
            "CAMERA_ROOT": str(camera_root),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "TIMEZONE": "Europe/Berlin",
            "ALLOWED_HOSTS": "testserver",
        }
    )


@pytest.fixture
def live_policy() -> LivePolicy:
    return LivePolicy()


@pytest.fixture
async def services(settings: Settings, live_policy: LivePolicy) -> AsyncIterator[Services]:
    opened = await Services.open(settings, live_policy=live_policy)
    yield opened
    await opened.close()


@pytest.fixture
async def api(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


@pytest.fixture
def rows(database: Pool) -> Rows:
    return Rows(database)


@pytest.fixture
async def api_without_stores(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The API came up, and neither PostgreSQL nor Redis is there."""
    settings = load_settings(
        {
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": f"postgresql://secret_user:secret_password@{NOBODY_THERE}/none",
            "REDIS_URL": f"redis://:secret_password@{NOBODY_THERE}/0",
            "ALLOWED_HOSTS": "testserver",
        }
    )
    opened = await Services.open(settings)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(opened)), base_url="http://testserver"
    ) as client:
        yield client
    await opened.close()


@pytest.fixture
async def served(services: Services) -> AsyncIterator[str]:
    """host:port of the API on a real server."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(services), log_level="warning", lifespan="off", ws="websockets-sansio")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    host, port = listening.getsockname()
    yield f"{host}:{port}"
    server.should_exit = True
    await serving
