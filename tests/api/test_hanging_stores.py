"""Real stores that hang: every health report is there while they still do, and liveness does not even notice."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import load_settings
from storage.embedded import EmbeddedPostgres, EmbeddedRedis
from storage.migrate import migrate
from tests.stores import data_folder

REPORTS = ("/api/system/health", "/api/system/health/full", "/api/system/health/ready", "/ready")


@pytest.fixture
async def own_stores() -> AsyncIterator[tuple[httpx.AsyncClient, psutil.Process, psutil.Process]]:
    """The API over a PostgreSQL and a Redis of its own, and their processes."""
    with data_folder() as folder:
        postgres, redis = EmbeddedPostgres(folder), EmbeddedRedis(folder)
        settings = load_settings(
            {
                "DATA_DIR": str(folder),
                "DATABASE_URL": postgres.start(),
                "REDIS_URL": redis.start(),
                "ALLOWED_HOSTS": "testserver",
            }
        )
        assert settings.database_url is not None
        await migrate(settings.database_url.get_secret_value())
        services = await Services.open(settings)
        transport = httpx.ASGITransport(create_app(services))
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://testserver", timeout=30) as client:
                for report in REPORTS:  # connections are open before anything hangs
                    await client.get(report)
                yield client, _postmaster(folder), _redis_server(folder)
        finally:
            await services.close()
            postgres.stop()
            redis.stop()


def _postmaster(folder: Path) -> psutil.Process:
    [file] = folder.rglob("postmaster.pid")
    return psutil.Process(int(file.read_text().splitlines()[0]))


def _redis_server(folder: Path) -> psutil.Process:
    own = psutil.Process().children(recursive=True)
    return next(one for one in own if "redis" in one.name() and str(folder) in " ".join([*one.cmdline(), one.cwd()]))


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    processes = [process, *process.children(recursive=True)]
    for one in processes:
        os.kill(one.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            os.kill(one.pid, signal.SIGCONT)


async def test_a_postgresql_that_hangs_holds_no_report_up(
    own_stores: tuple[httpx.AsyncClient, psutil.Process, psutil.Process],
) -> None:
    api, postgres, _ = own_stores
    with stopped(postgres):
        answers = await asyncio.gather(*(api.get(report) for report in REPORTS * 3))
        assert {answer.status_code for answer in answers} == {503}
        short = answers[0].json()
        assert short["status"] == "unhealthy"
        assert short["services"]["database"]["message"] == "Database did not answer within 300 ms"
        full = answers[1].json()
        assert full["infrastructure"]["postgres"]["status"] == "unhealthy"
        assert full["infrastructure"]["redis"]["status"] == "healthy"
        assert (await api.get("/api/system/health/live")).json()["status"] == "alive"

    recovered = await api.get("/api/system/health")
    assert recovered.json()["services"]["redis"]["status"] == "healthy"


async def test_a_redis_that_hangs_holds_no_report_up(
    own_stores: tuple[httpx.AsyncClient, psutil.Process, psutil.Process],
) -> None:
    api, _, redis = own_stores
    with stopped(redis):
        answers = await asyncio.gather(*(api.get(report) for report in REPORTS * 3))
        short = answers[0].json()
        assert short["status"] == "degraded"
        assert short["services"]["redis"]["message"] == "Redis did not answer within 300 ms"
        assert answers[1].json()["infrastructure"]["postgres"]["status"] == "healthy"
        assert (await api.get("/health")).json() == {"status": "alive"}
        assert (await api.get("/api/system/health/websocket")).status_code == 200
