"""Dead letters tried again: what failed for good fails again with its reason, and the rest is done once."""

import pytest
import redis.asyncio

from schemas.audit import Caller
from schemas.dead_letter import DeadQueue
from storage.dead_letters import DeadLetters
from storage.postgres import Pool
from tests.actors.bench import Bench
from tests.actors.test_analysis_worker import Desk
from tests.eventually import eventually
from tests.storage.rows import Rows

CALLER = Caller(actor="ann", ip_address=None)


async def _dies(bench: Bench, name: str, words: str) -> None:
    async def is_dead() -> bool:
        row = await bench.row(name)
        return row["state"] == "dead" and words in row["reason"]

    await eventually(is_dead)


async def test_a_file_that_is_gone_or_corrupt_dies_again_with_its_reason(bench: Bench) -> None:
    letters = DeadLetters(bench.database)
    await bench.queued("gone.jpg")
    await bench.queued("cut.jpg", content=b"\xff\xd8\xff\xe0 no picture at all")
    await bench.worker.start()
    await bench.hands_over(1)
    await _dies(bench, "cut.jpg", "")
    first = await bench.row("cut.jpg")
    (bench.folder / "gone.jpg").unlink()
    await bench.database.execute("UPDATE media SET state = 'dead', lease = NULL WHERE reason IS NULL")
    assert (await letters.requeue_all(DeadQueue.DETECTION, CALLER)).requeued == 2
    await _dies(bench, "gone.jpg", "no longer there")
    await _dies(bench, "cut.jpg", first["reason"])
    assert (await bench.row("cut.jpg"))["died_at"] > first["died_at"]
    assert (await letters.counts()).detection_queue_count == 2


async def test_a_file_that_was_mended_is_looked_at(bench: Bench) -> None:
    await bench.queued("a.jpg")
    await bench.database.execute("UPDATE media SET state = 'dead', reason = 'the disk failed', attempts = 5")
    await bench.worker.start()
    await DeadLetters(bench.database).requeue(DeadQueue.DETECTION, None, CALLER)
    await bench.hands_over(1)


@pytest.mark.parametrize("times", [1, 3])
async def test_a_requeued_batch_makes_its_event_once(
    database: Pool, redis_client: redis.asyncio.Redis, times: int
) -> None:
    await Rows(database).camera()
    desk = Desk(database, database, redis_client)
    letters = DeadLetters(database)
    await desk.closed("person")
    await database.execute("UPDATE batches SET state = 'dead', reason = 'no answer', attempts = 5")
    await desk.worker.start()
    for _ in range(times):
        await letters.requeue_all(DeadQueue.ANALYSIS, CALLER)
    await eventually(lambda: _is_assessed(desk))
    assert len(await desk.events()) == 1
    await desk.worker.stop()


async def _is_assessed(desk: Desk) -> bool:
    return bool((await desk.batch())["state"] == "assessed")
