"""Rows from before there was a language model: the newer schema takes them as they are, and they are worked on."""

from collections.abc import AsyncIterator

import pytest_asyncio

from storage.batches import Batches
from storage.migrate import migrate, shipped_migrations
from storage.postgres import Pool, connect_pool
from storage.reassessments import Reassessments
from storage.whys import Whys
from tests.storage.pieces import LEASE, TRIES
from tests.storage.rows import NOON, WHY_OF_EARLIER_VERSIONS, Rows
from tests.stores import fresh_database

LAST_BEFORE = 10


@pytest_asyncio.fixture
async def grown(postgres_server: str) -> AsyncIterator[Pool]:
    """Filled by the version before, then brought to this one's schema."""
    async with fresh_database(postgres_server, template="template0") as address:
        await migrate(address, [one for one in shipped_migrations() if one.version <= LAST_BEFORE])
        pool = await connect_pool(address, 1, 2, "tests")
        rows = Rows(pool)
        await rows.camera()
        await rows.event()
        for reason in ("idle", "urgent", None):
            await rows.batch(state="closed", closed_at=NOON, close_reason=reason)
        await migrate(address)
        yield pool
        await pool.close()


async def test_an_event_from_before_is_explained_and_waits_for_no_model(grown: Pool) -> None:
    event_id = await grown.fetchval("SELECT id FROM events")
    found = await Whys(grown).get(event_id)
    assert found.why.model_dump(mode="json", include=set(WHY_OF_EARLIER_VERSIONS)) == WHY_OF_EARLIER_VERSIONS
    assert (found.reassessment, await Reassessments(grown).waiting()) == (None, 0)


async def test_batches_that_waited_are_claimed_the_urgent_one_first(grown: Pool) -> None:
    claimed = await Batches(grown).claim("worker", 5, LEASE, TRIES)
    assert [batch.urgent for batch in claimed] == [True, False, False]
