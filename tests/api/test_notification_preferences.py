"""/api/notification-preferences and its cameras"""

import asyncio
from typing import Any

import httpx
import pytest

from tests.storage.rows import Rows

PREFERENCES = "/api/notification-preferences"
CAMERAS = f"{PREFERENCES}/cameras"
FRESH = {
    "id": 1,
    "enabled": True,
    "sound": "default",
    "risk_filters": ["critical", "high", "medium"],
    "critical_passes_quiet_hours": True,
}


@pytest.fixture(autouse=True)
async def _camera(rows: Rows) -> None:
    await rows.camera()


async def audited(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Oldest first."""
    found: list[dict[str, Any]] = (await api.get("/api/audit", params={"limit": 1000})).json()["logs"]
    return found[::-1]


async def test_a_fresh_system_answers_the_documented_preferences(api: httpx.AsyncClient) -> None:
    answer = await api.get(PREFERENCES)
    assert (answer.status_code, answer.json()) == (200, FRESH)


async def test_the_documented_change_holds_and_is_audited(api: httpx.AsyncClient) -> None:
    body = {"enabled": True, "sound": "alert", "risk_filters": ["critical", "high"]}
    answer = await api.put(PREFERENCES, json=body)
    assert (answer.status_code, answer.json()) == (200, FRESH | body)
    assert (await api.get(PREFERENCES)).json() == FRESH | body
    (entry,) = await audited(api)
    assert (entry["action"], entry["resource_type"]) == ("settings_changed", "notification_preferences")
    assert entry["details"]["changes"] == {
        "sound": {"old": "default", "new": "alert"},
        "risk_filters": {"old": ["critical", "high", "medium"], "new": ["critical", "high"]},
    }


async def test_put_changes_only_what_it_names(api: httpx.AsyncClient) -> None:
    await api.put(PREFERENCES, json={"sound": "chime"})
    await api.put(PREFERENCES, json={"critical_passes_quiet_hours": False})
    answer = await api.put(PREFERENCES, json={"enabled": False})
    assert answer.json() == FRESH | {"sound": "chime", "critical_passes_quiet_hours": False, "enabled": False}


@pytest.mark.parametrize("sound", ["none", "default", "alert", "chime", "urgent"])
async def test_every_documented_sound_is_taken(api: httpx.AsyncClient, sound: str) -> None:
    assert (await api.put(PREFERENCES, json={"sound": sound})).json()["sound"] == sound


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (["low", "critical", "low", "medium"], ["critical", "medium", "low"]),
        (["medium", "high", "critical"], ["critical", "high", "medium"]),
        (["low"] * 100, ["low"]),
        ([], []),
    ],
)
async def test_levels_are_kept_once_and_in_order(api: httpx.AsyncClient, given: list[str], kept: list[str]) -> None:
    answer = await api.put(PREFERENCES, json={"risk_filters": given})
    assert (answer.status_code, answer.json()["risk_filters"]) == (200, kept)


async def test_the_same_levels_in_another_order_are_no_change(api: httpx.AsyncClient) -> None:
    await api.put(PREFERENCES, json={"risk_filters": ["medium", "critical", "high"]})
    await api.put(PREFERENCES, json={})
    assert await audited(api) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sound": "siren"}, "sound"),
        ({"sound": "Alert"}, "sound"),
        ({"sound": ""}, "sound"),
        ({"risk_filters": ["critical", "dreadful"]}, "risk_filters"),
        ({"risk_filters": [""]}, "risk_filters"),
        ({"enabled": False, "sound": "siren"}, "sound"),
    ],
)
async def test_a_sound_or_level_that_there_is_not_is_400(
    api: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await api.put(PREFERENCES, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["field"] == field
    assert "there are" in answer.json()["detail"]
    assert (await api.get(PREFERENCES)).json() == FRESH
    assert await audited(api) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"enabled": "yes"}, "enabled"),
        ({"enabled": 1}, "enabled"),
        ({"enabled": None}, "enabled"),
        ({"sound": None}, "sound"),
        ({"sound": 7}, "sound"),
        ({"sound": "a\x00"}, "body"),
        ({"risk_filters": None}, "risk_filters"),
        ({"risk_filters": "critical"}, "risk_filters"),
        ({"risk_filters": [1]}, "risk_filters.0"),
        ({"risk_filters": ["low"] * 101}, "risk_filters"),
        ({"critical_passes_quiet_hours": "no"}, "critical_passes_quiet_hours"),
        ({"id": 2}, "id"),
        ({"volume": 11}, "volume"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(api: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    answer = await api.put(PREFERENCES, json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert (await api.get(PREFERENCES)).json() == FRESH


async def test_changes_at_once_have_one_consistent_outcome(api: httpx.AsyncClient) -> None:
    sounds = ["none", "alert", "chime", "urgent", "default"]
    answers = await asyncio.gather(*(api.put(PREFERENCES, json={"sound": sounds[n % 5]}) for n in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    steps = [entry["details"]["changes"]["sound"] for entry in await audited(api)]
    assert [step["old"] for step in steps] == ["default", *(step["new"] for step in steps[:-1])]
    assert (await api.get(PREFERENCES)).json()["sound"] == steps[-1]["new"]


async def test_a_camera_is_404_until_it_is_set(api: httpx.AsyncClient) -> None:
    assert (await api.get(CAMERAS)).json() == {"settings": [], "count": 0}
    assert (await api.get(f"{CAMERAS}/front_door")).status_code == 404
    answer = await api.put(f"{CAMERAS}/front_door", json={"enabled": True, "risk_threshold": 75})
    assert answer.status_code == 200
    made = answer.json()
    assert made == {"id": made["id"], "camera_id": "front_door", "enabled": True, "risk_threshold": 75}
    assert (await api.get(f"{CAMERAS}/front_door")).json() == made
    assert (await api.get(CAMERAS)).json() == {"settings": [made], "count": 1}
    (entry,) = await audited(api)
    assert (entry["resource_type"], entry["resource_id"]) == ("camera_notification_settings", "front_door")


async def test_a_cameras_change_is_partial_and_audited_only_when_it_is_one(api: httpx.AsyncClient) -> None:
    made = (await api.put(f"{CAMERAS}/front_door", json={"risk_threshold": 75})).json()
    changed = (await api.put(f"{CAMERAS}/front_door", json={"enabled": False})).json()
    assert changed == made | {"enabled": False}
    await api.put(f"{CAMERAS}/front_door", json={"enabled": False})
    await api.put(f"{CAMERAS}/front_door", json={})
    assert [entry["details"]["changes"] for entry in (await audited(api))[1:]] == [
        {"enabled": {"old": True, "new": False}}
    ]


@pytest.mark.parametrize("threshold", [0, 100])
async def test_the_ends_of_the_threshold_belong_to_it(api: httpx.AsyncClient, threshold: int) -> None:
    answer = await api.put(f"{CAMERAS}/front_door", json={"risk_threshold": threshold})
    assert answer.json()["risk_threshold"] == threshold


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"risk_threshold": -1}, "risk_threshold"),
        ({"risk_threshold": 101}, "risk_threshold"),
        ({"risk_threshold": 7.5}, "risk_threshold"),
        ({"risk_threshold": "75"}, "risk_threshold"),
        ({"risk_threshold": True}, "risk_threshold"),
        ({"risk_threshold": None}, "risk_threshold"),
        ({"enabled": None}, "enabled"),
        ({"enabled": "true"}, "enabled"),
        ({"camera_id": "garden"}, "camera_id"),
    ],
)
async def test_a_cameras_setting_that_cannot_be_is_refused(
    api: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await api.put(f"{CAMERAS}/front_door", json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert (await api.get(f"{CAMERAS}/front_door")).status_code == 404


async def test_a_camera_that_does_not_exist_or_was_deleted_is_404(api: httpx.AsyncClient) -> None:
    assert (await api.put(f"{CAMERAS}/attic", json={"enabled": True})).status_code == 404
    await api.put(f"{CAMERAS}/front_door", json={"enabled": False})
    assert (await api.delete("/api/cameras/front_door")).status_code == 204
    assert (await api.get(f"{CAMERAS}/front_door")).status_code == 404
    assert (await api.put(f"{CAMERAS}/front_door", json={"enabled": True})).status_code == 404
    assert (await api.get(CAMERAS)).json() == {"settings": [], "count": 0}
