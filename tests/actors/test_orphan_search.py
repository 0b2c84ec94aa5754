"""Only files of the system's own that no row refers to, and that are old enough, are orphans."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
import redis.asyncio

from actors.orphan_search import MOST_NAMES
from schemas.cleanup import OrphanReport
from schemas.frame import LiveChannel
from storage.postgres import Pool
from tests.actors.cleaning import FRESH, NOW, SOMEBODY, House


@pytest.fixture
async def house(tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis) -> House:
    made = House(tmp_path, database, redis_client)
    await made.rows.camera()
    return made


def placed(path: Path, hours: float = 25, size: int = 100) -> Path:
    """A file of this age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    moment = (NOW - timedelta(hours=hours)).timestamp()
    os.utime(path, (moment, moment))
    return path


async def searched(house: House, *, dry_run: bool = False) -> OrphanReport:
    return await house.service().orphans(dry_run, SOMEBODY)


async def test_a_dry_run_lists_what_the_run_that_follows_deletes(house: House) -> None:
    files = [placed(house.thumbnails / "7" / "7001-00.jpg"), placed(house.clips / "old.mp4", size=5000)]
    said = await searched(house, dry_run=True)
    assert all(file.exists() for file in files)
    done = await searched(house)
    assert said.model_dump(exclude={"dry_run", "job_id"}) == done.model_dump(exclude={"dry_run", "job_id"})
    assert (said.thumbnails.files, said.thumbnails.orphaned_size_bytes) == (("7/7001-00.jpg",), 100)
    assert (said.clips.files, said.clips.orphaned_size_bytes) == (("old.mp4",), 5000)
    assert (said.total_orphaned_files, said.total_size_bytes) == (2, 5100)
    assert not any(file.exists() for file in files)
    assert (await searched(house)).total_orphaned_files == 0


async def test_the_thumbnail_of_a_detection_that_is_there_stays_however_old(house: House) -> None:
    seen = await house.seen(FRESH)
    placed(seen.thumbnail, hours=1000)
    foreign = placed(seen.thumbnail.with_name(f"{seen.detection}-0011223344556677.jpg"))
    report = await searched(house)
    assert report.thumbnails.orphaned_count == 1
    assert seen.thumbnail.exists()
    assert not foreign.exists()


async def test_a_file_younger_than_a_day_is_never_an_orphan(house: House) -> None:
    placed(house.thumbnails / "7" / "tmp123.part", hours=23.9)
    assert (await searched(house)).total_orphaned_files == 0


async def test_links_are_neither_followed_nor_deleted(house: House) -> None:
    precious = placed(house.folder / "elsewhere" / "precious.jpg")
    house.clips.mkdir(parents=True)
    (house.clips / "link.jpg").symlink_to(precious)
    (house.clips / "way").symlink_to(precious.parent)
    assert (await searched(house)).total_orphaned_files == 0
    assert precious.exists()
    assert (house.clips / "link.jpg").is_symlink()


async def test_a_folder_in_which_uploads_lie_is_not_searched(house: House) -> None:
    upload = placed(house.root / "clips" / "front_door" / "1.mp4")
    house.clips.parent.mkdir(parents=True, exist_ok=True)
    house.clips.symlink_to(house.root / "clips")
    assert (await searched(house)).total_orphaned_files == 0
    assert upload.exists()


async def test_a_clip_that_some_row_names_stays(house: House) -> None:
    clip = placed(house.clips / "kept.mp4")
    await house.rows.media(file=clip)
    assert (await searched(house)).total_orphaned_files == 0


async def test_the_list_of_names_is_bounded_and_the_count_is_not(house: House) -> None:
    for number in range(MOST_NAMES + 20):
        placed(house.clips / f"{number}.mp4", size=1)
    report = await searched(house, dry_run=True)
    assert (report.clips.orphaned_count, len(report.clips.files)) == (MOST_NAMES + 20, MOST_NAMES)


async def test_a_name_that_is_no_text_is_shown_all_the_same(house: House) -> None:
    house.clips.mkdir(parents=True)
    placed(Path(os.fsdecode(os.fsencode(house.clips) + b"/\xff.mp4")))
    assert (await searched(house)).clips.files == ("?.mp4",)


async def test_a_deletion_is_audited_and_told_of(house: House) -> None:
    placed(house.clips / "old.mp4")
    report = await searched(house)
    assert [frame.type for frame in await house.frames(LiveChannel.JOBS)] == ["job.started", "job.completed"]
    row = await house.pool.fetchrow("SELECT resource_type, resource_id, details FROM audit")
    assert row is not None
    assert (row["resource_type"], row["resource_id"]) == ("orphaned_files", report.job_id)
    assert row["details"]["total_orphaned_files"] == 1
