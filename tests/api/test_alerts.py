"""/api/alerts"""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx
import pytest

from deployments.api.deps import Services
from schemas.frame import LiveChannel
from tests.storage.rows import NOON, Rows


@pytest.fixture
async def event_id(rows: Rows) -> int:
    await rows.camera()
    return int(await rows.event())


async def test_an_alert_is_answered_with_every_field(api: httpx.AsyncClient, rows: Rows, event_id: int) -> None:
    rule_id = await rows.rule()
    alert_id = await rows.alert(event_id, rule_id, created_at=NOON)
    assert (await api.get(f"/api/alerts/{alert_id}")).json() == {
        "id": str(alert_id),
        "event_id": event_id,
        "rule_id": str(rule_id),
        "severity": "high",
        "status": "pending",
        "dedup_key": "front_door:rule",
        "channels": ["email"],
        "created_at": "2025-12-23T12:00:00Z",
        "delivered_at": None,
        "acknowledged_at": None,
        "dismissed_at": None,
        "metadata": {"rule_name": "A rule", "matched_conditions": {}},
    }


async def test_alerts_are_filtered_and_paged(api: httpx.AsyncClient, rows: Rows, event_id: int) -> None:
    made = [await rows.alert(event_id, created_at=NOON) for _ in range(5)]
    other = await rows.alert(event_id, status="dismissed", severity="low")
    assert [a["id"] for a in (await api.get("/api/alerts?status=dismissed")).json()["alerts"]] == [str(other)]
    assert (await api.get("/api/alerts", params={"camera_id": "garden"})).json()["count"] == 0
    seen: list[str] = []
    query = {"limit": "2", "status": "pending"}
    while True:
        page = (await api.get("/api/alerts", params=query)).json()
        seen += [alert["id"] for alert in page["alerts"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert Counter(seen) == Counter(str(alert) for alert in made)


async def test_deliveries_say_what_became_of_them(api: httpx.AsyncClient, rows: Rows, event_id: int) -> None:
    alert_id = await rows.alert(event_id)
    await rows.delivery(alert_id, status="delivered", attempts=2, receipt="250 Ok", queued_at=NOON, delivered_at=NOON)
    await rows.delivery(alert_id, channel="webhook", status="dead", attempts=3, error="502 Bad Gateway")
    body = (await api.get(f"/api/alerts/{alert_id}/deliveries")).json()
    assert body["count"] == 2
    assert {key: body["deliveries"][0][key] for key in ("channel", "recipient", "status", "attempts", "receipt")} == {
        "channel": "email",
        "recipient": "me@example.com",
        "status": "delivered",
        "attempts": 2,
        "receipt": "250 Ok",
    }
    assert body["deliveries"][0]["delivered_at"] == "2025-12-23T12:00:00Z"
    assert body["deliveries"][1]["error"] == "502 Bad Gateway"


async def test_an_alert_goes_its_way_and_tells(
    api: httpx.AsyncClient, rows: Rows, event_id: int, services: Services
) -> None:
    alert_id = await rows.alert(event_id)
    acknowledged = await api.post(f"/api/alerts/{alert_id}/acknowledge")
    assert (acknowledged.status_code, acknowledged.json()["status"]) == (200, "acknowledged")
    assert acknowledged.json()["acknowledged_at"].endswith("Z")
    dismissed = await api.post(f"/api/alerts/{alert_id}/dismiss", json={"reason": "a cat"})
    assert (dismissed.json()["status"], dismissed.json()["metadata"]["dismissed_because"]) == ("dismissed", "a cat")
    frames, _ = await services.bus.replay(LiveChannel.ALERTS, 0)
    assert [frame.type for frame in frames] == [
        "alert.updated",
        "alert.acknowledged",
        "alert.updated",
        "alert.dismissed",
        "alert.resolved",
    ]


async def test_a_wrong_step_is_a_conflict(api: httpx.AsyncClient, rows: Rows, event_id: int) -> None:
    alert_id = await rows.alert(event_id, status="dismissed")
    for step in ("acknowledge", "dismiss"):
        answer = await api.post(f"/api/alerts/{alert_id}/{step}")
        assert answer.status_code == 409
        assert answer.json()["detail"].startswith("an alert that is dismissed cannot be ")


@pytest.mark.parametrize("step", ["acknowledge", "dismiss"])
async def test_of_fifty_at_once_one_succeeds(api: httpx.AsyncClient, rows: Rows, event_id: int, step: str) -> None:
    alert_id = await rows.alert(event_id)
    answers = await asyncio.gather(*(api.post(f"/api/alerts/{alert_id}/{step}") for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}


async def test_an_acknowledgement_and_a_dismissal_at_once_end_dismissed(
    api: httpx.AsyncClient, rows: Rows, event_id: int
) -> None:
    alert_id = await rows.alert(event_id)
    answers = await asyncio.gather(
        *(api.post(f"/api/alerts/{alert_id}/{step}") for step in ("acknowledge", "dismiss") * 10)
    )
    assert Counter(answer.status_code for answer in answers)[200] in (1, 2)
    assert (await api.get(f"/api/alerts/{alert_id}")).json()["status"] == "dismissed"


async def test_what_does_not_exist_is_404(api: httpx.AsyncClient) -> None:
    nobody = uuid4()
    for method, path in (("GET", ""), ("GET", "/deliveries"), ("POST", "/acknowledge"), ("POST", "/dismiss")):
        answer = await api.request(method, f"/api/alerts/{nobody}{path}")
        assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no alert {nobody}")


@pytest.mark.parametrize("body", [{"reason": "x" * 501}, {"reason": "a\x00b"}, {"because": "x"}, "text"])
async def test_a_reason_that_cannot_be_kept_is_refused(
    api: httpx.AsyncClient, rows: Rows, event_id: int, body: object
) -> None:
    alert_id = await rows.alert(event_id)
    assert (await api.post(f"/api/alerts/{alert_id}/dismiss", json=body)).status_code == 422
    assert (await api.get(f"/api/alerts/{alert_id}")).json()["status"] == "pending"
