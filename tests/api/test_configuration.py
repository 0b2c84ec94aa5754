"""/api/system/config"""

import asyncio
from typing import Any

import httpx
import pytest

from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import Settings
from storage.postgres import Pool

CONFIG = "/api/system/config"
FRESH = {
    "app_name": "Home Security Intelligence",
    "version": "0.1.0",
    "retention_days": 30,
    "batch_window_seconds": 90,
    "batch_idle_timeout_seconds": 30,
    "detection_confidence_threshold": 0.5,
}


async def entries(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Oldest first."""
    answer = await api.get("/api/audit", params={"limit": 1000})
    found: list[dict[str, Any]] = answer.json()["logs"]
    return found[::-1]


async def test_a_fresh_system_answers_the_documented_configuration(api: httpx.AsyncClient) -> None:
    answer = await api.get(CONFIG)
    assert (answer.status_code, answer.json()) == (200, FRESH)


@pytest.mark.parametrize(
    "body",
    [
        {"retention_days": 14, "detection_confidence_threshold": 0.6},
        {
            "retention_days": 14,
            "batch_window_seconds": 60,
            "batch_idle_timeout_seconds": 20,
            "detection_confidence_threshold": 0.6,
        },
        {"retention_days": 14},
    ],
)
async def test_the_documented_changes_hold_and_are_audited(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.patch(CONFIG, json=body)
    assert (answer.status_code, answer.json()) == (200, FRESH | body)
    assert (await api.get(CONFIG)).json() == FRESH | body
    (entry,) = await entries(api)
    assert entry.items() >= {"action": "settings_changed", "actor": "local", "status": "success"}.items()
    assert entry["details"] == {"changes": {field: {"old": FRESH[field], "new": new} for field, new in body.items()}}


@pytest.mark.parametrize(
    "body",
    [
        {"retention_days": 1},
        {"retention_days": 365},
        {"batch_window_seconds": 1},
        {"batch_window_seconds": 86_400},
        {"batch_idle_timeout_seconds": 1},
        {"detection_confidence_threshold": 0},
        {"detection_confidence_threshold": 1},
        {"detection_confidence_threshold": 0.0},
        {"detection_confidence_threshold": 1.0},
    ],
)
async def test_the_ends_of_every_range_belong_to_it(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.patch(CONFIG, json=body)
    assert (answer.status_code, answer.json()) == (200, FRESH | body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"retention_days": 0}', "retention_days"),
        ('{"retention_days": 366}', "retention_days"),
        ('{"retention_days": 14.5}', "retention_days"),
        ('{"retention_days": "14"}', "retention_days"),
        ('{"retention_days": true}', "retention_days"),
        ('{"retention_days": null}', "retention_days"),
        ('{"retention_days": [14]}', "retention_days"),
        ('{"batch_window_seconds": 0}', "batch_window_seconds"),
        ('{"batch_window_seconds": 86401}', "batch_window_seconds"),
        ('{"batch_window_seconds": 999999999999999999999999}', "batch_window_seconds"),
        ('{"batch_idle_timeout_seconds": 0}', "batch_idle_timeout_seconds"),
        ('{"batch_idle_timeout_seconds": 86401}', "batch_idle_timeout_seconds"),
        ('{"detection_confidence_threshold": -0.01}', "detection_confidence_threshold"),
        ('{"detection_confidence_threshold": 1.01}', "detection_confidence_threshold"),
        ('{"detection_confidence_threshold": "0.6"}', "detection_confidence_threshold"),
        ('{"detection_confidence_threshold": false}', "detection_confidence_threshold"),
        ('{"detection_confidence_threshold": NaN}', "detection_confidence_threshold"),
        ('{"detection_confidence_threshold": Infinity}', "detection_confidence_threshold"),
        ('{"detection_confidence_threshold": 1e999}', "detection_confidence_threshold"),
        ('{"app_name": "Mine"}', "app_name"),
        ('{"version": "0.2.0"}', "version"),
        ('{"severity": {"low_max": 1}}', "severity"),
        ('{"detection_classes": ["person"]}', "detection_classes"),
        ('{"colour": "red"}', "colour"),
        ("[]", "body"),
        ("null", "body"),
    ],
)
async def test_what_cannot_be_is_refused_by_field_and_changes_nothing(
    api: httpx.AsyncClient, body: str, field: str
) -> None:
    answer = await api.patch(CONFIG, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await api.get(CONFIG)).json() == FRESH
    assert await entries(api) == []


async def test_one_wrong_field_keeps_the_others_from_changing(api: httpx.AsyncClient) -> None:
    answer = await api.patch(CONFIG, json={"retention_days": 14, "batch_window_seconds": 0})
    assert answer.status_code == 422
    assert (await api.get(CONFIG)).json() == FRESH


async def test_a_null_is_told_how_to_keep_a_value(api: httpx.AsyncClient) -> None:
    answer = await api.patch(CONFIG, json={"retention_days": None})
    assert answer.json()["errors"] == [
        {"field": "retention_days", "message": "this cannot be null; leave it out to keep it as it is"}
    ]


@pytest.mark.parametrize("body", [{}, {"retention_days": 30}, {"detection_confidence_threshold": 0.5}])
async def test_what_changes_nothing_leaves_no_audit_entry(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    answer = await api.patch(CONFIG, json=body)
    assert (answer.status_code, answer.json()) == (200, FRESH)
    assert await entries(api) == []


async def test_another_replica_answers_the_change_at_once_and_so_does_a_later_life(
    api: httpx.AsyncClient, settings: Settings
) -> None:
    await api.patch(CONFIG, json={"retention_days": 14})
    another = await Services.open(settings)
    transport = httpx.ASGITransport(create_app(another))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        assert (await client.get(CONFIG)).json()["retention_days"] == 14
        await client.patch(CONFIG, json={"retention_days": 15})
    await another.close()
    assert (await api.get(CONFIG)).json()["retention_days"] == 15


async def test_fifty_changes_at_once_have_one_consistent_outcome(api: httpx.AsyncClient) -> None:
    same = [api.patch(CONFIG, json={"retention_days": 100 + n}) for n in range(25)]
    other = [api.patch(CONFIG, json={"batch_window_seconds": 100 + n}) for n in range(25)]
    answers = await asyncio.gather(*same, *other)
    assert {answer.status_code for answer in answers} == {200}
    found = await entries(api)
    assert len(found) == 50
    for field in ("retention_days", "batch_window_seconds"):
        steps = [change for entry in found for name, change in entry["details"]["changes"].items() if name == field]
        assert [step["old"] for step in steps] == [FRESH[field], *(step["new"] for step in steps[:-1])]
        assert (await api.get(CONFIG)).json()[field] == steps[-1]["new"]


async def test_the_settings_stand_where_nothing_was_changed(
    api: httpx.AsyncClient, settings: Settings, database: Pool
) -> None:
    longer = settings.model_copy(update={"retention_days": 60, "batch_window_seconds": 45})
    await api.patch(CONFIG, json={"batch_window_seconds": 20})
    restarted = await Services.open(longer)
    transport = httpx.ASGITransport(create_app(restarted))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        answer = (await client.get(CONFIG)).json()
    await restarted.close()
    assert (answer["retention_days"], answer["batch_window_seconds"]) == (60, 20)


async def test_without_a_database_it_says_when_to_try_again(api_without_stores: httpx.AsyncClient) -> None:
    for answer in (await api_without_stores.get(CONFIG), await api_without_stores.patch(CONFIG, json={})):
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
