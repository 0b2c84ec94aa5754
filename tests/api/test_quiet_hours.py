"""/api/notification-preferences/quiet-hours"""

from typing import Any

import httpx
import pytest

QUIET = "/api/notification-preferences/quiet-hours"
WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DOCUMENTED: dict[str, Any] = {
    "label": "Night Hours",
    "start_time": "22:00:00",
    "end_time": "23:59:00",
    "days": WEEK,
}


async def _made(api: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await api.post(QUIET, json=DOCUMENTED | fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_the_documented_period_is_made_and_listed(api: httpx.AsyncClient) -> None:
    assert (await api.get(QUIET)).json() == {"periods": [], "count": 0}
    made = await _made(api)
    assert made == {"id": made["id"]} | DOCUMENTED
    assert (await api.get(QUIET)).json() == {"periods": [made], "count": 1}


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        (["mon"], ["monday"]),
        (["Monday", "MON", "mon"], ["monday"]),
        (["SUN", "Sat", "wednesday"], ["wednesday", "saturday", "sunday"]),
        ([], WEEK),
        (None, WEEK),
    ],
)
async def test_days_are_taken_short_and_full_in_any_case_and_answered_in_full(
    api: httpx.AsyncClient, given: list[str] | None, answered: list[str]
) -> None:
    assert (await _made(api, days=given))["days"] == answered


async def test_without_days_a_period_is_every_days(api: httpx.AsyncClient) -> None:
    body = {field: value for field, value in DOCUMENTED.items() if field != "days"}
    assert (await api.post(QUIET, json=body)).json()["days"] == WEEK


@pytest.mark.parametrize(
    ("start", "end", "answered"),
    [
        ("22:00", "06:00", ("22:00:00", "06:00:00")),
        ("22:00:00", "06:00:00", ("22:00:00", "06:00:00")),
        ("00:00", "23:59", ("00:00:00", "23:59:00")),
        ("12:00:01", "12:00:02", ("12:00:01", "12:00:02")),
    ],
)
async def test_times_are_taken_with_and_without_seconds_and_answered_with_them(
    api: httpx.AsyncClient, start: str, end: str, answered: tuple[str, str]
) -> None:
    made = await _made(api, start_time=start, end_time=end)
    assert (made["start_time"], made["end_time"]) == answered


@pytest.mark.parametrize(("start", "end"), [("22:00", "22:00"), ("22:00", "22:00:00"), ("00:00:00", "00:00")])
async def test_equal_start_and_end_are_400(api: httpx.AsyncClient, start: str, end: str) -> None:
    answer = await api.post(QUIET, json=DOCUMENTED | {"start_time": start, "end_time": end})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "equal" in answer.json()["detail"]
    assert (await api.get(QUIET)).json()["count"] == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"label": ""}, "label"),
        ({"label": "x" * 101}, "label"),
        ({"label": "a\r\nBcc: everyone"}, "label"),
        ({"label": None}, "label"),
        ({"label": 7}, "label"),
        ({"start_time": "24:00"}, "start_time"),
        ({"start_time": "9:00"}, "start_time"),
        ({"start_time": "22:00:60"}, "start_time"),
        ({"start_time": "22:00Z"}, "start_time"),
        ({"start_time": "٢٢:٠٠"}, "start_time"),
        ({"start_time": 22}, "start_time"),
        ({"end_time": "soon"}, "end_time"),
        ({"end_time": None}, "end_time"),
        ({"days": ["someday"]}, "days.0"),
        ({"days": ["mon", "m"]}, "days.1"),
        ({"days": "monday"}, "days"),
        ({"days": [0]}, "days.0"),
        ({"days": ["mon"] * 101}, "days"),
        ({"timezone": "UTC"}, "timezone"),
        ({"id": 1}, "id"),
    ],
)
async def test_a_period_that_cannot_be_is_refused_by_field(
    api: httpx.AsyncClient, fields: dict[str, Any], field: str
) -> None:
    answer = await api.post(QUIET, json=DOCUMENTED | fields)
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize("text", ["\\ud800", "a\\u0000b", "\\u2028", "\\u0085"])
async def test_a_label_that_cannot_be_stored_or_shown_on_one_line_is_refused(api: httpx.AsyncClient, text: str) -> None:
    body = f'{{"label": "{text}", "start_time": "22:00", "end_time": "06:00"}}'
    answer = await api.post(QUIET, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


@pytest.mark.parametrize("missing", ["label", "start_time", "end_time"])
async def test_label_and_times_are_required(api: httpx.AsyncClient, missing: str) -> None:
    answer = await api.post(QUIET, json={k: v for k, v in DOCUMENTED.items() if k != missing})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, missing)


async def test_a_period_is_deleted_once(api: httpx.AsyncClient) -> None:
    kept, gone = await _made(api, label="Kept"), await _made(api, label="Gone")
    answer = await api.delete(f"{QUIET}/{gone['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.delete(f"{QUIET}/{gone['id']}")).status_code == 404
    assert (await api.get(QUIET)).json() == {"periods": [kept], "count": 1}


@pytest.mark.parametrize(
    ("period", "status"), [("4711", 404), (str(2**31), 404), (str(2**63 - 1), 404), ("0", 422), ("x", 422)]
)
async def test_a_period_that_is_not_there_is_told_as_such(api: httpx.AsyncClient, period: str, status: int) -> None:
    assert (await api.delete(f"{QUIET}/{period}")).status_code == status


async def test_making_and_deleting_are_audited(api: httpx.AsyncClient) -> None:
    made = await _made(api)
    await api.delete(f"{QUIET}/{made['id']}")
    deleted, added = (await api.get("/api/audit")).json()["logs"]
    assert {entry["action"] for entry in (added, deleted)} == {"settings_changed"}
    assert {entry["resource_id"] for entry in (added, deleted)} == {str(made["id"])}
    assert added["details"]["changes"]["label"] == {"old": None, "new": "Night Hours"}
    assert deleted["details"]["changes"]["label"] == {"old": "Night Hours", "new": None}


async def test_there_are_a_hundred_periods_at_most(api: httpx.AsyncClient) -> None:
    for number in range(100):
        await _made(api, label=f"Period {number}")
    answer = await api.post(QUIET, json=DOCUMENTED)
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "there are 100 quiet hours already; delete one first",
    )
