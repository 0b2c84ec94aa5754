"""Cameras as rows: seen by the watcher, made and changed by a person."""

from datetime import timedelta

import pytest

from schemas.camera import CameraStatus, CameraUpdate
from storage.cameras import Cameras
from storage.errors import Conflict, NotFound
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows


async def test_a_folder_seen_for_the_first_time_becomes_a_camera(database: Pool) -> None:
    camera = await Cameras(database).see("front_door", "Front Door", "/c/Front Door")
    assert camera is not None
    assert (camera.id, camera.name, camera.status, camera.enabled) == ("front_door", "Front Door", "unknown", True)


async def test_a_folder_seen_again_is_the_same_camera_with_the_name_a_person_gave_it(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.see("front_door", "Front Door", "/c/Front Door")
    await cameras.update("front_door", CameraUpdate(name="Haustür"))
    camera = await cameras.see("front_door", "Front Door", "/c/Front Door")
    assert camera is not None
    assert camera.name == "Haustür"


async def test_a_second_folder_of_the_same_id_is_told_by_the_other_folder(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.see("front_door", "Front Door", "/c/Front Door")
    camera = await cameras.see("front_door", "front-door", "/c/front-door")
    assert camera is not None
    assert camera.folder_path == "/c/Front Door"


async def test_a_moved_camera_is_found_in_its_new_folder(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.see("a", "a", "/old/a")
    await cameras.move("a", "/new/a")
    assert (await cameras.get("a")).folder_path == "/new/a"


async def test_the_folder_of_a_deleted_camera_is_left_alone(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.see("a", "a", "/c/a")
    await cameras.delete("a")
    assert await cameras.see("a", "a", "/c/a") is None
    assert await cameras.list() == []
    with pytest.raises(NotFound):
        await cameras.get("a")


async def test_deleting_twice_and_changing_what_is_deleted_say_not_found(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.see("a", "a", "/c/a")
    await cameras.delete("a")
    with pytest.raises(NotFound):
        await cameras.delete("a")
    with pytest.raises(NotFound):
        await cameras.update("a", CameraUpdate(name="b"))
    assert await cameras.set_status("a", CameraStatus.ONLINE, None) is None


async def test_a_deleted_camera_made_again_keeps_its_age(database: Pool) -> None:
    cameras = Cameras(database)
    first = await cameras.create("a", "a", "/c/a")
    await cameras.update("a", CameraUpdate(enabled=False))
    await cameras.delete("a")
    again = await cameras.create("a", "A", "/c/A")
    assert (again.created_at, again.name, again.folder_path, again.enabled) == (first.created_at, "A", "/c/A", True)


async def test_an_id_or_a_folder_that_is_taken_is_a_conflict(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.create("a", "a", "/c/a")
    with pytest.raises(Conflict, match="there is a camera a already"):
        await cameras.create("a", "a", "/c/other")
    with pytest.raises(Conflict):
        await cameras.create("b", "b", "/c/a")


async def test_switching_off_and_on_tells_once_each(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.create("a", "a", "/c/a")
    off = await cameras.update("a", CameraUpdate(enabled=False))
    still_off = await cameras.update("a", CameraUpdate(enabled=False))
    on = await cameras.update("a", CameraUpdate(enabled=True))
    assert [frame.type for frame in off.news] == ["camera.disabled"]
    assert set(off.news[0].data) == {"camera_id", "disabled_at", "reason"}
    assert still_off.news == ()
    assert [frame.type for frame in on.news] == ["camera.enabled"]
    assert set(on.news[0].data) == {"camera_id", "enabled_at"}


async def test_a_change_of_status_answers_the_one_before(database: Pool) -> None:
    cameras = Cameras(database)
    await cameras.create("a", "a", "/c/a")
    assert await cameras.set_status("a", CameraStatus.ERROR, "no permission") is CameraStatus.UNKNOWN
    assert await cameras.set_status("a", CameraStatus.ONLINE, None) is CameraStatus.ERROR
    camera = await cameras.get("a")
    assert (camera.status, camera.status_reason) == (CameraStatus.ONLINE, None)


async def test_the_newest_file_of_many_cameras_is_noted_at_once_and_never_goes_back(database: Pool) -> None:
    cameras = Cameras(database)
    for name in ("a", "b", "c"):
        await cameras.create(name, name, f"/c/{name}")
    await cameras.touch({"a": NOON, "b": NOON})
    await cameras.touch({"a": NOON - timedelta(hours=1)})
    assert [camera.last_seen_at for camera in await cameras.list()] == [NOON, NOON, None]


async def test_a_page_goes_on_after_the_camera_it_is_given(database: Pool) -> None:
    cameras = Cameras(database)
    for name in ("c", "a", "b", "d"):
        await cameras.create(name, name, f"/c/{name}")
    assert [camera.id for camera in await cameras.list(after="a", limit=2)] == ["b", "c"]
    assert [camera.id for camera in await cameras.list(limit=2, offset=3)] == ["d"]


async def test_cameras_that_do_not_exist_are_named(database: Pool) -> None:
    rows, cameras = Rows(database), Cameras(database)
    await rows.camera("a")
    await rows.camera("gone")
    await cameras.delete("gone")
    assert await cameras.unknown(["nowhere", "a", "gone", "nowhere"]) == ["gone", "nowhere"]
