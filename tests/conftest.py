"""Fixtures for every layer: `database` and `redis_client` are the real stores, empty at the start of each test."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import redis.asyncio

from storage.postgres import Pool, connect_pool
from storage.redis import connect_redis
from tests.stores import PATIENT_SECONDS, emptied, fresh_database, running_postgres, running_redis


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of the session's PostgreSQL; its `hsi` database is empty and nobody's."""
    with running_postgres() as address:
        yield address


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of the session's Redis."""
    with running_redis() as address:
        yield address


@pytest_asyncio.fixture
async def database_url(postgres_server: str) -> AsyncIterator[str]:
    """The address of this test's own database, with the schema in it."""
    async with fresh_database(postgres_server) as address:
        yield address


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Pool]:
    """A pool on this test's own database."""
    pool = await connect_pool(database_url, 1, 10, "tests", PATIENT_SECONDS)
    try:
        yield pool
    finally:
        pool.terminate()  # without a goodbye: a test that left a statement running must not hang the next


@pytest_asyncio.fixture
async def redis_url(redis_server: str) -> AsyncIterator[str]:
    """The address of Redis, emptied."""
    await emptied(redis_server)
    yield redis_server


@pytest_asyncio.fixture
async def redis_client(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of the emptied Redis."""
    client = connect_redis(redis_url)
    try:
        yield client
    finally:
        await client.aclose()
