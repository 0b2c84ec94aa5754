"""/api/cameras"""

from pathlib import Path

import httpx
import pytest

from deployments.api.deps import Services
from schemas.frame import LiveChannel
from tests.storage.rows import Rows


async def test_making_a_camera_makes_its_folder(api: httpx.AsyncClient, camera_root: Path) -> None:
    answer = await api.post("/api/cameras", json={"name": "Front Door"})
    assert answer.status_code == 201
    assert answer.json()["id"] == "front_door"
    assert answer.json()["folder_path"] == str(camera_root / "Front Door")
    assert (camera_root / "Front Door").is_dir()
    assert answer.json()["created_at"].endswith("Z")
    assert (await api.get("/api/cameras/front_door")).json() == answer.json()


async def test_letters_of_any_script_make_a_camera(api: httpx.AsyncClient, camera_root: Path) -> None:
    answer = await api.post("/api/cameras", json={"name": "玄関 Größe"})
    assert answer.json()["id"] == "玄関_größe"
    assert (await api.get("/api/cameras/玄関_größe")).status_code == 200
    assert (camera_root / "玄関 Größe").is_dir()


async def test_a_name_that_falls_to_a_taken_id_is_a_conflict(api: httpx.AsyncClient, camera_root: Path) -> None:
    await api.post("/api/cameras", json={"name": "Front Door"})
    answer = await api.post("/api/cameras", json={"name": "front-door"})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "there is a camera front_door already"
    assert not (camera_root / "front-door").exists()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "...",
        "..",
        "../etc",
        "a/b",
        "a\\b",
        ".hidden",
        " padded",
        "padded ",
        "a\nb",
        "a\x00b",
        "!?",
        "ü" * 150,
    ],
)
async def test_a_name_that_cannot_be_a_folder_is_refused(api: httpx.AsyncClient, camera_root: Path, name: str) -> None:
    answer = await api.post("/api/cameras", json={"name": name})
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert list(camera_root.iterdir()) == []
    assert (await api.get("/api/cameras")).json()["count"] == 0


async def test_a_link_out_of_the_root_is_no_camera(api: httpx.AsyncClient, camera_root: Path, tmp_path: Path) -> None:
    (camera_root / "evil").symlink_to(tmp_path)
    answer = await api.post("/api/cameras", json={"name": "evil"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name")


async def test_a_folder_that_cannot_be_made_leaves_no_camera(api: httpx.AsyncClient, camera_root: Path) -> None:
    (camera_root / "door").write_text("a file is in the way")
    answer = await api.post("/api/cameras", json={"name": "door"})
    assert answer.status_code == 503
    assert str(camera_root) not in answer.text
    assert (await api.get("/api/cameras/door")).status_code == 404


async def test_a_camera_is_renamed_and_switched_off(api: httpx.AsyncClient, services: Services) -> None:
    await api.post("/api/cameras", json={"name": "door"})
    answer = await api.patch("/api/cameras/door", json={"enabled": False})
    assert (answer.status_code, answer.json()["enabled"], answer.json()["name"]) == (200, False, "door")
    answer = await api.patch("/api/cameras/door", json={"name": "Haustür"})
    assert (answer.json()["enabled"], answer.json()["name"]) == (False, "Haustür")
    frames, _ = await services.bus.replay(LiveChannel.CAMERAS, 0)
    assert [frame.type for frame in frames] == ["camera.disabled"]


@pytest.mark.parametrize(
    "body", [{"name": None}, {"enabled": None}, {"name": ""}, {"status": "online"}, {"id": "x"}, []]
)
async def test_a_change_that_cannot_be_is_refused(api: httpx.AsyncClient, body: object) -> None:
    await api.post("/api/cameras", json={"name": "door"})
    assert (await api.patch("/api/cameras/door", json=body)).status_code == 422


async def test_a_deleted_camera_is_gone_and_its_events_stay(api: httpx.AsyncClient, rows: Rows) -> None:
    await api.post("/api/cameras", json={"name": "front_door"})
    event_id = await rows.event()
    assert (await api.delete("/api/cameras/front_door")).status_code == 204
    assert (await api.delete("/api/cameras/front_door")).status_code == 404
    assert (await api.get("/api/cameras/front_door")).status_code == 404
    assert (await api.get(f"/api/events/{event_id}")).json()["camera_id"] == "front_door"
    assert (await api.post("/api/cameras", json={"name": "front_door"})).status_code == 201


async def test_cameras_are_paged_by_cursor(api: httpx.AsyncClient) -> None:
    for name in ("c", "a", "b"):
        await api.post("/api/cameras", json={"name": name})
    first = (await api.get("/api/cameras", params={"limit": 2})).json()
    second = (await api.get("/api/cameras", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [camera["id"] for camera in first["cameras"]] == ["a", "b"]
    assert (first["count"], first["limit"], first["offset"]) == (2, 2, 0)
    assert [camera["id"] for camera in second["cameras"]] == ["c"]
    assert second["next_cursor"] is None
