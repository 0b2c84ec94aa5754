"""Alert rules exactly as the specification writes them."""

from typing import Any

import httpx
import pytest

from tests.storage.rows import NOON, Rows

RULES = "/api/alerts/rules"
CREATED: dict[str, Any] = {
    "name": "Critical Person Detection",
    "severity": "critical",
    "risk_threshold": 85,
    "object_types": ["person"],
    "schedule": {
        "days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
        "start_time": "00:00",
        "end_time": "06:00",
    },
    "cooldown_seconds": 600,
    "channels": ["email", "webhook"],
}
LISTED: dict[str, Any] = {
    "name": "High Risk Person Detection",
    "enabled": True,
    "severity": "high",
    "risk_threshold": 75,
    "object_types": ["person"],
    "camera_ids": None,
    "schedule": {"days": ["mon", "tue", "wed", "thu", "fri"], "start_time": "22:00", "end_time": "06:00"},
    "cooldown_seconds": 300,
    "channels": ["email", "webhook"],
}


@pytest.mark.parametrize("rule", [CREATED, LISTED])
async def test_a_documented_rule_is_made_and_answered_with_every_documented_field(
    api: httpx.AsyncClient, rule: dict[str, Any]
) -> None:
    answer = await api.post(RULES, json=rule)
    assert answer.status_code == 201
    made = answer.json()
    expected = LISTED | rule
    assert {field: made[field] for field in expected if field != "schedule"} == {
        field: value for field, value in expected.items() if field != "schedule"
    }
    assert made["schedule"].items() >= rule["schedule"].items()
    assert len(made["id"]) == 36
    listed = (await api.get(RULES)).json()
    assert (listed["rules"], listed["count"]) == ([made], 1)


async def test_the_documented_trial_is_taken_as_it_is_written(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.camera()
    for _ in range(3):
        await rows.event(risk_score=90, risk_level="critical", started_at=NOON)
    made = (await api.post(RULES, json=CREATED | {"object_types": None})).json()
    trial = {"event_ids": [1, 2, 3], "test_time": "2025-12-23T03:00:00Z", "limit": 50}
    answer = await api.post(f"{RULES}/{made['id']}/test", json=trial)
    assert answer.status_code == 200
    report = answer.json()
    assert (report["rule_id"], report["rule_name"]) == (made["id"], "Critical Person Detection")
    assert (report["events_tested"], report["events_matched"], report["match_rate"]) == (3, 3, 1.0)
    assert set(report["results"][0]) >= {
        "event_id",
        "camera_id",
        "risk_score",
        "object_types",
        "matches",
        "matched_conditions",
        "started_at",
    }


@pytest.mark.parametrize("day", ["mon", "monday", "MON", "Monday", "mOnDaY"])
async def test_a_day_is_taken_short_and_full_in_any_case_and_answered_short(api: httpx.AsyncClient, day: str) -> None:
    made = await api.post(RULES, json=CREATED | {"schedule": {"days": [day]}})
    assert (made.status_code, made.json()["schedule"]["days"]) == (201, ["mon"])
    changed = await api.put(f"{RULES}/{made.json()['id']}", json={"schedule": {"days": [day, "sunday"]}})
    assert changed.json()["schedule"]["days"] == ["mon", "sun"]
