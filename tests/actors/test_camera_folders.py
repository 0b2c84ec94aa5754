"""Folders as cameras: which are looked through, and whose uploads are whose."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis.asyncio

from actors.camera_folders import CAMERA_KEPT_SECONDS, CameraFolders
from schemas.camera import CameraUpdate
from storage.cameras import Cameras
from storage.live_bus import LiveBus
from storage.postgres import Pool
from tests.actors.fakes import FakeClock
from tests.actors.watching import upload


class Root:
    """A camera root whose folders were last changed long ago, unless `put` changes them."""

    def __init__(self, folder: Path, pool: Pool, client: redis.asyncio.Redis) -> None:
        self.folder = folder
        self.clock = FakeClock(datetime.now(UTC))
        self.cameras = Cameras(pool)
        self.folders = CameraFolders(folder, self.cameras, LiveBus(client), self.clock)

    def put(self, name: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(upload(path))
        self.clock.advance(10)
        return str(path)

    async def scan(self, whole: bool = False) -> list[tuple[str, list[str]]]:
        """Camera and names of what was found, and time goes on."""
        found = [
            (camera, sorted(Path(one.path).name for one in some)) async for camera, some in self.folders.scan(whole)
        ]
        self.clock.advance(10)
        return found


@pytest.fixture
def root(tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis) -> Root:
    return Root(tmp_path, database, redis_client)


async def test_a_scan_finds_uploads_by_camera_and_nothing_else(root: Root) -> None:
    for name in ("Front Door/a.jpg", "Front Door/2025/b.mp4", "Front Door/notes.txt", "yard/.c.jpg", "yard/d.PNG"):
        root.put(name)
    assert await root.scan() == [("front_door", ["a.jpg", "b.mp4"]), ("yard", ["d.PNG"])]


async def test_a_folder_that_has_not_changed_is_not_looked_through_again(root: Root) -> None:
    root.put("yard/a.jpg")
    root.put("garden/b.jpg")
    await root.scan()
    assert await root.scan() == []
    root.put("yard/c.jpg")
    assert await root.scan() == [("yard", ["a.jpg", "c.jpg"])]


async def test_a_whole_scan_looks_through_every_folder(root: Root) -> None:
    root.put("yard/a.jpg")
    await root.scan()
    assert await root.scan(whole=True) == [("yard", ["a.jpg"])]


async def test_a_folder_that_changed_a_moment_ago_is_looked_through_again(root: Root) -> None:
    """Another file may come in the same tick of the file system's clock, and change nothing that can be seen."""
    path = root.folder / "yard" / "a.jpg"
    path.parent.mkdir()
    path.write_bytes(upload(path))
    moment = datetime.now(UTC)
    root.clock.advance((moment - root.clock.now()) / timedelta(seconds=1))
    assert await root.scan() == [("yard", ["a.jpg"])]
    assert await root.scan() == [("yard", ["a.jpg"])]
    assert await root.scan() == []


async def test_a_hidden_folder_is_no_camera(root: Root) -> None:
    path = root.put(".trash/a.jpg")
    assert await root.scan() == []
    assert await root.folders.camera_of(path) is None
    assert await root.cameras.list() == []


async def test_an_upload_belongs_to_the_first_folder_below_the_root(root: Root) -> None:
    camera = await root.folders.camera_of(root.put("Front Door/2025/12/23/a.jpg"))
    assert camera is not None
    assert (camera.id, camera.name, camera.folder_path) == ("front_door", "Front Door", str(root.folder / "Front Door"))


async def test_what_lies_outside_of_every_camera_belongs_to_none(root: Root, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        assert await root.folders.camera_of(root.put("a.jpg")) is None
    assert caplog.text.count("lies in no camera's folder") == 1


async def test_a_deleted_cameras_folder_is_left_alone(root: Root) -> None:
    path = root.put("yard/a.jpg")
    await root.scan()
    await root.cameras.delete("yard")
    root.clock.advance(CAMERA_KEPT_SECONDS + 1)
    assert await root.folders.camera_of(path) is None
    assert await root.scan(whole=True) == []


async def test_a_camera_that_is_switched_off_is_heeded_within_seconds(root: Root) -> None:
    path = root.put("yard/a.jpg")
    assert await root.folders.camera_of(path) is not None
    await root.cameras.update("yard", CameraUpdate(enabled=False))
    root.clock.advance(CAMERA_KEPT_SECONDS + 0.1)
    assert await root.folders.camera_of(path) is None


async def test_a_camera_that_is_switched_on_again_is_looked_through_though_its_folder_has_not_changed(
    root: Root,
) -> None:
    root.put("yard/a.jpg")
    await root.scan()
    await root.cameras.update("yard", CameraUpdate(enabled=False))
    assert await root.scan() == []
    await root.cameras.update("yard", CameraUpdate(enabled=True))
    assert await root.scan() == [("yard", ["a.jpg"])]


async def test_a_root_that_was_moved_takes_its_cameras_along(
    root: Root, tmp_path: Path, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    first = Root(tmp_path / "old", database, redis_client)
    first.put("yard/a.jpg")
    await first.scan()
    os.rename(tmp_path / "old", tmp_path / "new")
    second = Root(tmp_path / "new", database, redis_client)
    assert await second.scan() == [("yard", ["a.jpg"])]
    assert (await second.cameras.get("yard")).folder_path == str(tmp_path / "new" / "yard")
    assert second.folders.conflicts() == []


async def test_a_root_that_cannot_be_listed_is_a_line_in_the_log(root: Root, caplog: pytest.LogCaptureFixture) -> None:
    root.folder.rmdir()
    assert await root.scan() == []
    assert "cannot list the camera root" in caplog.text


async def test_a_camera_that_a_person_made_and_that_has_no_folder_yet_is_offline(root: Root) -> None:
    await root.cameras.create("garage", "Garage", str(root.folder / "Garage"))
    await root.scan()
    camera = await root.cameras.get("garage")
    assert (camera.status, camera.status_reason) == ("offline", "its folder does not exist")
