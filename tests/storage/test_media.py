"""Files as rows: taken in once, claimed by one worker at a time, given back or buried with a reason."""

import asyncio
import os
from typing import Any

import pytest

from schemas.media import ClaimedMedia, MediaType, NewMedia
from storage.errors import Conflict, InvalidValue
from storage.media import Intake, MediaQueue
from storage.postgres import Pool
from tests.storage.pieces import LEASE, TRIES, claimed, later, make_claimable, new_media, queued
from tests.storage.rows import Rows

SAME = b"the same bytes".rjust(32)


@pytest.fixture
async def queue(database: Pool) -> MediaQueue:
    rows = Rows(database)
    for camera in ("front_door", "garden"):
        await rows.camera(camera)
    return MediaQueue(database)


async def state_of(pool: Pool, file: ClaimedMedia) -> dict[str, Any]:
    return dict(await pool.fetchrow("SELECT state, reason, attempts, lease FROM media WHERE id = $1", file.id) or {})


async def states(pool: Pool) -> list[str]:
    return [row["state"] for row in await pool.fetch("SELECT state FROM media ORDER BY id")]


async def take(queue: MediaQueue, limit: int = 100) -> list[ClaimedMedia]:
    return await queue.claim("worker", limit, LEASE, TRIES)


async def test_a_file_that_is_added_can_be_claimed_as_it_was_seen(queue: MediaQueue) -> None:
    assert await queue.add([new_media("a.jpg")]) == Intake(queued=1, duplicates=0, refused=0, known=0)
    (file,) = await take(queue)
    assert (file.camera_id, file.path, file.size_bytes) == ("front_door", "/srv/cameras/front_door/a.jpg", 20_000)
    assert (file.modified_ns, file.media_type) == (1_766_000_000_000_000_000, MediaType.IMAGE)
    assert (file.captured_at, file.attempts) == (later(0), 1)


async def test_the_same_file_seen_twice_is_one_row(queue: MediaQueue, database: Pool) -> None:
    await queue.add([new_media()])
    assert await queue.add([new_media(), new_media()]) == Intake(queued=0, duplicates=0, refused=0, known=2)
    assert await states(database) == ["queued"]


async def test_a_file_that_was_overwritten_is_another_row(queue: MediaQueue, database: Pool) -> None:
    await queue.add([new_media()])
    await queue.add([new_media(modified_ns=1_766_000_000_000_000_001, content_hash=b"other".rjust(32))])
    assert await states(database) == ["queued", "queued"]


async def test_the_same_bytes_within_300_seconds_are_one(queue: MediaQueue, database: Pool) -> None:
    await queue.add([new_media("a.jpg", content_hash=SAME)])
    taken = await queue.add([new_media("b.jpg", content_hash=SAME, captured_at=later(300))])
    assert taken == Intake(queued=0, duplicates=1, refused=0, known=0)
    first, second = await database.fetch("SELECT id, state, reason, duplicate_of FROM media ORDER BY id")
    assert (second["state"], second["duplicate_of"]) == ("duplicate", first["id"])
    assert second["reason"] == f"same bytes as media {first['id']}"


async def test_the_same_bytes_that_arrive_out_of_order_are_one_too(queue: MediaQueue, database: Pool) -> None:
    await queue.add([new_media("a.jpg", content_hash=SAME, captured_at=later(300))])
    await queue.add([new_media("b.jpg", content_hash=SAME)])
    assert await states(database) == ["queued", "duplicate"]


async def test_the_same_bytes_301_seconds_apart_are_two(queue: MediaQueue, database: Pool) -> None:
    await queue.add([new_media("a.jpg", content_hash=SAME)])
    await queue.add([new_media("b.jpg", content_hash=SAME, captured_at=later(301))])
    assert await states(database) == ["queued", "queued"]


async def test_the_same_bytes_of_another_camera_are_two(queue: MediaQueue, database: Pool) -> None:
    await queue.add([new_media("a.jpg", content_hash=SAME)])
    await queue.add([new_media("b.jpg", content_hash=SAME, camera_id="garden")])
    assert await states(database) == ["queued", "queued"]


async def test_twins_in_one_call_are_one(queue: MediaQueue, database: Pool) -> None:
    taken = await queue.add([new_media(f"{name}.jpg", content_hash=SAME) for name in "abc"])
    assert taken == Intake(queued=1, duplicates=2, refused=0, known=0)
    assert await states(database) == ["queued", "duplicate", "duplicate"]


async def test_twins_in_one_call_are_told_apart_by_their_time_as_if_they_came_one_by_one(
    queue: MediaQueue, database: Pool
) -> None:
    times = (0, 301, 400, 602)
    await queue.add([new_media(f"{at}.jpg", content_hash=SAME, captured_at=later(at)) for at in times])
    assert await states(database) == ["queued", "queued", "duplicate", "queued"]


async def test_two_writers_at_once_cannot_both_take_the_same_bytes(queue: MediaQueue, database: Pool) -> None:
    await asyncio.gather(*(queue.add([new_media(f"{n}.jpg", content_hash=SAME)]) for n in range(8)))
    assert sorted(await states(database)) == ["duplicate"] * 7 + ["queued"]


async def test_a_dead_files_bytes_do_not_block_the_next_upload(queue: MediaQueue, database: Pool) -> None:
    (file,) = await claimed(database, new_media("a.jpg", content_hash=SAME))
    await queue.fail(file, "the JPEG is cut off", None)
    await queue.add([new_media("b.jpg", content_hash=SAME)])
    assert await states(database) == ["dead", "queued"]


async def test_when_a_file_dies_its_first_duplicate_takes_its_place(queue: MediaQueue, database: Pool) -> None:
    """A camera uploads a file again under its name: the first row dies as overwritten, its bytes are still there."""
    (file,) = await claimed(database, new_media("a.jpg", content_hash=SAME))
    await queue.add([new_media("a.jpg", content_hash=SAME, modified_ns=n) for n in (5, 6)])
    await queue.fail(file, "the file was overwritten", None)
    assert await states(database) == ["dead", "queued", "duplicate"]
    second, third = await database.fetch(
        "SELECT id, reason, duplicate_of FROM media WHERE id > $1 ORDER BY id", file.id
    )
    assert (second["reason"], second["duplicate_of"]) == (None, None)
    assert third["duplicate_of"] == second["id"]


async def test_a_file_that_is_only_tried_again_keeps_its_duplicates(queue: MediaQueue, database: Pool) -> None:
    (file,) = await claimed(database, new_media("a.jpg", content_hash=SAME))
    await queue.add([new_media("b.jpg", content_hash=SAME)])
    await queue.fail(file, "the disk hiccuped", 1.0)
    assert await states(database) == ["queued", "duplicate"]


async def test_a_refused_file_is_a_dead_row_with_its_reason(queue: MediaQueue, database: Pool) -> None:
    taken = await queue.add([new_media(content_hash=b"", refused="a symbolic link, which is not followed")])
    assert taken == Intake(queued=0, duplicates=0, refused=1, known=0)
    row = await database.fetchrow("SELECT state, reason, received_at FROM media")
    assert row is not None
    assert (row["state"], row["reason"]) == ("dead", "a symbolic link, which is not followed")
    assert await take(queue) == []


async def test_refused_files_are_not_each_others_duplicates(queue: MediaQueue, database: Pool) -> None:
    await queue.add([new_media(f"{n}.jpg", content_hash=b"", refused="too small") for n in range(3)])
    assert await states(database) == ["dead"] * 3


@pytest.mark.parametrize(
    "name",
    [
        "two words.jpg",
        'it\'s "quoted".jpg',
        "line\nbreak\r\ttab.jpg",
        "Türe 門 🚪.jpg",
        "$1; DROP TABLE media; --.jpg",
        os.fsdecode(b"caf\xe9 \xff\xfe.jpg"),
    ],
)
async def test_any_file_name_comes_back_as_it_was(queue: MediaQueue, name: str) -> None:
    file = new_media(name)
    await queue.add([file])
    assert await queue.known("front_door", [(file.path, file.modified_ns, file.size_bytes)]) == {file.path}
    assert [one.path for one in await take(queue)] == [file.path]


async def test_known_answers_only_files_that_have_not_changed_since(queue: MediaQueue) -> None:
    file = new_media()
    await queue.add([file])
    asked = [(file.path, file.modified_ns + 1, 20_000), (file.path, file.modified_ns, 20_001), ("/other", 1, 1)]
    assert await queue.known("front_door", asked) == set()
    assert await queue.known("garden", [(file.path, file.modified_ns, 20_000)]) == set()
    assert await queue.known("front_door", []) == set()


async def test_an_add_that_fails_adds_none_of_its_files(queue: MediaQueue, database: Pool) -> None:
    with pytest.raises(Conflict):
        await queue.add([new_media("a.jpg"), new_media("b.jpg", camera_id="no_such_camera")])
    with pytest.raises(InvalidValue):
        await queue.add([new_media("a.jpg"), new_media("b.jpg", size_bytes=2**70)])
    assert await states(database) == []


async def test_files_are_claimed_in_the_order_in_which_they_came(queue: MediaQueue) -> None:
    for name in "cab":
        await queue.add([new_media(f"{name}.jpg")])
    assert [file.path[-5] for file in await take(queue, 2)] == ["c", "a"]
    assert [file.path[-5] for file in await take(queue, 2)] == ["b"]


async def test_workers_at_once_share_the_files_without_overlap(queue: MediaQueue) -> None:
    await queue.add([new_media(f"{n}.jpg") for n in range(120)])
    claims = await asyncio.gather(*(queue.claim(f"worker_{n}", 16, LEASE, TRIES) for n in range(8)))
    ids = [file.id for claim in claims for file in claim]
    assert len(ids) == len(set(ids)) == 120
    assert len({file.lease for claim in claims for file in claim}) == len([claim for claim in claims if claim])


async def test_a_file_given_back_has_not_been_tried_and_waits(queue: MediaQueue, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    await queue.give_back([file], 30.0)
    assert await state_of(database, file) == {"state": "queued", "reason": None, "attempts": 0, "lease": None}
    assert await take(queue) == []
    await make_claimable(database, "media")
    assert [again.attempts for again in await take(queue)] == [1]


async def test_only_who_holds_a_file_can_give_it_back(queue: MediaQueue, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    await queue.give_back([file.model_copy(update={"lease": "worker/another"})], 0.0)
    assert (await state_of(database, file))["lease"] == file.lease


async def test_a_failed_file_waits_and_keeps_what_was_wrong(queue: MediaQueue, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    await queue.fail(file, "the disk hiccuped", 20.0)
    assert (await state_of(database, file)) == {
        "state": "queued",
        "reason": "the disk hiccuped",
        "attempts": 1,
        "lease": None,
    }
    assert await take(queue) == []


async def test_a_file_that_fails_for_good_is_dead_with_its_reason(queue: MediaQueue, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    await queue.fail(file, "the JPEG is cut off", None)
    assert (await state_of(database, file))["state"] == "dead"
    assert (await state_of(database, file))["reason"] == "the JPEG is cut off"
    await make_claimable(database, "media")
    assert await take(queue) == []


async def test_a_failure_under_a_lost_lease_does_nothing(queue: MediaQueue, database: Pool) -> None:
    (file,) = await claimed(database, new_media())
    await queue.fail(file.model_copy(update={"lease": "worker/another"}), "not mine", None)
    assert (await state_of(database, file))["state"] == "detecting"


async def test_a_reason_that_the_database_cannot_hold_is_stored_as_far_as_it_can(
    queue: MediaQueue, database: Pool
) -> None:
    (file,) = await claimed(database, new_media())
    await queue.fail(file, "bad\x00name " + os.fsdecode(b"\xff"), None)
    assert (await state_of(database, file))["reason"].startswith("bad")


async def test_waiting_counts_what_is_queued_or_in_work(queue: MediaQueue, database: Pool) -> None:
    files = await claimed(database, *(new_media(f"{n}.jpg") for n in range(3)))
    await queue.fail(files[0], "cut off", None)
    await queue.give_back([files[1]], 60.0)
    assert await queue.waiting() == 2


async def test_exhausted_files_die_with_a_reason_that_tells_what_happened(queue: MediaQueue, database: Pool) -> None:
    await queued(database, new_media())
    for _ in range(2):
        await take(queue)
        await queue.release("worker")
    assert await queue.bury_exhausted(2) == 1
    row = await database.fetchrow("SELECT state, reason FROM media")
    assert row is not None
    assert tuple(row) == ("dead", "2 tries ended without an answer: the file kills its worker")


def files_for(camera: str, count: int) -> list[NewMedia]:
    return [new_media(f"{camera}{n}.jpg", camera_id=camera) for n in range(count)]


async def test_two_cameras_are_added_at_once_by_two_writers_without_a_deadlock(
    queue: MediaQueue, database: Pool
) -> None:
    both = [*files_for("front_door", 5), *files_for("garden", 5)]
    await asyncio.gather(*(queue.add(both if n % 2 else both[::-1]) for n in range(6)))
    assert await states(database) == ["queued"] * 10
