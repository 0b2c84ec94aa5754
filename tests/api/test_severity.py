"""/api/system/severity"""

from typing import Any

import httpx
import pytest

from tests.storage.rows import Rows

SEVERITY = "/api/system/severity"


def definitions(low: int, medium: int, high: int) -> list[dict[str, Any]]:
    """The documented seven fields of each level."""
    shown = [
        ("low", "Low", "Routine activity, no concern", "#22c55e", 3, 0, low),
        ("medium", "Medium", "Notable activity, worth reviewing", "#eab308", 2, low + 1, medium),
        ("high", "High", "Concerning activity, review soon", "#f97316", 1, medium + 1, high),
        ("critical", "Critical", "Immediate attention required", "#ef4444", 0, high + 1, 100),
    ]
    fields = ("severity", "label", "description", "color", "priority", "min_score", "max_score")
    return [dict(zip(fields, row, strict=True)) for row in shown]


async def test_a_fresh_system_answers_the_documented_levels(api: httpx.AsyncClient) -> None:
    answer = await api.get(SEVERITY)
    assert answer.status_code == 200
    assert answer.json() == {
        "definitions": definitions(29, 59, 84),
        "thresholds": {"low_max": 29, "medium_max": 59, "high_max": 84},
    }


@pytest.mark.parametrize("bands", [(20, 45, 70), (40, 70, 90), (1, 2, 3), (97, 98, 99)])
async def test_new_thresholds_hold_at_once(api: httpx.AsyncClient, bands: tuple[int, int, int]) -> None:
    body = dict(zip(("low_max", "medium_max", "high_max"), bands, strict=True))
    answer = await api.put(SEVERITY, json=body)
    assert (answer.status_code, answer.json()) == (200, {"definitions": definitions(*bands), "thresholds": body})
    assert (await api.get(SEVERITY)).json() == answer.json()


async def test_the_audit_entry_is_the_documented_one(api: httpx.AsyncClient) -> None:
    await api.put(SEVERITY, json={"low_max": 20, "medium_max": 45, "high_max": 70})
    (entry,) = (await api.get("/api/audit")).json()["logs"]
    assert entry.items() >= {"action": "settings_changed", "resource_type": "severity_thresholds"}.items()
    assert entry["details"] == {
        "changes": {
            "low_max": {"old": 29, "new": 20},
            "medium_max": {"old": 59, "new": 45},
            "high_max": {"old": 84, "new": 70},
        }
    }


async def test_the_thresholds_in_force_leave_no_audit_entry(api: httpx.AsyncClient) -> None:
    answer = await api.put(SEVERITY, json={"low_max": 29, "medium_max": 59, "high_max": 84})
    assert answer.status_code == 200
    assert (await api.get("/api/audit")).json()["logs"] == []


@pytest.mark.parametrize("bands", [(59, 59, 84), (60, 59, 84), (29, 84, 84), (29, 85, 84), (90, 50, 3)])
async def test_thresholds_that_do_not_rise_strictly_are_400(
    api: httpx.AsyncClient, bands: tuple[int, int, int]
) -> None:
    answer = await api.put(SEVERITY, json=dict(zip(("low_max", "medium_max", "high_max"), bands, strict=True)))
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "low_max < medium_max < high_max" in answer.json()["detail"]
    assert (await api.get(SEVERITY)).json()["thresholds"] == {"low_max": 29, "medium_max": 59, "high_max": 84}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"low_max": 0}, "low_max"),
        ({"low_max": 99}, "low_max"),
        ({"medium_max": 1}, "medium_max"),
        ({"medium_max": 100}, "medium_max"),
        ({"high_max": 2}, "high_max"),
        ({"high_max": 100}, "high_max"),
        ({"high_max": 84.5}, "high_max"),
        ({"high_max": "84"}, "high_max"),
        ({"high_max": True}, "high_max"),
        ({"high_max": None}, "high_max"),
        ({"critical_max": 100}, "critical_max"),
    ],
)
async def test_a_threshold_that_cannot_be_is_422(api: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    answer = await api.put(SEVERITY, json={"low_max": 29, "medium_max": 59, "high_max": 84} | change)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize("missing", ["low_max", "medium_max", "high_max"])
async def test_all_three_are_required(api: httpx.AsyncClient, missing: str) -> None:
    body = {"low_max": 29, "medium_max": 59, "high_max": 84}
    del body[missing]
    answer = await api.put(SEVERITY, json=body)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [missing])


async def test_stored_events_keep_their_level(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.camera()
    event = await rows.event(risk_score=70, risk_level="high")
    await api.put(SEVERITY, json={"low_max": 80, "medium_max": 85, "high_max": 90})
    assert (await api.get(f"/api/events/{event}")).json()["risk_level"] == "high"
