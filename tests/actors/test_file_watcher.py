"""What the watcher makes of uploads in real folders, with real rows."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio

from actors.file_watcher import FileWatcher
from schemas.frame import LiveChannel
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus
from storage.postgres import Pool, connect_pool
from tests.actors.watching import Watching, upload, watching, without_privileges
from tests.eventually import eventually
from tests.storage.wire import Wire
from tests.stores import data_folder


@pytest.fixture
async def house(tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[Watching]:
    root = tmp_path / "cameras"
    (root / "yard").mkdir(parents=True)  # listened to from the start, as a folder that has just come may not be yet
    async with watching(root, database, redis_client) as made:
        yield made


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
    await eventually(lambda: _some(house))
    assert "has no letter or digit in its name" in (await house.conflicts())[0]
    assert await house.rows() == []


async def _some(house: Watching) -> bool:
    return bool(await house.conflicts())


@pytest.mark.parametrize(("one", "other"), [(b"Front Door", b"front-door"), (b"caf\xe8", b"caf\xe9")])
async def test_two_folders_of_one_id_are_a_visible_conflict_and_never_mixed(
    house: Watching, one: bytes, other: bytes
) -> None:
    first = house.put(one + b"/a.jpg")
    await house.settles()
    second = house.put(other + b"/b.jpg")
    await eventually(lambda: _some(house))
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
    await eventually(lambda: _row_of(house, "yard/b.jpg"))
    await house.rescans()
    assert await house.rows() == [("yard/a.jpg", "queued"), ("yard/b.jpg", "queued")]


async def _row_of(house: Watching, name: str) -> bool:
    await house.passes(0.5)
    return name in dict(await house.rows())


async def test_a_link_in_the_place_of_a_camera_is_a_visible_conflict(house: Watching, tmp_path: Path) -> None:
    path = tmp_path / "outside" / "secret.jpg"
    path.parent.mkdir()
    path.write_bytes(upload(path))
    (house.root / "link").symlink_to(path.parent)
    await eventually(lambda: _some(house))
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


async def test_a_disabled_cameras_files_are_left_and_taken_when_it_is_enabled_again(house: Watching) -> None:
    house.put("yard/a.jpg")
    await house.settles()
    house.put("yard/b.jpg")
    await house.notices()
    await house.database.execute("UPDATE cameras SET enabled = false")
    await house.takes_in(6)
    house.put("yard/c.jpg")
    await house.settles()
    assert await house.rows() == [("yard/a.jpg", "queued")]
    await house.database.execute("UPDATE cameras SET enabled = true")
    await house.passes(61)
    await house.settles(2)
    assert sorted(await house.rows()) == [(f"yard/{name}.jpg", "queued") for name in "abc"]


async def test_a_file_in_the_root_belongs_to_no_camera_and_is_told(
    house: Watching, caplog: pytest.LogCaptureFixture
) -> None:
    house.put("a.jpg")
    house.put("yard/b.jpg")
    await house.settles(2)
    assert await house.rows() == [("yard/b.jpg", "queued")]
    assert "lies in no camera's folder" in caplog.text


async def test_a_folder_that_may_not_be_read_is_an_error_of_its_camera_and_holds_up_no_other(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    with data_folder() as root:
        root.chmod(0o777)
        async with watching(root, database, redis_client) as house:
            locked, fine = house.put("locked/a.jpg").parent, house.put("fine/b.jpg").parent
            await house.notices(2)
        locked.chmod(0)
        with without_privileges():
            async with watching(root, database, redis_client) as house:
                await house.settles()
                assert await house.rows() == [("fine/b.jpg", "queued")]
                camera = await house.camera("locked")
                assert (camera["status"], camera["status_reason"]) == (
                    "error",
                    "the folder cannot be read: Permission denied; mend its rights",
                )
        locked.chmod(0o755)
        async with watching(root, database, redis_client) as house:
            await house.settles()
            assert ("locked/a.jpg", "queued") in await house.rows()
            assert (await house.camera("locked"))["status"] == "online"
        assert fine.is_dir()


async def test_a_camera_whose_folder_is_gone_is_offline_until_it_is_back(house: Watching, tmp_path: Path) -> None:
    folder = house.put("yard/a.jpg").parent
    await house.settles()
    folder.rename(tmp_path / "away")
    await house.rescans()
    await eventually(lambda: _status_is(house, "offline"))
    assert (await house.camera("yard"))["status_reason"] == "its folder does not exist"
    (tmp_path / "away").rename(folder)
    await house.rescans()
    await eventually(lambda: _status_is(house, "online"))


async def _status_is(house: Watching, status: str) -> bool:
    await house.passes(6)
    return bool((await house.camera("yard"))["status"] == status)


async def test_a_change_of_status_is_told_with_the_cameras_name(
    house: Watching, redis_client: redis.asyncio.Redis, tmp_path: Path
) -> None:
    folder = house.put("The Yard/a.jpg").parent
    await house.settles()
    folder.rename(tmp_path / "away")
    await house.rescans()
    live = LiveBus(redis_client)
    await eventually(lambda: _told(live, 2))
    frames, _ = await live.replay(LiveChannel.CAMERAS, 1)
    assert frames[0].data == {
        "camera_id": "the_yard",
        "camera_name": "The Yard",
        "status": "offline",
        "previous_status": "online",
        "reason": "its folder does not exist",
        "timestamp": frames[0].data["timestamp"],
    }


async def _told(live: LiveBus, count: int) -> bool:
    return await live.last_sequence(LiveChannel.CAMERAS) == count


async def test_a_database_that_is_away_and_comes_back_costs_no_file(
    tmp_path: Path, database: Pool, database_url: str, redis_client: redis.asyncio.Redis
) -> None:
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 2, "tests")
        async with watching(tmp_path, database, redis_client, through=pool) as house:
            house.put("yard/a.jpg")
            await house.settles()
            house.put("yard/b.jpg")
            await house.notices()
            await wire.cut()
            await house.passes(3)
            house.put("yard/c.jpg")
            await house.notices(2)
            await eventually(lambda: _is_ill(house))
            await wire.mend()
            await eventually(lambda: _row_of(house, "yard/c.jpg"))
            assert sorted(await house.rows()) == [(f"yard/{name}.jpg", "queued") for name in "abc"]
            assert (await house.watcher.health()).healthy
        pool.terminate()


async def _is_ill(house: Watching) -> bool:
    house.wake()
    health = await house.watcher.health()
    return health.message is not None and health.detail["waiting_for_database"] > 0


async def test_what_does_not_fit_into_memory_while_the_database_is_away_is_found_again(
    tmp_path: Path,
    database: Pool,
    database_url: str,
    redis_client: redis.asyncio.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("actors.file_watcher.MOST_WAITING", 3)
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 2, "tests")
        async with watching(tmp_path, database, redis_client, through=pool) as house:
            house.put("yard/first.jpg")
            await house.settles()
            await wire.cut()
            for number in range(8):
                house.put(f"yard/{number}.jpg")
            await house.notices(8)
            await house.passes(3)
            await eventually(lambda: _is_ill(house))
            await wire.mend()
            await eventually(lambda: _are(house, 9))
        pool.terminate()


async def _are(house: Watching, count: int) -> bool:
    await house.passes(0.5)
    return len(await house.rows()) == count


async def test_a_camera_whose_row_vanished_holds_up_no_other(house: Watching) -> None:
    """As after a restored backup: the watcher knows the camera for some seconds more than the database does."""
    taken = house.put("yard/a.jpg")
    await house.settles()
    taken.unlink()
    await house.database.execute("DELETE FROM media")
    await house.database.execute("DELETE FROM cameras")
    house.put("yard/b.jpg")
    house.put("garden/c.jpg")
    await house.notices(2)
    await house.passes(2.5)
    await eventually(lambda: _row_of(house, "garden/c.jpg"))
    await house.passes(61)
    await eventually(lambda: _row_of(house, "yard/b.jpg"))


async def test_a_file_from_the_far_future_is_taken_and_holds_up_no_other(house: Watching) -> None:
    path = house.put("yard/a.jpg")
    os.utime(path, ns=(2**63 + 10**9, 2**63 + 10**9))
    house.put("yard/b.jpg")
    await eventually(lambda: _row_of(house, "yard/b.jpg"))
    await eventually(lambda: _row_of(house, "yard/a.jpg"))
    house.put("yard/c.txt")
    await house.rescans()
    assert await house.states() == ["queued", "queued"]


async def test_by_polling_it_sees_the_same(tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis) -> None:
    async with watching(tmp_path, database, redis_client, polling=True) as house:
        house.put("yard/a.jpg")
        await house.settles()
        assert await house.rows() == [("yard/a.jpg", "queued")]
        assert (await house.watcher.health()).detail["observer_type"] == "polling"


async def test_a_root_that_does_not_exist_is_told_until_it_is_made(
    tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    root = tmp_path / "not yet" / "cameras"
    async with watching(root, database, redis_client) as house:
        assert root.is_dir()
        await house.watcher.stop()
        root.rmdir()
        health = await house.watcher.health()
        assert not health.healthy
        assert f"the camera root {root} does not exist" in (health.message or "")


async def test_a_root_in_whose_place_another_stands_is_watched_there(house: Watching, tmp_path: Path) -> None:
    """As a disk that is unmounted and mounted again."""
    house.root.rename(tmp_path / "unmounted")
    await eventually(house.root.is_dir)  # made again, empty
    await eventually(lambda: house.watcher._listening)
    house.put("yard/a.jpg")
    await house.settles()
    assert await house.rows() == [("yard/a.jpg", "queued")]


async def test_a_watcher_that_was_stopped_takes_nothing_in(house: Watching) -> None:
    house.put("yard/a.jpg")
    await house.notices()
    await house.watcher.stop()
    await house.passes(10)
    await asyncio.sleep(0)
    assert await house.rows() == []
    assert not (await house.watcher.health()).healthy


async def test_a_watcher_that_cannot_connect_yet_tries_again(
    tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    async with watching(tmp_path, database, redis_client) as house:
        tries = 0
        connect = house.watcher._connect

        async def late() -> object:
            nonlocal tries
            tries += 1
            if tries < 2:
                raise ConnectionRefusedError("refused")
            return await connect()

        watcher = FileWatcher(tmp_path, False, late)  # type: ignore[arg-type]
        await watcher.start()
        await eventually(lambda: tries == 2)
        await watcher.stop()
