"""Real PostgreSQL and Redis for tests: one of each a session, an own database for each test."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import redis.asyncio

from storage.embedded import EmbeddedPostgres, EmbeddedRedis
from storage.migrate import migrate
from storage.postgres import connect_once

PATIENT_SECONDS = 120.0
"""For what stands before and after a test: how slow the machine is just then is nothing that a test is about."""

_TEMPLATE = "hsi_template"
# A test database need not survive a power cut; what tests durability runs a server of its own.
_FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 1GB\n"
# Autovacuum belongs to the superuser, and a test's database could not be dropped while it works there.
_FAST += "autovacuum = off\n"


@contextmanager
def data_folder() -> Iterator[Path]:
    """An empty DATA_DIR that other users may enter, as pytest's tmp_path may not when tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="hsi-test-", dir="/tmp" if os.geteuid() == 0 else None))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running_postgres() -> Iterator[str]:
    """The address of a server whose database `hsi_template` has this program's schema."""
    with data_folder() as folder:
        (folder / "postgres").mkdir()
        (folder / "postgres").chmod(0o711)
        (folder / "postgres" / "local.conf").write_text(_FAST)
        server = EmbeddedPostgres(folder)
        address = server.start()
        try:
            with ThreadPoolExecutor(1) as thread:  # the tests' own event loop stays untouched
                thread.submit(asyncio.run, _make_template(address)).result()
            yield address
        finally:
            server.stop()


@contextmanager
def running_redis() -> Iterator[str]:
    with data_folder() as folder:
        server = EmbeddedRedis(folder)
        try:
            yield server.start()
        finally:
            server.stop()


@asynccontextmanager
async def fresh_database(server: str, template: str = _TEMPLATE) -> AsyncIterator[str]:
    """The address of a new database with the schema in it, dropped afterwards whoever is still connected."""
    name = f"test_{uuid4().hex}"
    # Files of a server without fsync are copied twice as fast as pages are logged.
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield with_database(server, name)
    finally:
        await _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


async def emptied(server: str) -> None:
    """Everything goes from this Redis."""
    patience = {"socket_timeout": PATIENT_SECONDS, "socket_connect_timeout": PATIENT_SECONDS}
    async with redis.asyncio.Redis.from_url(server, **patience) as client:
        await client.flushall()


def with_database(address: str, name: str) -> str:
    return urlsplit(address)._replace(path=f"/{name}").geturl()


async def _make_template(server: str) -> None:
    await _execute(server, f"CREATE DATABASE {_TEMPLATE}")
    await migrate(with_database(server, _TEMPLATE))


async def _execute(server: str, statement: str) -> None:
    connection = await connect_once(server, "tests", PATIENT_SECONDS, PATIENT_SECONDS)
    try:
        await connection.execute(statement)
    finally:
        await connection.close(timeout=PATIENT_SECONDS)
