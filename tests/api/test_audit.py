"""/api/audit"""

from typing import Any

import httpx
import pytest

AUDIT = "/api/audit"


async def _changed(api: httpx.AsyncClient, *days: int) -> None:
    for count in days:
        assert (await api.patch("/api/system/config", json={"retention_days": count})).status_code == 200


async def _logs(api: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await api.get(AUDIT, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["logs"]
    return found


def _new(entry: dict[str, Any]) -> Any:
    return entry["details"]["changes"]["retention_days"]["new"]


async def test_an_empty_trail_is_an_empty_page(api: httpx.AsyncClient) -> None:
    assert (await api.get(AUDIT)).json() == {"logs": [], "count": 0, "limit": 50, "offset": 0, "next_cursor": None}


async def test_an_entry_has_every_documented_field(api: httpx.AsyncClient) -> None:
    await _changed(api, 14)
    (entry,) = await _logs(api)
    assert set(entry) == {
        "id",
        "timestamp",
        "action",
        "resource_type",
        "resource_id",
        "actor",
        "ip_address",
        "details",
        "status",
    }
    assert entry["timestamp"].endswith("Z")
    answer = await api.get(f"{AUDIT}/{entry['id']}")
    assert (answer.status_code, answer.json()) == (200, entry)


async def test_entries_come_newest_first_page_by_page(api: httpx.AsyncClient) -> None:
    await _changed(api, 1, 2, 3, 4, 5)
    first = (await api.get(AUDIT, params={"limit": 2})).json()
    await _changed(api, 6)
    second = (await api.get(AUDIT, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert [_new(entry) for entry in first["logs"] + second["logs"]] == [5, 4, 3, 2]
    assert [_new(entry) for entry in await _logs(api, limit=1, offset=1)] == [5]


async def test_filters_that_are_set_must_all_hold(api: httpx.AsyncClient) -> None:
    await _changed(api, 1, 2)
    await api.patch("/api/system/anomaly-config", json={"min_samples": 5})
    assert len(await _logs(api, action="settings_changed")) == 2
    assert len(await _logs(api, resource_type="anomaly_config", actor="local", status="success")) == 1
    assert await _logs(api, actor="somebody") == []
    assert await _logs(api, status="failure") == []
    newest, middle, oldest = await _logs(api)
    assert await _logs(api, start_date=middle["timestamp"]) == [newest, middle]
    assert await _logs(api, end_date=oldest["timestamp"]) == [oldest]


@pytest.mark.parametrize(
    "query",
    [
        {"action": "made_coffee"},
        {"status": "maybe"},
        {"limit": 0},
        {"limit": 1001},
        {"cursor": "x"},
        {"start_date": "soon"},
        {"who": "me"},
        {"actor": "x" * 201},
        {"resource_id": "a\x00b"},
    ],
)
async def test_a_query_that_cannot_be_is_refused(api: httpx.AsyncClient, query: dict[str, Any]) -> None:
    assert (await api.get(AUDIT, params=query)).status_code == 422


@pytest.mark.parametrize(("entry", "status"), [("4711", 404), ("0", 422), ("x", 422), (str(2**63), 422)])
async def test_an_entry_that_is_not_there_is_told_as_such(api: httpx.AsyncClient, entry: str, status: int) -> None:
    assert (await api.get(f"{AUDIT}/{entry}")).status_code == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nobody_changes_the_trail(api: httpx.AsyncClient, method: str) -> None:
    assert (await api.request(method, AUDIT)).status_code == 405
    assert (await api.request(method, f"{AUDIT}/1")).status_code == 405
