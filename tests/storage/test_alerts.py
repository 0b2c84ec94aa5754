"""Alerts: lists, deliveries, and the steps that a person takes."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.alert_status import IllegalAlertStep
from storage.alerts import AlertFilter, Alerts
from storage.errors import NotFound
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    for camera in ("front_door", "garden"):
        await made.camera(camera)
    return made


async def test_acknowledging_sets_the_time_and_tells(rows: Rows) -> None:
    event_id = await rows.event()
    alert_id = await rows.alert(event_id, status="delivered")
    changed = await Alerts(rows.pool).acknowledge(alert_id)
    assert changed.value.status == "acknowledged"
    assert changed.value.acknowledged_at is not None
    assert [frame.type for frame in changed.news] == ["alert.updated", "alert.acknowledged"]
    assert set(changed.news[0].data) == {"id", "event_id", "rule_id", "severity", "status", "updated_at"}
    assert set(changed.news[1].data) == {"id", "event_id", "acknowledged_at"}
    assert changed.news[1].data["event_id"] == event_id


async def test_dismissing_keeps_the_reason(rows: Rows) -> None:
    alert_id = await rows.alert(await rows.event())
    changed = await Alerts(rows.pool).dismiss(alert_id, "the neighbour's cat")
    assert changed.value.metadata["dismissed_because"] == "the neighbour's cat"
    assert changed.value.metadata["rule_name"] == "A rule"
    assert [frame.type for frame in changed.news] == ["alert.updated", "alert.dismissed"]
    assert changed.news[1].data["reason"] == "the neighbour's cat"


async def test_dismissing_what_was_taken_on_resolves_it(rows: Rows) -> None:
    alerts = Alerts(rows.pool)
    alert_id = await rows.alert(await rows.event())
    await alerts.acknowledge(alert_id)
    changed = await alerts.dismiss(alert_id)
    assert [frame.type for frame in changed.news] == ["alert.updated", "alert.dismissed", "alert.resolved"]
    assert set(changed.news[2].data) == {"id", "event_id", "resolved_at"}
    assert changed.value.acknowledged_at is not None


@pytest.mark.parametrize(
    ("status", "step"), [("acknowledged", "acknowledge"), ("dismissed", "acknowledge"), ("dismissed", "dismiss")]
)
async def test_a_wrong_step_changes_nothing(rows: Rows, status: str, step: str) -> None:
    alerts = Alerts(rows.pool)
    alert_id = await rows.alert(await rows.event(), status=status)
    with pytest.raises(IllegalAlertStep, match=f"an alert that is {status}"):
        await getattr(alerts, step)(alert_id)
    assert (await alerts.get(alert_id)).status == status


@pytest.mark.parametrize("step", ["acknowledge", "dismiss"])
async def test_of_fifty_at_once_one_takes_the_step(rows: Rows, step: str) -> None:
    alerts = Alerts(rows.pool)
    alert_id = await rows.alert(await rows.event())
    outcomes = await asyncio.gather(*(getattr(alerts, step)(alert_id) for _ in range(50)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, IllegalAlertStep)]
    assert len(refused) == 49


async def test_each_filter_keeps_what_it_names(rows: Rows) -> None:
    alerts = Alerts(rows.pool)
    rule = await rows.rule()
    event, other = await rows.event(), await rows.event("garden")
    first = await rows.alert(event, rule, created_at=NOON)
    second = await rows.alert(other, severity="low", status="dismissed", created_at=NOON + timedelta(hours=1))

    async def ids(**wanted: object) -> list[object]:
        return [alert.id for alert in await alerts.list(AlertFilter(**wanted))]  # type: ignore[arg-type]

    assert await ids() == [second, first]
    assert await ids(status="dismissed") == [second]
    assert await ids(severity="high") == [first]
    assert await ids(event_id=event) == [first]
    assert await ids(rule_id=rule) == [first]
    assert await ids(camera_id="garden") == [second]
    assert await ids(start_date=NOON + timedelta(minutes=1)) == [second]
    assert await ids(end_date=NOON) == [first]


async def test_pages_over_equal_times_leave_out_nothing_and_repeat_nothing(rows: Rows) -> None:
    alerts = Alerts(rows.pool)
    event = await rows.event()
    made = {await rows.alert(event, created_at=NOON) for _ in range(10)}
    seen = []
    place = None
    while page := await alerts.list(before=place, limit=3):
        seen += [alert.id for alert in page]
        place = (page[-1].created_at, page[-1].id)
    assert len(seen) == 10
    assert set(seen) == made


async def test_deliveries_come_with_receipt_or_reason(rows: Rows) -> None:
    alert_id = await rows.alert(await rows.event())
    await rows.delivery(alert_id, status="delivered", receipt="250 Ok", queued_at=NOON)
    await rows.delivery(
        alert_id,
        channel="push",
        status="suppressed",
        suppressed_because="quiet hours",
        queued_at=NOON + timedelta(seconds=1),
    )
    deliveries = await Alerts(rows.pool).deliveries(alert_id)
    assert [(d.channel, d.receipt, d.suppressed_because) for d in deliveries] == [
        ("email", "250 Ok", None),
        ("push", None, "quiet hours"),
    ]


async def test_an_alert_without_deliveries_has_none_and_no_alert_is_not_found(rows: Rows) -> None:
    alerts, nobody = Alerts(rows.pool), uuid4()
    assert await alerts.deliveries(await rows.alert(await rows.event())) == []
    for asked in (alerts.deliveries, alerts.get, alerts.acknowledge, alerts.dismiss):
        with pytest.raises(NotFound, match=f"there is no alert {nobody}"):
            await asked(nobody)
