"""Batches: the group commit, closing, and closed ones on their way to an assessment."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest

from schemas.batch import CloseReason
from schemas.detection import MediaDetections
from schemas.media import ClaimedMedia, MediaType
from storage.batches import BatchChange, Batches
from storage.errors import Conflict, StoreError
from storage.media import MediaQueue
from storage.postgres import Pool
from tests.storage.pieces import LEASE, TRIES, claimed, expire_leases, found_in, later, new_media, open_batch, seen
from tests.storage.rows import NOON, Rows
from tests.storage.test_leases import Explaining

Place = Callable[[Sequence[MediaDetections]], Sequence[BatchChange]]


@pytest.fixture
async def batches(database: Pool) -> Batches:
    rows = Rows(database)
    for camera in ("front_door", "garden"):
        await rows.camera(camera, name=f"The {camera}")
    return Batches(database)


def one_new_batch(batch_id: str, closed: CloseReason | None = None) -> Place:
    """Everything of a commit goes into one new batch."""

    def place(results: Sequence[MediaDetections]) -> list[BatchChange]:
        count = sum(len(result.detections) for result in results)
        batch = open_batch(batch_id, detection_count=count)
        return [BatchChange(batch, is_new=True, closed=closed, media=tuple(results))] if results else []

    return place


async def counts(pool: Pool) -> dict[str, int]:
    return {name: await pool.fetchval(f"SELECT count(*) FROM {name}") for name in ("batches", "detections")}


async def media_states(pool: Pool) -> list[str]:
    return [row["state"] for row in await pool.fetch("SELECT state FROM media ORDER BY id")]


async def closed_batch(database: Pool, *files: ClaimedMedia) -> str:
    batch_id = str(uuid4())
    results = [found_in(file, seen()) for file in files]
    await Batches(database).commit(results, one_new_batch(batch_id, CloseReason.IDLE))
    return batch_id


async def test_a_commit_writes_media_detections_and_batch_together(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    batch_id = str(uuid4())
    result = found_in(file, seen("person", 0.75), seen("dog", 0.5), width=1920, height=1080)
    await batches.commit([result], one_new_batch(batch_id))
    row = await database.fetchrow("SELECT state, width, height, frames, lease, detected_at IS NULL FROM media")
    assert row is not None
    assert tuple(row) == ("detected", 1920, 1080, 1, None, False)
    person, dog = await batches.detections(batch_id)
    assert (person.object_type, person.confidence, dog.object_type) == ("person", 0.75, "dog")
    assert (person.bbox, person.picture_width, person.batch_id) == (result.detections[0].bbox, 1920, batch_id)
    assert [batch.id for batch in await batches.open()] == [batch_id]


async def test_a_file_without_detections_is_detected_and_belongs_to_no_batch(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    placed: list[Sequence[MediaDetections]] = []

    def place(results: Sequence[MediaDetections]) -> list[BatchChange]:
        placed.append(results)
        return []

    assert await batches.commit([found_in(file)], place) == []
    assert placed == [[]]
    assert await media_states(database) == ["detected"]
    assert await counts(database) == {"batches": 0, "detections": 0}


async def test_a_commit_tells_of_each_detection_and_of_each_batch_that_it_closes(
    batches: Batches, database: Pool
) -> None:
    (file,) = await claimed(database, new_media())
    batch_id = str(uuid4())
    news = await batches.commit([found_in(file, seen())], one_new_batch(batch_id, CloseReason.URGENT))
    detection, closed = news
    assert (detection.type, closed.type) == ("detection.new", "detection.batch")
    assert set(detection.data) == {
        "detection_id", "camera_id", "batch_id", "label", "confidence", "bbox", "timestamp",
    }  # fmt: skip
    assert detection.data["bbox"] == {"x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0}
    assert detection.data["timestamp"] == "2025-12-23T12:00:00Z"
    assert closed.data["close_reason"] == "urgent"
    assert set(closed.data) == {
        "batch_id", "camera_id", "detection_count", "started_at", "closed_at", "close_reason",
    }  # fmt: skip


async def test_a_commit_under_a_lost_lease_does_nothing(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    await expire_leases(database, "media")
    (again,) = await MediaQueue(database).claim("another", 1, LEASE, TRIES)
    assert await batches.commit([found_in(file, seen())], one_new_batch(str(uuid4()))) == []
    assert await counts(database) == {"batches": 0, "detections": 0}
    assert await media_states(database) == ["detecting"]
    await batches.commit([found_in(again, seen())], one_new_batch(str(uuid4())))
    assert await counts(database) == {"batches": 1, "detections": 1}


async def test_a_result_that_comes_twice_counts_once(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    for _ in range(2):
        await batches.commit([found_in(file, seen())], one_new_batch(str(uuid4())))
    assert await counts(database) == {"batches": 1, "detections": 1}


async def test_a_result_that_comes_twice_in_one_commit_counts_once(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    result = found_in(file, seen())
    await batches.commit([result, result], one_new_batch(str(uuid4())))
    assert await counts(database) == {"batches": 1, "detections": 1}


async def test_of_two_results_of_one_file_in_one_commit_only_the_holders_counts(
    batches: Batches, database: Pool
) -> None:
    (old,) = await claimed(database, new_media())
    await expire_leases(database, "media")
    (new,) = await MediaQueue(database).claim("another", 1, LEASE, TRIES)
    batch_id = str(uuid4())
    results = [found_in(old, seen("cat"), seen("cat")), found_in(new, seen("dog"))]
    await batches.commit(results, one_new_batch(batch_id))
    assert [detection.object_type for detection in await batches.detections(batch_id)] == ["dog"]


async def test_one_commit_closes_the_old_batch_and_opens_the_next_of_a_camera(batches: Batches, database: Pool) -> None:
    old, new = str(uuid4()), str(uuid4())
    files = await claimed(database, *(new_media(f"{n}.jpg") for n in range(3)))
    await batches.commit([found_in(files[0], seen())], one_new_batch(old))

    def place(results: Sequence[MediaDetections]) -> list[BatchChange]:
        grown = open_batch(old, detection_count=2, ended_at=later(10))
        return [
            BatchChange(open_batch(new, started_at=later(60), ended_at=later(60)), True, None, (results[1],)),
            BatchChange(grown, False, CloseReason.GAP, (results[0],)),
        ]

    await batches.commit([found_in(file, seen()) for file in files[1:]], place)
    rows = await database.fetch("SELECT id, state, close_reason, closed_at IS NULL, ended_at FROM batches")
    assert {str(row["id"]): tuple(row)[1:] for row in rows} == {
        old: ("closed", "gap", False, later(10)),
        new: ("open", None, True, later(60)),
    }
    assert len(await batches.detections(old)) == 2
    assert len(await batches.detections(new)) == 1


async def test_one_commit_closes_two_batches_of_a_camera_and_opens_a_third(batches: Batches, database: Pool) -> None:
    first, second, third = (str(uuid4()) for _ in range(3))
    files = await claimed(database, *(new_media(f"{n}.jpg") for n in range(4)))
    await batches.commit([found_in(files[0], seen())], one_new_batch(first))

    def place(results: Sequence[MediaDetections]) -> list[BatchChange]:
        return [
            BatchChange(open_batch(first, detection_count=2), False, CloseReason.GAP, (results[0],)),
            BatchChange(open_batch(second), True, CloseReason.GAP, (results[1],)),
            BatchChange(open_batch(third), True, None, (results[2],)),
        ]

    news = await batches.commit([found_in(file, seen()) for file in files[1:]], place)
    assert [frame.data["batch_id"] for frame in news if frame.type == "detection.batch"] == [first, second]
    assert [batch.id for batch in await batches.open()] == [third]
    assert len(await batches.claim("worker", 10, LEASE, TRIES)) == 2


async def test_a_camera_never_has_two_open_batches(batches: Batches, database: Pool) -> None:
    files = await claimed(database, new_media("a.jpg"), new_media("b.jpg"))
    await batches.commit([found_in(files[0], seen())], one_new_batch(str(uuid4())))
    with pytest.raises(Conflict):
        await batches.commit([found_in(files[1], seen())], one_new_batch(str(uuid4())))


async def test_a_commit_that_fails_leaves_nothing(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    batch_id = str(uuid4())
    poison = found_in(file, seen(), seen("bad\x00class"))
    with pytest.raises(StoreError):
        await batches.commit([poison], one_new_batch(batch_id))
    assert await media_states(database) == ["detecting"]
    assert await counts(database) == {"batches": 0, "detections": 0}


async def test_a_place_that_fails_leaves_nothing(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())

    def place(results: Sequence[MediaDetections]) -> list[BatchChange]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await batches.commit([found_in(file, seen())], place)
    assert await media_states(database) == ["detecting"]


async def test_detections_of_a_clip_are_dated_by_their_frame(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media("a.mp4", media_type=MediaType.VIDEO, captured_at=later(60)))
    batch_id = str(uuid4())
    result = found_in(file, seen("dog", offset=8.0), seen("person", offset=0.0), frames=3, length_seconds=8.0)
    await batches.commit([result], one_new_batch(batch_id))
    found = await batches.detections(batch_id)
    assert [(one.object_type, one.detected_at, one.frame_offset_seconds) for one in found] == [
        ("person", later(52), 0.0),
        ("dog", later(60), 8.0),
    ]


async def test_detections_come_in_the_order_in_which_the_pictures_were_taken(batches: Batches, database: Pool) -> None:
    files = await claimed(database, *(new_media(f"{at}.jpg", captured_at=later(at)) for at in (20, 0, 10)))
    batch_id = await closed_batch(database, *files)
    assert [one.detected_at for one in await batches.detections(batch_id)] == [later(at) for at in (0, 10, 20)]


async def test_a_path_that_is_not_utf8_is_shown_all_the_same(batches: Batches, database: Pool) -> None:
    files = await claimed(database, new_media(os.fsdecode(b"caf\xe9.jpg")))
    (detection,) = await batches.detections(await closed_batch(database, *files))
    assert detection.file_path.encode().endswith(b".jpg")


async def test_the_open_batches_are_read_back_as_they_were_written(batches: Batches, database: Pool) -> None:
    files = await claimed(database, new_media("a.jpg"), new_media("b.jpg", camera_id="garden"))
    front = open_batch(str(uuid4()), started_at=later(-5), last_activity_at=later(3), detection_count=7)
    garden = open_batch(str(uuid4()), camera_id="garden", opened_at=later(1))

    def place(results: Sequence[MediaDetections]) -> list[BatchChange]:
        return [BatchChange(batch, True, None, (r,)) for batch, r in zip((front, garden), results, strict=True)]

    await batches.commit([found_in(file, seen()) for file in files], place)
    assert await batches.open() == [front, garden]


async def test_closing_what_is_due_tells_once(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    batch = open_batch(str(uuid4()))
    await batches.commit([found_in(file, seen())], one_new_batch(batch.id))
    (frame,) = await batches.close([(batch, CloseReason.WINDOW)], later(90))
    assert (frame.type, frame.data["close_reason"]) == ("detection.batch", "window")
    assert frame.data["closed_at"] == "2025-12-23T12:01:30Z"
    assert await batches.close([(batch, CloseReason.IDLE)], later(91)) == []
    row = await database.fetchrow("SELECT state, close_reason, closed_at FROM batches")
    assert row is not None
    assert tuple(row) == ("closed", "window", later(90))


async def test_a_closed_batch_is_claimed_with_its_cameras_name(batches: Batches, database: Pool) -> None:
    batch_id = await closed_batch(database, *await claimed(database, new_media()))
    (batch,) = await batches.claim("worker", 10, LEASE, TRIES)
    assert (batch.id, batch.camera_name, batch.attempts) == (batch_id, "The front_door", 1)
    assert (batch.started_at, batch.ended_at, batch.detection_count) == (NOON, NOON, 1)
    assert await database.fetchval("SELECT analysis_started_at IS NOT NULL FROM batches")


async def test_an_open_batch_is_not_claimed(batches: Batches, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    await batches.commit([found_in(file, seen())], one_new_batch(str(uuid4())))
    assert await batches.claim("worker", 10, LEASE, TRIES) == []


async def test_batches_are_claimed_in_the_order_in_which_they_were_closed(batches: Batches, database: Pool) -> None:
    rows = Rows(database)
    for at in (30, 10, 20):
        await rows.batch(state="closed", closed_at=later(at))
    first = await batches.claim("worker", 2, LEASE, TRIES)
    second = await batches.claim("worker", 2, LEASE, TRIES)
    assert [batch.closed_at for batch in first + second] == [later(10), later(20), later(30)]


async def test_urgent_batches_are_claimed_before_older_ones_and_say_so(batches: Batches, database: Pool) -> None:
    rows = Rows(database)
    for at, reason in ((10, "window"), (20, None), (30, "urgent"), (5, "size"), (40, "urgent")):
        await rows.batch(state="closed", closed_at=later(at), close_reason=reason)
    claims = [await batches.claim("worker", 3, LEASE, TRIES) for _ in range(2)]
    found = [(batch.closed_at, batch.urgent) for claim in claims for batch in claim]
    assert found == [
        (later(at), urgent) for at, urgent in ((30, True), (40, True), (5, False), (10, False), (20, False))
    ]


async def test_only_batches_that_have_waited_long_enough_are_claimed_when_asked_so(
    batches: Batches, database: Pool
) -> None:
    rows = Rows(database)
    for at, reason in ((10, "window"), (20, "urgent"), (30, "urgent"), (40, "window")):
        await rows.batch(state="closed", closed_at=later(at), close_reason=reason)
    overdue = await batches.claim("worker", 10, LEASE, TRIES, closed_before=later(30))
    assert [batch.closed_at for batch in overdue] == [later(20), later(10)]
    assert await batches.claim("worker", 10, LEASE, TRIES, closed_before=later(30)) == []


async def test_a_claim_among_20_000_waiting_batches_sorts_nothing(batches: Batches, database: Pool) -> None:
    await database.execute(
        """
        INSERT INTO batches (camera_id, state, started_at, ended_at, opened_at, last_activity_at, closed_at,
                             close_reason, claimable_at)
        SELECT 'front_door', 'closed', now(), now(), now(), now(), now() - make_interval(secs => n),
               CASE WHEN n % 1000 = 0 THEN 'urgent' ELSE 'window' END, now() - interval '1 hour'
        FROM generate_series(1, 20000) AS n
        """
    )
    await database.execute("VACUUM ANALYZE batches")
    pool: Any = Explaining(database)
    claimed_ones = await Batches(pool).claim("worker", 4, LEASE, TRIES)
    assert all(batch.urgent for batch in claimed_ones)
    assert "batches_waiting" in pool.plans[0]
    assert "Sort" not in pool.plans[0]


async def test_a_batch_that_is_given_back_waits_without_a_try_counted(batches: Batches, database: Pool) -> None:
    await closed_batch(database, *await claimed(database, new_media()))
    await batches.give_back(await batches.claim("worker", 1, LEASE, TRIES))
    (again,) = await batches.claim("worker", 1, LEASE, TRIES)
    assert again.attempts == 1


async def test_workers_at_once_share_the_batches_without_overlap(batches: Batches, database: Pool) -> None:
    rows = Rows(database)
    for at in range(20):
        await rows.batch(state="closed", closed_at=later(at))
    claims = await asyncio.gather(*(batches.claim(f"worker_{n}", 4, LEASE, TRIES) for n in range(8)))
    ids = [batch.id for claim in claims for batch in claim]
    ids += [batch.id for batch in await batches.claim("worker", 20, LEASE, TRIES)]
    assert len(ids) == len(set(ids)) == 20


async def test_a_batch_that_fails_waits_and_dies_with_its_reason(batches: Batches, database: Pool) -> None:
    await closed_batch(database, *await claimed(database, new_media()))
    (batch,) = await batches.claim("worker", 1, LEASE, TRIES)
    await batches.fail(batch, "ValueError: nothing to assess", 60.0)
    assert await batches.claim("worker", 1, LEASE, TRIES) == []
    assert await batches.waiting() == 1
    await database.execute("UPDATE batches SET claimable_at = now()")
    (batch,) = await batches.claim("worker", 1, LEASE, TRIES)
    await batches.fail(batch, "ValueError: nothing to assess", None)
    row: Any = await database.fetchrow("SELECT state, reason FROM batches")
    assert tuple(row) == ("dead", "ValueError: nothing to assess")
    assert await batches.waiting() == 0


async def test_release_and_burial_reach_batches_too(batches: Batches, database: Pool) -> None:
    await closed_batch(database, *await claimed(database, new_media()))
    await batches.claim("worker", 1, LEASE, 1)
    assert await batches.release("worker_2") == 0
    assert await batches.release("worker") == 1
    assert await batches.bury_exhausted(1) == 1
    assert await database.fetchval("SELECT reason FROM batches") == "1 tries ended without an answer"
