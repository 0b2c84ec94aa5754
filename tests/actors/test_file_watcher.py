"""What the watcher makes of uploads in real folders, with real rows."""

import os
from pathlib import Path

import pytest
import redis.asyncio

from storage.doorbells import Doorbells
from storage.postgres import Pool
from tests.actors.watching import Watching, upload, watching
from tests.eventually import eventually


async def test_an_upload_becomes_a_row_of_its_camera(house: Watching) -> None:
    house.put("Front Door/a.jpg")
    await house.settles()
    assert await house.rows() == [("Front Door/a.jpg", "queued")]
    row = await house.database.fetchrow("SELECT camera_id, size_bytes, media_type, content_hash FROM media")
    assert row is not None
    assert tuple(row)[:3] == ("front_door", 12_000, "image")
    assert len(row["content_hash"]) == 32


async def test_a_camera_that_delivers_is_online_and_was_seen(house: Watching) -> None:
    house.put("Front Door/a.jpg")
    await house.settles()
    camera = await house.camera("front_door")
    assert (camera["name"], camera["status"]) == ("Front Door", "online")
    assert camera["folder_path"] == str(house.root / "Front Door")
    assert camera["last_seen_at"] is not None


async def test_a_workers_doorbell_is_rung(house: Watching, redis_client: redis.asyncio.Redis) -> None:
    doorbells = Doorbells(redis_client)
    bell = doorbells.bell("media")
    await eventually(lambda: doorbells.connected)
    await bell.wait(0)
    house.put("yard/a.jpg")
    await house.settles()
    assert await bell.wait(10)
    await doorbells.aclose()


async def test_a_file_renamed_into_the_folder_counts(house: Watching, tmp_path: Path) -> None:
    elsewhere = tmp_path / "a.jpg"
    elsewhere.write_bytes(upload(elsewhere))
    elsewhere.rename(house.root / "yard" / "a.jpg")
    await house.settles()
    assert await house.rows() == [("yard/a.jpg", "queued")]


@pytest.mark.parametrize("working_name", [".a.jpg", "a.jpg.part", "a.tmp", "~a.jpg"])
async def test_a_working_name_is_not_looked_at_until_it_is_the_final_one(house: Watching, working_name: str) -> None:
    path = house.put(f"yard/{working_name}")
    house.put("yard/other.jpg")
    await house.settles()
    assert await house.rows() == [("yard/other.jpg", "queued")]
    path.rename(path.with_name("a.jpg"))
    await house.settles()
    assert ("yard/a.jpg", "queued") in await house.rows()


async def test_a_file_that_grows_is_taken_once_and_whole_when_it_has_settled(house: Watching) -> None:
    path = house.put("yard/a.mp4", b"\0" * 5_000)
    await house.notices()
    for _ in range(4):
        await house.passes(1.5)
        with path.open("ab") as file:
            file.write(b"\1" * 5_000)
        await house.sees_as_it_is(path)
        assert await house.rows() == []
    await house.takes_in()
    assert await house.database.fetchval("SELECT size_bytes FROM media") == 25_000
    assert await house.rows() == [("yard/a.mp4", "queued")]


async def test_a_file_deleted_while_it_settles_is_nothing(house: Watching) -> None:
    path = house.put("yard/a.jpg")
    await house.notices()
    path.unlink()
    await house.takes_in(10)
    house.put("yard/b.jpg")
    await house.settles()
    assert await house.rows() == [("yard/b.jpg", "queued")]


async def test_a_folder_that_comes_with_its_files_is_looked_through(house: Watching, tmp_path: Path) -> None:
    for name in ("a.jpg", "2025/12/23/b.jpg"):
        path = tmp_path / "elsewhere" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(upload(path))
    (tmp_path / "elsewhere").rename(house.root / "New Camera")
    await house.settles(2)
    assert sorted(await house.rows()) == [("New Camera/2025/12/23/b.jpg", "queued"), ("New Camera/a.jpg", "queued")]
    assert await house.database.fetch("SELECT DISTINCT camera_id FROM media") == [("new_camera",)]


async def test_files_that_are_there_at_start_are_taken(
    tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    for name in ("a.jpg", "2024/b.mp4"):
        path = tmp_path / "yard" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(upload(path))
    async with watching(tmp_path, database, redis_client) as house:
        await house.settles(2)
        assert sorted(await house.rows()) == [("yard/2024/b.mp4", "queued"), ("yard/a.jpg", "queued")]


async def test_after_a_restart_nothing_is_taken_twice(
    tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    async with watching(tmp_path, database, redis_client) as house:
        house.put("yard/a.jpg")
        await house.settles()
        house.put("yard/b.jpg")
        await house.notices()  # and dies before it has settled
    async with watching(tmp_path, database, redis_client) as house:
        await house.settles()
        assert await house.rows() == [("yard/a.jpg", "queued"), ("yard/b.jpg", "queued")]


@pytest.mark.parametrize(
    "name",
    [
        b"two words.jpg",
        b'it\'s "quoted" & <escaped>.jpg',
        b"line\nbreak.jpg",
        "Türe 門 🚪.jpg".encode(),
        b"not..hidden...JPG",
        b"caf\xe9 \xff.jpg",
        b"-rf $(reboot) %s {}.jpg",
        b"n" * 251 + b".jpg",
    ],
)
async def test_any_name_is_taken_as_it_is(house: Watching, name: bytes) -> None:
    path = house.put(b"yard/" + name)
    await house.settles()
    assert await house.database.fetchval("SELECT path FROM media") == os.fsencode(path)


@pytest.mark.parametrize(
    ("folder", "camera_id"),
    [
        (b"Front-Door 2", "front_door_2"),
        ("Garten Süd".encode(), "garten_süd"),
        (b'it\'s "mine"\n', "its_mine"),
        (b"caf\xe9", "caf"),
    ],
)
async def test_any_folder_with_a_letter_is_a_camera(house: Watching, folder: bytes, camera_id: str) -> None:
    house.put(folder + b"/a.jpg")
    await house.settles()
    assert await house.states() == ["queued"]
    await house.rescans()
    assert (await house.camera(camera_id))["status"] == "online"


async def test_a_folder_without_a_letter_is_a_visible_conflict(house: Watching) -> None:
    house.put("!!!/a.jpg")
    await eventually(house.has_conflicts)
    assert "has no letter or digit in its name" in (await house.conflicts())[0]
    assert await house.rows() == []


@pytest.mark.parametrize(("one", "other"), [(b"Front Door", b"front-door"), (b"caf\xe8", b"caf\xe9")])
async def test_two_folders_of_one_id_are_a_visible_conflict_and_never_mixed(
    house: Watching, one: bytes, other: bytes
) -> None:
    first = house.put(one + b"/a.jpg")
    await house.settles()
    second = house.put(other + b"/b.jpg")
    await eventually(house.has_conflicts)
    await house.takes_in()
    (conflict,) = await house.conflicts()
    assert "are both camera" in conflict
    assert await house.rows() == [(house.below(first), "queued")]
    second.parent.rename(house.root / "another name")
    await house.settles()
    assert len(await house.rows()) == 2
    await house.rescans()
    assert await house.conflicts() == []


async def test_a_link_to_a_file_out_of_the_root_is_a_refused_row(house: Watching, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(upload(secret))
    (house.root / "yard" / "a.jpg").symlink_to(secret)
    await house.notices()
    await house.takes_in(61)
    assert await house.rows() == [("yard/a.jpg", "dead")]
    assert await house.database.fetchval("SELECT reason FROM media") == "a symbolic link, which is not followed"
    assert await house.database.fetchval("SELECT content_hash FROM media") == b""


async def test_a_link_to_a_folder_out_of_the_root_is_not_followed(
    house: Watching, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "outside").mkdir()
    (house.root / "yard" / "link").symlink_to(tmp_path / "outside")
    house.put("yard/a.jpg")
    await house.settles()
    path = tmp_path / "outside" / "secret.jpg"
    path.write_bytes(upload(path))
    house.put("yard/b.jpg")
    await eventually(lambda: house.has_row("yard/b.jpg"))
    await house.rescans()
    assert await house.rows() == [("yard/a.jpg", "queued"), ("yard/b.jpg", "queued")]


async def test_a_link_in_the_place_of_a_camera_is_a_visible_conflict(house: Watching, tmp_path: Path) -> None:
    path = tmp_path / "outside" / "secret.jpg"
    path.parent.mkdir()
    path.write_bytes(upload(path))
    (house.root / "link").symlink_to(path.parent)
    await eventually(house.has_conflicts)
    assert "is a symbolic link: not followed" in (await house.conflicts())[0]
    path.with_name("another.jpg").write_bytes(upload(path, 20_000))
    await house.rescans()
    await house.takes_in(61)
    assert await house.rows() == []
    assert await house.camera("link") == {}


async def test_a_file_that_stays_too_small_is_refused_once(house: Watching) -> None:
    house.put("yard/a.jpg", b"x" * 100)
    await house.notices()
    await house.passes(30)
    assert await house.rows() == []
    await house.takes_in(31)
    assert await house.rows() == [("yard/a.jpg", "dead")]
    assert "too small" in await house.database.fetchval("SELECT reason FROM media")
    for _ in range(2):
        house.put("yard/another.txt")  # so that the folder is looked through again
        await house.rescans()
    assert await house.pending() == 0
    assert len(await house.rows()) == 1


async def test_a_small_file_that_grows_in_time_is_taken(house: Watching) -> None:
    path = house.put("yard/a.jpg", b"x" * 100)
    await house.notices()
    await house.passes(50)
    path.write_bytes(upload(path))
    await house.sees_as_it_is(path)
    await house.takes_in()
    assert await house.rows() == [("yard/a.jpg", "queued")]


async def test_the_same_bytes_again_are_a_duplicate(house: Watching) -> None:
    house.put("yard/a.jpg", b"same" * 5_000)
    await house.settles()
    house.put("yard/b.jpg", b"same" * 5_000)
    await house.settles()
    assert await house.states() == ["queued", "duplicate"]


async def test_by_polling_it_sees_the_same(tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis) -> None:
    async with watching(tmp_path, database, redis_client, polling=True) as house:
        house.put("yard/a.jpg")
        await house.settles()
        assert await house.rows() == [("yard/a.jpg", "queued")]
        assert (await house.watcher.health()).detail["observer_type"] == "polling"
