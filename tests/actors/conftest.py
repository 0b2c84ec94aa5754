"""The two worlds that several files of these tests work in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio

from storage.postgres import Pool
from tests.actors.bench import Bench
from tests.actors.watching import Watching, watching
from tests.storage.rows import Rows


@pytest.fixture
async def house(tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Watching]:
    """A running watcher over an empty camera root."""
    root = tmp_path / "cameras"
    (root / "yard").mkdir(parents=True)  # listened to from the start, as a folder that has just come may not be yet
    async with watching(root, database, redis_client) as made:
        yield made


@pytest.fixture
async def bench(database: Pool, tmp_path: Path) -> AsyncIterator[Bench]:
    """A detection worker that has not been started."""
    await Rows(database).camera()
    made = Bench(database, database, tmp_path)
    yield made
    await made.worker.stop()
