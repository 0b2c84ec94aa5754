"""Dead letters: found, tried again once, put aside for good."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from schemas.alert_rule import Channel
from schemas.audit import AuditEntry, Caller
from schemas.dead_letter import DeadQueue
from schemas.media import MediaType, NewMedia
from storage import dead_letters as module
from storage.audit import Audit
from storage.batches import Batches
from storage.dead_letters import DeadLetters
from storage.deliveries import Deliveries
from storage.errors import NotFound
from storage.media import MediaQueue
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows

CALLER = Caller(actor="ann", ip_address="192.0.2.7")
MEDIA, BATCHES, DELIVERIES = DeadQueue.DETECTION, DeadQueue.ANALYSIS, DeadQueue.NOTIFICATION


@pytest.fixture
async def rows(database: Pool) -> Rows:
    rows = Rows(database)
    await rows.camera()
    return rows


@pytest.fixture
def letters(database: Pool) -> DeadLetters:
    return DeadLetters(database)


async def audited(pool: Pool) -> list[AuditEntry]:
    return list(await Audit(pool).list())[::-1]


async def dead_media(rows: Rows, **values: object) -> int:
    given = {"state": "dead", "reason": "cut off", "attempts": 5, "died_at": NOON}
    return await rows.media(**(given | values))  # type: ignore[arg-type]


async def test_what_dies_says_when_and_why(database: Pool, rows: Rows, letters: DeadLetters) -> None:
    await rows.media(state="queued")
    queue = MediaQueue(database)
    (claimed,) = await queue.claim("worker", 1, 60, 5)
    await queue.fail(claimed, "the picture ends in the middle", None)
    ((letter, _),) = await letters.list(MEDIA)
    assert (letter.id, letter.reason, letter.attempts) == (str(claimed.id), "the picture ends in the middle", 1)
    assert letter.failed_at is not None
    assert (letter.camera_id, letter.file_path, letter.media_type) == ("front_door", claimed.path, "image")


async def test_a_refused_file_and_one_that_kills_its_worker_are_dead_letters(
    database: Pool, rows: Rows, letters: DeadLetters
) -> None:
    refused = NewMedia(
        camera_id="front_door",
        path="/srv/cameras/front_door/link.jpg",
        size_bytes=20,
        modified_ns=1,
        content_hash=b"",
        media_type=MediaType.IMAGE,
        captured_at=NOON,
        refused="a symbolic link, which is not followed",
    )
    await MediaQueue(database).add([refused])
    await rows.media(state="queued", attempts=5)
    await MediaQueue(database).bury_exhausted(5)
    found = [letter for letter, _ in await letters.list(MEDIA)]
    assert {letter.reason for letter in found} == {
        "a symbolic link, which is not followed",
        "5 tries ended without an answer: the file kills its worker",
    }
    assert all(letter.failed_at is not None for letter in found)


async def test_each_queue_shows_its_own_and_they_are_counted(rows: Rows, letters: DeadLetters) -> None:
    await dead_media(rows)
    batch = await rows.batch(state="dead", reason="no answer", attempts=5, detection_count=3, died_at=NOON)
    alert = await rows.alert(await rows.event())
    delivery = await rows.delivery(alert, status="dead", error="550 no such user", attempts=3, died_at=NOON)
    counts = await letters.counts()
    assert counts.model_dump() == {
        "detection_queue_count": 1,
        "analysis_queue_count": 1,
        "notification_queue_count": 1,
        "total_count": 3,
    }
    ((of_batch, _),) = await letters.list(BATCHES)
    assert (of_batch.id, of_batch.reason, of_batch.detection_count) == (str(batch), "no answer", 3)
    assert (of_batch.camera_id, of_batch.started_at) == ("front_door", NOON)
    ((of_delivery, _),) = await letters.list(DELIVERIES)
    assert (of_delivery.id, of_delivery.reason) == (str(delivery), "550 no such user")
    assert (of_delivery.alert_id, of_delivery.channel, of_delivery.recipient) == (
        str(alert),
        "email",
        "me@example.com",
    )
    assert of_delivery.camera_id == "front_door"


async def test_those_that_died_last_come_first_and_pages_go_on_where_they_ended(
    rows: Rows, letters: DeadLetters
) -> None:
    ids = [await dead_media(rows, died_at=NOON + timedelta(minutes=minute // 2)) for minute in range(5)]
    legacy = await dead_media(rows, died_at=None, received_at=NOON - timedelta(days=1))
    expected = [str(one) for one in [*ids[::-1], legacy]]
    first = await letters.list(MEDIA, limit=4)
    rest = await letters.list(MEDIA, before=(first[-1][1], int(first[-1][0].id)))
    assert [letter.id for letter, _ in [*first, *rest]] == expected
    assert [letter.id for letter, _ in await letters.list(MEDIA, limit=2, offset=3)] == expected[3:5]
    assert rest[-1][0].failed_at is None


async def test_a_requeued_file_is_claimed_as_new(database: Pool, rows: Rows, letters: DeadLetters) -> None:
    dead = await dead_media(rows)
    done = await letters.requeue(MEDIA, [dead], CALLER)
    assert (done.requeued, done.duplicates, done.ids) == (1, 0, (str(dead),))
    (claimed,) = await MediaQueue(database).claim("worker", 5, 60, 5)
    assert (claimed.id, claimed.attempts) == (dead, 1)
    row = await database.fetchrow("SELECT reason, died_at FROM media")
    assert row is not None
    assert tuple(row) == (None, None)
    (entry,) = await audited(database)
    assert (entry.action, entry.resource_id, entry.actor) == ("dlq_requeue", "detection_queue", "ann")
    assert entry.details == {"requeued": 1, "duplicates": 0, "ids": [str(dead)]}


async def test_without_a_name_the_one_that_has_been_dead_longest_is_requeued(
    database: Pool, rows: Rows, letters: DeadLetters
) -> None:
    younger, older = await dead_media(rows), await dead_media(rows, died_at=NOON - timedelta(hours=1))
    assert (await letters.requeue(MEDIA, None, CALLER)).ids == (str(older),)
    assert (await letters.requeue(MEDIA, None, CALLER)).ids == (str(younger),)
    assert (await letters.requeue(MEDIA, None, CALLER)).requeued == 0
    assert len(await audited(database)) == 2


async def test_a_requeued_batch_is_claimed_again(database: Pool, rows: Rows, letters: DeadLetters) -> None:
    batch = await rows.batch(state="dead", closed_at=NOON, attempts=5, died_at=NOON)
    await letters.requeue(BATCHES, [batch], CALLER)
    (claimed,) = await Batches(database).claim("worker", 5, 60, 5)
    assert (claimed.id, claimed.attempts) == (str(batch), 1)


async def test_a_requeued_delivery_goes_out_under_its_old_key(database: Pool, rows: Rows, letters: DeadLetters) -> None:
    delivery = await rows.delivery(await rows.alert(await rows.event()), status="dead", attempts=3, died_at=NOON)
    await letters.requeue(DELIVERIES, [delivery], CALLER)
    (claimed,) = await Deliveries(database).claim("dispatcher", Channel.EMAIL, 5, 60, 3)
    assert (claimed.id, claimed.idempotency_key, claimed.attempts) == (delivery, str(delivery), 1)


async def test_what_is_no_dead_letter_is_not_found(database: Pool, rows: Rows, letters: DeadLetters) -> None:
    alive = await rows.media(state="queued")
    for queue, one in ((MEDIA, alive), (MEDIA, 2**53 - 1), (BATCHES, uuid4()), (DELIVERIES, UUID(int=0))):
        with pytest.raises(NotFound, match=str(one)):
            await letters.requeue(queue, [one], CALLER)
    assert await audited(database) == []


async def test_of_many_requeues_of_one_at_once_one_does_it(database: Pool, rows: Rows, letters: DeadLetters) -> None:
    dead = await dead_media(rows)
    answers = await asyncio.gather(*(letters.requeue(MEDIA, [dead], CALLER) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, NotFound) for answer in answers) == 7
    assert len(await audited(database)) == 1


async def test_of_many_requeues_of_all_at_once_each_letter_is_requeued_once(
    database: Pool, rows: Rows, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_A_TRANSACTION", 3)
    for _ in range(10):
        await dead_media(rows)
    answers = await asyncio.gather(*(letters.requeue_all(MEDIA, CALLER) for _ in range(4)))
    assert sum(answer.requeued for answer in answers) == 10
    entries = await audited(database)
    assert sum(entry.details["requeued"] for entry in entries) == 10
    assert {entry.action for entry in entries} == {"dlq_requeue_all"}


async def test_all_are_requeued_in_several_transactions_and_recorded_once(
    database: Pool, rows: Rows, letters: DeadLetters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_A_TRANSACTION", 3)
    for _ in range(9):
        await dead_media(rows)
    done = await letters.requeue_all(MEDIA, CALLER)
    assert (done.requeued, len(done.ids)) == (9, 9)
    (entry,) = await audited(database)
    assert entry.details == {"requeued": 9, "duplicates": 0}
    assert (await letters.requeue_all(MEDIA, CALLER)).requeued == 0
    assert len(await audited(database)) == 1


async def test_the_same_bytes_are_looked_at_once_however_they_come_back(
    database: Pool, rows: Rows, letters: DeadLetters
) -> None:
    """A dead file whose bytes were uploaded again and found, and two dead ones of the same bytes."""
    same, again = b"s" * 32, b"a" * 32
    living = await rows.media(content_hash=same, captured_at=NOON + timedelta(minutes=4))
    twin = await dead_media(rows, content_hash=same)
    first = await dead_media(rows, content_hash=again)
    second = await dead_media(rows, content_hash=again, captured_at=NOON + timedelta(minutes=5))
    later = await dead_media(rows, content_hash=again, captured_at=NOON + timedelta(minutes=6))
    refused = [await dead_media(rows, content_hash=b"") for _ in range(2)]
    done = await letters.requeue_all(MEDIA, CALLER)
    assert (done.requeued, done.duplicates) == (4, 2)
    assert set(done.ids) == {str(one) for one in (first, later, *refused)}
    found = await database.fetch("SELECT id, state, duplicate_of FROM media ORDER BY id")
    assert {row["id"]: row["duplicate_of"] for row in found if row["state"] == "duplicate"} == {
        twin: living,
        second: first,
    }
    assert (await letters.counts()).total_count == 0


async def test_what_is_cleared_stays_as_history_and_is_neither_listed_nor_taken_in_again(
    database: Pool, rows: Rows, letters: DeadLetters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS_A_TRANSACTION", 2)
    file = tmp_path / "1.jpg"
    file.write_bytes(b"x" * 100)
    dead = await dead_media(rows, file=file)
    for _ in range(4):
        await dead_media(rows)
    assert (await letters.clear(MEDIA, CALLER)).cleared == 5
    assert await letters.list(MEDIA) == []
    assert (await letters.counts()).detection_queue_count == 0
    assert (await letters.requeue_all(MEDIA, CALLER)).requeued == 0
    with pytest.raises(NotFound):
        await letters.requeue(MEDIA, [dead], CALLER)
    status = file.stat()
    seen = (str(file), status.st_mtime_ns, status.st_size)
    assert await MediaQueue(database).known("front_door", [seen]) == {str(file)}
    assert await database.fetchval("SELECT count(*) FROM media WHERE state = 'dead'") == 5
    (entry,) = await audited(database)
    assert (entry.action, entry.details) == ("dlq_clear", {"cleared": 5})
    assert (await letters.clear(MEDIA, CALLER)).cleared == 0
    assert len(await audited(database)) == 1
