"""The API comes up before its stores do, and outlives their restarts."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import load_settings
from storage.postgres import Pool, connect_once
from tests.stores import with_database


async def _execute(server: str, statement: str) -> None:
    connection = await connect_once(server, "tests")
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
async def late_database(postgres_server: str) -> AsyncIterator[str]:
    """The name of a database that is not there yet."""
    name = f"late_{uuid4().hex}"
    yield name
    await _execute(postgres_server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def test_a_database_that_comes_later_is_found(
    postgres_server: str, redis_url: str, late_database: str, tmp_path: Path
) -> None:
    address = with_database(postgres_server, late_database)
    services = await Services.open(
        load_settings({"DATA_DIR": str(tmp_path), "DATABASE_URL": address, "REDIS_URL": redis_url})
    )
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as api:
        assert (await api.get("/api/events")).status_code == 503
        assert (await api.get("/api/system/health/ready")).json()["services"]["database"]["status"] == "unhealthy"
        await _execute(postgres_server, f"CREATE DATABASE {late_database} TEMPLATE hsi_template")
        assert (await api.get("/api/events")).status_code == 200
        assert (await api.get("/api/system/health/ready")).json()["services"]["database"]["status"] == "healthy"
    await services.close()


async def test_connections_that_the_server_drops_are_made_anew(api: httpx.AsyncClient, database: Pool) -> None:
    await asyncio.gather(*(api.get("/api/events") for _ in range(10)))
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    answers = [(await api.get("/api/events")).status_code for _ in range(12)]
    assert answers[-1] == 200
    assert set(answers) <= {200, 503}
