"""/api/alerts/rules"""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.storage.rows import NOON, Rows

RULES = "/api/alerts/rules"


@pytest.fixture(autouse=True)
async def _cameras(rows: Rows) -> None:
    for camera in ("front_door", "garden"):
        await rows.camera(camera)


async def _made(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post(RULES, json={"name": "A rule"} | fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_the_documented_rule_is_made_and_read_back(api: httpx.AsyncClient) -> None:
    made = await _made(
        api,
        name="Critical Person Detection",
        severity="critical",
        risk_threshold=85,
        object_types=["person"],
        schedule={"days": ["Sunday", "MON"], "start_time": "00:00", "end_time": "06:00"},
        cooldown_seconds=600,
        channels=["email", "webhook"],
    )
    assert made["schedule"] == {"days": ["sun", "mon"], "start_time": "00:00", "end_time": "06:00", "timezone": None}
    assert (made["enabled"], made["camera_ids"], made["dedup_key_template"]) == (True, None, "{camera_id}:{rule_id}")
    assert (await api.get(f"{RULES}/{made['id']}")).json() == made
    assert (await api.get(RULES)).json() == {
        "rules": [made],
        "count": 1,
        "limit": 50,
        "offset": 0,
        "next_cursor": None,
    }


async def test_a_cooldown_of_zero_stays_zero(api: httpx.AsyncClient) -> None:
    assert (await _made(api, cooldown_seconds=0))["cooldown_seconds"] == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\r\nBcc: everyone"}, "name"),
        ({"severity": "mild"}, "severity"),
        ({"risk_threshold": 101}, "risk_threshold"),
        ({"risk_threshold": "many"}, "risk_threshold"),
        ({"min_confidence": 1.5}, "min_confidence"),
        ({"cooldown_seconds": -1}, "cooldown_seconds"),
        ({"schedule": {"start_time": "25:00", "end_time": "06:00"}}, "schedule.start_time"),
        ({"schedule": {"start_time": "22:00"}}, "schedule"),
        ({"schedule": {"days": ["someday"]}}, "schedule.days.0"),
        ({"schedule": {"timezone": "Mars/Olympus"}}, "schedule.timezone"),
        ({"zones": [{"camera_id": "front_door", "polygon": [[0, 0], [1, 1]]}]}, "zones.0.polygon"),
        ({"dedup_key_template": "{password}"}, "dedup_key_template"),
        ({"channels": ["pigeon"]}, "channels.0"),
        ({"camera_ids": ["front_door", "attic", "cellar"]}, "camera_ids"),
        ({"zones": [{"camera_id": "attic", "polygon": [[0, 0], [1, 1], [0, 1]]}]}, "zones"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused_by_field(
    api: httpx.AsyncClient, fields: dict[str, Any], field: str
) -> None:
    made = await _made(api)
    for answer in (
        await api.post(RULES, json={"name": "A rule"} | fields),
        await api.put(f"{RULES}/{made['id']}", json=fields),
    ):
        assert answer.status_code == 422, answer.text
        assert field in [error["field"] for error in answer.json()["errors"]]
    assert (await api.get(RULES)).json()["rules"] == [made]


async def test_unknown_cameras_are_named(api: httpx.AsyncClient) -> None:
    answer = await api.post(RULES, json={"name": "x", "camera_ids": ["cellar", "front_door", "attic"]})
    assert answer.json()["errors"] == [{"field": "camera_ids", "message": "there is no camera attic, cellar"}]


async def test_put_changes_only_what_it_names(api: httpx.AsyncClient) -> None:
    made = await _made(api, risk_threshold=60, object_types=["person"], camera_ids=["garden"], channels=["email"])
    changed = (await api.put(f"{RULES}/{made['id']}", json={"enabled": False})).json()
    assert changed["updated_at"] > made["updated_at"]
    assert changed == made | {"enabled": False, "updated_at": changed["updated_at"]}


async def test_an_explicit_null_clears(api: httpx.AsyncClient) -> None:
    made = await _made(
        api,
        description="x",
        risk_threshold=60,
        object_types=["person"],
        camera_ids=["garden"],
        min_confidence=0.5,
        zones=[{"camera_id": "garden", "polygon": [[0, 0], [1, 0], [1, 1]]}],
        schedule={"days": ["mon"]},
        channels=["email"],
    )
    cleared = dict.fromkeys(
        ("description", "risk_threshold", "object_types", "camera_ids", "min_confidence", "zones", "schedule")
    )
    answer = await api.put(f"{RULES}/{made['id']}", json=cleared | {"channels": None})
    assert answer.status_code == 200
    assert answer.json().items() >= (cleared | {"severity": "medium"}).items()
    assert answer.json()["channels"] == []


@pytest.mark.parametrize("field", ["name", "enabled", "severity", "cooldown_seconds", "dedup_key_template"])
async def test_what_cannot_be_empty_refuses_a_null(api: httpx.AsyncClient, field: str) -> None:
    made = await _made(api)
    answer = await api.put(f"{RULES}/{made['id']}", json={field: None})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_rule_of_a_camera_that_was_deleted_can_still_be_changed(api: httpx.AsyncClient) -> None:
    made = await _made(api, camera_ids=["garden"])
    await api.delete("/api/cameras/garden")
    assert (await api.put(f"{RULES}/{made['id']}", json={"enabled": False})).status_code == 200


async def test_a_deleted_rule_is_gone(api: httpx.AsyncClient) -> None:
    made = await _made(api)
    assert (await api.delete(f"{RULES}/{made['id']}")).status_code == 204
    for answer in (
        await api.delete(f"{RULES}/{made['id']}"),
        await api.get(f"{RULES}/{made['id']}"),
        await api.put(f"{RULES}/{made['id']}", json={}),
        await api.post(f"{RULES}/{uuid4()}/test", json={}),
    ):
        assert answer.status_code == 404


async def test_rules_are_filtered_and_paged(api: httpx.AsyncClient) -> None:
    made = [(await _made(api, name=str(n), severity="low" if n else "high"))["id"] for n in range(3)]
    first = (await api.get(RULES, params={"limit": 2})).json()
    rest = (await api.get(RULES, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [rule["id"] for rule in first["rules"] + rest["rules"]] == made
    assert (await api.get(RULES, params={"severity": "high"})).json()["count"] == 1
    assert (await api.get(RULES, params={"enabled": "false"})).json()["count"] == 0


async def _night_and_day(rows: Rows) -> tuple[int, int]:
    """A person on Saturday at 02:00 in Berlin, and a dog at noon."""
    night = NOON.replace(day=20, hour=1)
    batch, media = await rows.batch(), await rows.media()
    await rows.detection(batch, media)
    person = await rows.event(batch_id=batch, started_at=night, risk_score=80)
    other = await rows.batch()
    await rows.detection(other, media, object_type="dog")
    dog = await rows.event(batch_id=other, risk_score=20, object_types=["dog"], started_at=NOON + timedelta(hours=1))
    return person, dog


async def test_a_rule_is_tried_on_stored_events(api: httpx.AsyncClient, rows: Rows) -> None:
    person, dog = await _night_and_day(rows)
    made = await _made(
        api,
        name="Night",
        enabled=False,
        risk_threshold=75,
        object_types=["person"],
        schedule={"days": ["fri"], "start_time": "22:00", "end_time": "06:00"},
    )
    report = (await api.post(f"{RULES}/{made['id']}/test", json={"event_ids": [person, dog]})).json()
    assert {key: report[key] for key in ("rule_id", "rule_name", "events_tested", "events_matched", "match_rate")} == {
        "rule_id": made["id"],
        "rule_name": "Night",
        "events_tested": 2,
        "events_matched": 1,
        "match_rate": 0.5,
    }
    by_event = {result["event_id"]: result for result in report["results"]}
    assert by_event[person]["matches"] is True
    assert by_event[person]["matched_conditions"].keys() == {"risk_threshold", "schedule", "object_types"}
    assert by_event[person]["started_at"] == "2025-12-20T01:00:00Z"
    assert by_event[dog]["matches"] is False
    assert by_event[dog]["not_matched_because"] == "score 20 < 75"
    assert await rows.pool.fetchval("SELECT count(*) FROM alerts") == 0


async def test_a_test_time_stands_in_for_the_events_own(api: httpx.AsyncClient, rows: Rows) -> None:
    person, _ = await _night_and_day(rows)
    made = await _made(api, schedule={"start_time": "12:00", "end_time": "14:00"})
    path = f"{RULES}/{made['id']}/test"
    own = (await api.post(path, json={"event_ids": [person]})).json()
    noon = (await api.post(path, json={"event_ids": [person], "test_time": "2025-12-23T12:00:00Z"})).json()
    assert (own["events_matched"], noon["events_matched"]) == (0, 1)


async def test_without_a_body_the_ten_newest_events_are_tried(api: httpx.AsyncClient, rows: Rows) -> None:
    made = await _made(api)
    path = f"{RULES}/{made['id']}/test"
    assert (await api.post(path)).json() == {
        "rule_id": made["id"],
        "rule_name": "A rule",
        "events_tested": 0,
        "events_matched": 0,
        "match_rate": 0.0,
        "results": [],
    }
    events = [await rows.event() for _ in range(12)]
    assert [result["event_id"] for result in (await api.post(path)).json()["results"]] == events[:1:-1]
    assert (await api.post(path, json={"limit": 100})).json()["events_tested"] == 12
    assert (await api.post(path, json={"event_ids": events})).json()["events_tested"] == 12
    assert (await api.post(path, json={"event_ids": events, "limit": 3})).json()["events_tested"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"event_ids": [0]}, "event_ids.0"),
        ({"event_ids": [2**63]}, "event_ids.0"),
        ({"event_ids": [999]}, "event_ids"),
        ({"test_time": "soon"}, "test_time"),
        ({"events": [1]}, "events"),
    ],
)
async def test_a_trial_that_cannot_be_is_refused(api: httpx.AsyncClient, body: dict[str, Any], field: str) -> None:
    made = await _made(api)
    answer = await api.post(f"{RULES}/{made['id']}/test", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
