"""The event's own transaction: batch, event, alerts and outbox rows together or not at all."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.dedup import PastAlert, in_cooldown, last_relevant
from schemas.alert_rule import AlertRule, AlertRuleCreate, Channel
from schemas.batch import ClaimedBatch
from schemas.delivery import DeliveryStatus, NewDelivery
from schemas.detection import Detection
from schemas.media import MediaType
from schemas.severity import Severity
from storage.alert_rules import AlertRules
from storage.assessments import Assessments, EventTransaction
from storage.batches import Batches
from storage.errors import Conflict, LeaseLost
from storage.postgres import Pool
from storage.whys import storable
from tests.eventually import eventually
from tests.storage.pieces import A_WHY, LEASE, TRIES, assessment, box, evidence, expire_leases
from tests.storage.rows import NOON, Rows

EMAIL = NewDelivery(channel=Channel.EMAIL, recipient="me@example.com")
MUTED = NewDelivery(channel=Channel.PUSH, recipient="phone", suppressed_because="quiet hours")


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    await made.camera()
    return made


async def claimed_batch(rows: Rows, owner: str = "worker") -> ClaimedBatch:
    await rows.batch(state="closed", closed_at=NOON)
    (batch,) = await Batches(rows.pool).claim(owner, 1, LEASE, TRIES)
    return batch


async def a_rule(pool: Pool, **values: Any) -> AlertRule:
    given = {"name": "Any rule", "severity": "high", "channels": ["email"]}
    return await AlertRules(pool).create(AlertRuleCreate.model_validate(given | values))


async def store(transaction: EventTransaction, batch: ClaimedBatch, *types: str) -> int:
    detections = tuple(a_detection(name) for name in types)
    facts = evidence(batch, detections=detections)
    return await transaction.store_event(facts, assessment(), Severity.HIGH, A_WHY)


def a_detection(object_type: str) -> Detection:
    return Detection(
        id=1,
        camera_id="front_door",
        file_path="/a.jpg",
        media_type=MediaType.IMAGE,
        detected_at=NOON,
        object_type=object_type,
        confidence=0.9,
        bbox=box(),
        batch_id=None,
        event_id=None,
    )


async def raise_one(
    transaction: EventTransaction, event_id: int, rule: AlertRule, *deliveries: NewDelivery, at: datetime = NOON
) -> UUID:
    metadata = {"rule_name": rule.name, "matched_conditions": {"risk_threshold": "70 >= 50"}}
    return await transaction.raise_alert(event_id, rule, "the key", metadata, "A person", deliveries, at)


async def counts(pool: Pool) -> dict[str, int]:
    return {name: await pool.fetchval(f"SELECT count(*) FROM {name}") for name in ("events", "alerts", "deliveries")}


async def test_the_event_and_its_batchs_last_step_are_one(rows: Rows) -> None:
    batch = await claimed_batch(rows)
    async with Assessments(rows.pool).begin(batch) as transaction:
        event_id = await store(transaction, batch, "person", "dog", "person")
    event = await rows.pool.fetchrow("SELECT * FROM events")
    assert event is not None
    assert (event["id"], str(event["batch_id"]), event["camera_id"]) == (event_id, batch.id, "front_door")
    assert (event["risk_score"], event["risk_level"], event["assessment"]) == (70, "high", "final")
    assert (event["object_types"], event["detection_count"], event["why"]) == (["dog", "person"], 3, storable(A_WHY))
    row = await rows.pool.fetchrow("SELECT state, lease, reason FROM batches")
    assert row is not None
    assert tuple(row) == ("assessed", None, None)


async def test_an_event_is_told_under_its_name_and_its_old_one(rows: Rows) -> None:
    batch = await claimed_batch(rows)
    async with Assessments(rows.pool).begin(batch) as transaction:
        event_id = await store(transaction, batch)
    assert [frame.type for frame in transaction.news] == ["event.created", "event"]
    assert transaction.news[0].data == {
        "id": event_id,
        "batch_id": batch.id,
        "camera_id": "front_door",
        "risk_score": 70,
        "risk_level": "high",
        "summary": "A person at the door",
        "reasoning": "because of the hour",
        "started_at": "2025-12-23T12:00:00Z",
        "assessment": "final",
    }


async def test_a_batch_has_one_event_whoever_tries_twice(rows: Rows) -> None:
    batch = await claimed_batch(rows)
    async with Assessments(rows.pool).begin(batch) as transaction:
        await store(transaction, batch)

    async def again() -> None:
        async with Assessments(rows.pool).begin(again_claimed) as transaction:
            await store(transaction, again_claimed)

    await rows.pool.execute("UPDATE batches SET state = 'closed', claimable_at = now()")
    (again_claimed,) = await Batches(rows.pool).claim("another", 1, LEASE, TRIES)
    with pytest.raises(Conflict):
        await again()
    assert (await counts(rows.pool))["events"] == 1


async def test_a_lost_lease_stores_nothing(rows: Rows) -> None:
    old = await claimed_batch(rows)
    await expire_leases(rows.pool, "batches")
    (new,) = await Batches(rows.pool).claim("another", 1, LEASE, TRIES)

    async def try_to_store(batch: ClaimedBatch) -> None:
        async with Assessments(rows.pool).begin(batch) as transaction:
            await store(transaction, batch)

    with pytest.raises(LeaseLost, match=old.id):
        await try_to_store(old)
    assert (await counts(rows.pool))["events"] == 0
    await try_to_store(new)
    with pytest.raises(LeaseLost):
        await try_to_store(new)
    assert (await counts(rows.pool))["events"] == 1


async def test_an_alert_and_its_deliveries_are_written_with_the_event(rows: Rows) -> None:
    rule = await a_rule(rows.pool)
    batch = await claimed_batch(rows)
    async with Assessments(rows.pool).begin(batch) as transaction:
        event_id = await store(transaction, batch)
        alert_id = await raise_one(transaction, event_id, rule, EMAIL, MUTED)
    alert = await rows.pool.fetchrow("SELECT * FROM alerts")
    assert alert is not None
    assert (alert["id"], alert["event_id"], alert["rule_id"]) == (alert_id, event_id, rule.id)
    assert (alert["status"], alert["dedup_key"], alert["created_at"]) == ("pending", "the key", NOON)
    assert alert["metadata"]["rule_name"] == "Any rule"
    found = await rows.pool.fetch("SELECT channel, recipient, status, suppressed_because FROM deliveries ORDER BY 1")
    assert [tuple(row) for row in found] == [
        ("email", "me@example.com", "queued", None),
        ("push", "phone", "suppressed", "quiet hours"),
    ]


async def test_an_alert_is_told(rows: Rows) -> None:
    rule = await a_rule(rows.pool)
    batch = await claimed_batch(rows)
    async with Assessments(rows.pool).begin(batch) as transaction:
        event_id = await store(transaction, batch)
        alert_id = await raise_one(transaction, event_id, rule, EMAIL)
    frame = transaction.news[-1]
    assert frame.type == "alert.created"
    assert frame.data == {
        "id": str(alert_id),
        "event_id": event_id,
        "rule_id": str(rule.id),
        "severity": "high",
        "status": "pending",
        "dedup_key": "the key",
        "message": "A person",
        "created_at": "2025-12-23T12:00:00Z",
    }


async def test_a_transaction_that_fails_leaves_no_event_no_alert_and_no_delivery(rows: Rows) -> None:
    rule = await a_rule(rows.pool)
    batch = await claimed_batch(rows)

    async def write_and_fail() -> None:
        async with Assessments(rows.pool).begin(batch) as transaction:
            await raise_one(transaction, await store(transaction, batch), rule, EMAIL)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    assert await counts(rows.pool) == {"events": 0, "alerts": 0, "deliveries": 0}
    row = await rows.pool.fetchrow("SELECT state, lease FROM batches")
    assert row is not None
    assert tuple(row) == ("assessing", batch.lease)


async def test_a_rule_raises_one_alert_an_event(rows: Rows) -> None:
    rule = await a_rule(rows.pool)
    batch = await claimed_batch(rows)

    async def raise_twice() -> None:
        async with Assessments(rows.pool).begin(batch) as transaction:
            event_id = await store(transaction, batch)
            for _ in range(2):
                await raise_one(transaction, event_id, rule)

    with pytest.raises(Conflict):
        await raise_twice()
    assert await counts(rows.pool) == {"events": 0, "alerts": 0, "deliveries": 0}


@asynccontextmanager
async def event_transaction(rows: Rows) -> AsyncIterator[EventTransaction]:
    async with Assessments(rows.pool).begin(await claimed_batch(rows, str(uuid4()))) as transaction:
        yield transaction


async def test_enabled_rules_come_as_they_were_made(rows: Rows) -> None:
    schedule = {"days": ["fri"], "start_time": "22:00", "end_time": "06:00", "timezone": "Europe/Berlin"}
    zones = [{"camera_id": "front_door", "polygon": [[0, 0], [1, 0], [1, 1]]}]
    rule = await a_rule(rows.pool, schedule=schedule, zones=zones, object_types=["person"], cooldown_seconds=0)
    await a_rule(rows.pool, enabled=False)
    async with event_transaction(rows) as transaction:
        assert await transaction.enabled_rules() == [rule]


async def test_a_rule_that_no_longer_makes_sense_is_left_out_and_the_others_work(
    rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    good = await a_rule(rows.pool)
    bad = await rows.rule(name="Abolished zone", schedule={"timezone": "Europe/Atlantis"})
    with caplog.at_level(logging.ERROR):
        async with event_transaction(rows) as transaction:
            assert await transaction.enabled_rules() == [good]
    assert str(bad) in caplog.text
    assert "Europe/Atlantis" in caplog.text


async def test_the_notification_policy_is_what_the_tables_say(rows: Rows) -> None:
    await rows.pool.execute("UPDATE notification_preferences SET sound = 'chime', risk_filters = '{critical}'")
    await rows.pool.execute(
        "INSERT INTO camera_notification_settings (camera_id, risk_threshold) VALUES ($1, 40)", "front_door"
    )
    await rows.pool.execute(
        "INSERT INTO quiet_hours (label, start_time, end_time, days) VALUES ('night', '22:00', '06:00', '{fri}')"
    )
    async with event_transaction(rows) as transaction:
        policy = await transaction.notification_policy("Europe/Berlin")
    assert (policy.timezone, policy.preferences.sound) == ("Europe/Berlin", "chime")
    assert policy.preferences.risk_filters == (Severity.CRITICAL,)
    assert policy.cameras["front_door"].risk_threshold == 40
    assert [(one.label, one.start_time, one.days) for one in policy.quiet_hours] == [("night", "22:00", ("fri",))]


async def test_on_a_fresh_system_the_policy_is_the_default(rows: Rows) -> None:
    async with event_transaction(rows) as transaction:
        policy = await transaction.notification_policy("UTC")
    assert policy.preferences.enabled
    assert policy.preferences.risk_filters == (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
    assert (policy.cameras, policy.quiet_hours) == ({}, ())


async def test_past_alerts_are_those_of_the_key_since_then_with_what_became_of_them(rows: Rows) -> None:
    old = await rows.alert(await rows.event(), dedup_key="k", created_at=NOON - timedelta(seconds=300))
    sent = await rows.alert(await rows.event(), dedup_key="k", created_at=NOON, severity="low")
    await rows.alert(await rows.event(), dedup_key="other", created_at=NOON)
    await rows.delivery(old)
    await rows.delivery(sent, status="delivered")
    await rows.delivery(sent, channel="push", status="suppressed")
    async with event_transaction(rows) as transaction:
        past = await transaction.past_alerts("k", NOON - timedelta(seconds=300))
        none = await transaction.past_alerts("k'; --", NOON)
    assert none == []
    (found,) = past
    assert (found.created_at, found.severity) == (NOON, Severity.LOW)
    assert sorted(found.deliveries) == [DeliveryStatus.DELIVERED, DeliveryStatus.SUPPRESSED]


async def test_an_alert_without_deliveries_is_past_too(rows: Rows) -> None:
    await rows.alert(await rows.event(), dedup_key="k", created_at=NOON)
    async with event_transaction(rows) as transaction:
        past = await transaction.past_alerts("k", NOON - timedelta(seconds=1))
    assert past == [PastAlert(NOON, Severity.HIGH, ())]


async def test_two_events_at_once_inside_a_cooldown_make_one_alert(rows: Rows) -> None:
    """Both have looked at the rules before either has decided; the key's lock makes one wait for the other."""
    rule = await a_rule(rows.pool)
    batches = [await claimed_batch(rows, f"worker_{n}") for n in range(6)]
    all_began = asyncio.Barrier(len(batches))

    async def assess(batch: ClaimedBatch) -> None:
        async with Assessments(rows.pool).begin(batch) as transaction:
            event_id = await store(transaction, batch)
            await all_began.wait()
            await transaction.lock_dedup_keys(["the key"])
            past = await transaction.past_alerts("the key", NOON - timedelta(seconds=300))
            if not in_cooldown(last_relevant(past, rule.severity), 300, NOON):
                await raise_one(transaction, event_id, rule, EMAIL)

    await asyncio.gather(*(assess(batch) for batch in batches))
    assert await counts(rows.pool) == {"events": 6, "alerts": 1, "deliveries": 1}


async def test_events_that_lock_the_same_keys_in_another_order_do_not_deadlock(rows: Rows) -> None:
    batches = [await claimed_batch(rows, f"worker_{n}") for n in range(6)]
    all_began = asyncio.Barrier(len(batches))

    async def assess(batch: ClaimedBatch, keys: list[str]) -> None:
        async with Assessments(rows.pool).begin(batch) as transaction:
            await all_began.wait()
            await transaction.lock_dedup_keys(keys)
            await store(transaction, batch)

    await asyncio.gather(*(assess(b, ["a", "b", "c"] if n % 2 else ["c", "b", "a"]) for n, b in enumerate(batches)))
    assert (await counts(rows.pool))["events"] == 6


async def test_the_lock_ends_with_the_transaction(rows: Rows) -> None:
    first, second = [await claimed_batch(rows, f"worker_{n}") for n in range(2)]
    decided = asyncio.Event()

    async def lock_after(batch: ClaimedBatch) -> None:
        async with Assessments(rows.pool).begin(batch) as transaction:
            await transaction.lock_dedup_keys(["a"])
            decided.set()

    async with Assessments(rows.pool).begin(first) as transaction:
        await transaction.lock_dedup_keys(["a"])
        waiting = asyncio.create_task(lock_after(second))
        await eventually(lambda: _somebody_waits(rows.pool))
        assert not decided.is_set()
    await waiting
    assert decided.is_set()


async def _somebody_waits(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
