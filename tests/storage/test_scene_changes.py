"""Scene changes and usual views as rows: of two writers that decide on the same version one is heard."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from schemas.scene_change import NewSceneChange, SceneChangeType, SceneReference
from storage import scene_changes
from storage.postgres import Pool
from storage.scene_changes import SceneChanges
from tests.storage.rows import NOON, Rows


def reference(version: int = 1, camera_id: str = "front_door", **values: Any) -> SceneReference:
    given: dict[str, Any] = {"view": b"view", "frames": 7, "covered": False, "learnt_at": NOON, "last_at": NOON}
    return SceneReference(camera_id=camera_id, version=version, **(given | values))


def change(media_id: int = 1, **values: Any) -> NewSceneChange:
    given: dict[str, Any] = {"change_type": SceneChangeType.COVERED, "similarity_score": 0.25, "detected_at": NOON}
    return NewSceneChange(camera_id="front_door", media_id=media_id, **(given | values))


@pytest.fixture
async def changes(database: Pool) -> SceneChanges:
    await Rows(database).camera()
    return SceneChanges(database)


async def test_a_view_comes_back_as_it_was_stored(changes: SceneChanges) -> None:
    stored = reference(view=bytes(range(256)), covered=True)
    assert await changes.save([stored]) == {"front_door"}
    assert await changes.references(["front_door", "garden"]) == {"front_door": stored}


async def test_only_what_follows_on_the_stored_version_is_stored(changes: SceneChanges) -> None:
    await changes.save([reference(1)])
    assert await changes.save([reference(1, frames=8)]) == set()
    assert await changes.save([reference(3, frames=8)]) == set()
    assert await changes.save([reference(2, frames=8)]) == {"front_door"}
    assert (await changes.references(["front_door"]))["front_door"].frames == 8


async def test_the_view_of_a_camera_that_is_not_there_is_not_stored(changes: SceneChanges) -> None:
    assert await changes.save([reference(), reference(camera_id="nobody")]) == {"front_door"}


async def test_a_change_is_a_row_and_a_frame_of_the_same_id(changes: SceneChanges, database: Pool) -> None:
    media = await Rows(database).media()
    told = await changes.record(change(media), reference())
    row = await database.fetchrow("SELECT * FROM scene_changes")
    assert row is not None
    assert told is not None
    assert (row["camera_id"], row["change_type"], row["media_id"]) == ("front_door", "covered", media)
    assert told.data == {
        "id": str(row["id"]),
        "camera_id": "front_door",
        "detected_at": "2025-12-23T12:00:00Z",
        "change_type": "covered",
        "similarity_score": 0.25,
    }


async def test_of_ten_workers_that_decide_at_once_one_is_heard(changes: SceneChanges, database: Pool) -> None:
    media = await Rows(database).media()
    told = await asyncio.gather(*(changes.record(change(media), reference()) for _ in range(10)))
    assert len([frame for frame in told if frame is not None]) == 1
    assert await database.fetchval("SELECT count(*) FROM scene_changes") == 1


async def test_a_file_that_was_deleted_meanwhile_costs_no_change(changes: SceneChanges, database: Pool) -> None:
    assert await changes.record(change(4711), reference()) is not None
    assert await database.fetchval("SELECT media_id FROM scene_changes") is None


async def test_the_oldest_changes_of_a_camera_are_let_go(
    changes: SceneChanges, database: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene_changes, "KEPT_CHANGES", 3)
    for number in range(5):
        await changes.record(change(detected_at=NOON + timedelta(hours=number)), reference(number + 1))
    kept = await database.fetch("SELECT detected_at FROM scene_changes ORDER BY 1")
    assert [row["detected_at"] for row in kept] == [NOON + timedelta(hours=number) for number in (2, 3, 4)]
