"""The watcher when something is amiss: cameras switched off, folders gone, rights missing, the database away."""

import asyncio
import os
from pathlib import Path

import pytest
import redis.asyncio

from actors.file_watcher import FileWatcher
from schemas.frame import LiveChannel
from storage.live_bus import LiveBus
from storage.postgres import Pool, connect_pool
from tests.actors.watching import Watching, watching, without_privileges
from tests.eventually import eventually
from tests.storage.wire import Wire
from tests.stores import data_folder


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
            await eventually(lambda: house.has_row("yard/c.jpg"))
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
            await eventually(lambda: house.has_rows(9))
        pool.terminate()


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
    await eventually(lambda: house.has_row("garden/c.jpg"))
    await house.passes(61)
    await eventually(lambda: house.has_row("yard/b.jpg"))


async def test_a_file_from_the_far_future_is_taken_and_holds_up_no_other(house: Watching) -> None:
    path = house.put("yard/a.jpg")
    os.utime(path, ns=(2**63 + 10**9, 2**63 + 10**9))
    house.put("yard/b.jpg")
    await eventually(lambda: house.has_row("yard/b.jpg"))
    await eventually(lambda: house.has_row("yard/a.jpg"))
    house.put("yard/c.txt")
    await house.rescans()
    assert await house.states() == ["queued", "queued"]


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
