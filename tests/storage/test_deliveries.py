"""The outbox: claimed, receipted, retried, buried; and what a message is made from."""

import asyncio
import os
from typing import Any
from uuid import UUID, uuid4

import pytest

from schemas.alert_rule import Channel
from schemas.delivery import ClaimedDelivery
from schemas.media import MediaType
from storage.deliveries import Deliveries
from storage.errors import NotFound
from storage.postgres import Pool
from tests.storage.pieces import LEASE, expire_leases, later, make_claimable
from tests.storage.rows import NOON, Rows

TRIES = 3


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    await made.camera(name="The front door")
    return made


@pytest.fixture
def deliveries(database: Pool) -> Deliveries:
    return Deliveries(database)


async def claim(
    deliveries: Deliveries, limit: int = 100, owner: str = "dispatcher", channel: Channel = Channel.EMAIL
) -> list[ClaimedDelivery]:
    return await deliveries.claim(owner, channel, limit, LEASE, TRIES)


async def row(pool: Pool, table: str, row_id: UUID) -> dict[str, Any]:
    return dict(await pool.fetchrow(f"SELECT * FROM {table} WHERE id = $1", row_id) or {})


async def test_what_is_queued_is_claimed_with_its_key(rows: Rows, deliveries: Deliveries) -> None:
    alert_id = await rows.alert(await rows.event())
    delivery_id = await rows.delivery(alert_id, channel="webhook", recipient="https://hook.example")
    assert await claim(deliveries, channel=Channel.EMAIL) == []
    (delivery,) = await claim(deliveries, channel=Channel.WEBHOOK)
    assert (delivery.id, delivery.alert_id, delivery.attempts) == (delivery_id, alert_id, 1)
    assert (delivery.channel, delivery.recipient) == ("webhook", "https://hook.example")
    assert delivery.idempotency_key == str(delivery_id)


async def test_the_key_is_the_same_in_every_try(rows: Rows, deliveries: Deliveries) -> None:
    await rows.delivery(await rows.alert(await rows.event()))
    (first,) = await claim(deliveries)
    await expire_leases(rows.pool, "deliveries")
    (second,) = await claim(deliveries)
    assert (first.idempotency_key, first.lease) != (second.idempotency_key, second.lease)
    assert first.idempotency_key == second.idempotency_key


async def test_the_same_alert_goes_to_the_same_recipient_once(rows: Rows) -> None:
    alert_id = await rows.alert(await rows.event())
    await rows.delivery(alert_id)
    with pytest.raises(Exception, match="deliveries_once"):
        await rows.delivery(alert_id)


@pytest.mark.parametrize("status", ["suppressed", "delivered", "dead"])
async def test_what_is_settled_is_not_claimed(rows: Rows, deliveries: Deliveries, status: str) -> None:
    await rows.delivery(await rows.alert(await rows.event()), status=status)
    assert await claim(deliveries) == []


async def test_dispatchers_at_once_share_the_outbox_without_overlap(rows: Rows, deliveries: Deliveries) -> None:
    alert_id = await rows.alert(await rows.event())
    for number in range(24):
        await rows.delivery(alert_id, recipient=str(number))
    claims = await asyncio.gather(*(claim(deliveries, 4, f"dispatcher_{n}") for n in range(8)))
    ids = [one.id for some in claims for one in some] + [one.id for one in await claim(deliveries)]
    assert len(ids) == len(set(ids)) == 24


async def test_a_receipt_makes_the_delivery_and_its_alert_delivered(rows: Rows, deliveries: Deliveries) -> None:
    alert_id = await rows.alert(await rows.event())
    delivery_id = await rows.delivery(alert_id, error="the try before failed")
    (delivery,) = await claim(deliveries)
    (frame,) = await deliveries.delivered(delivery, "250 OK", later(5))
    stored = await row(rows.pool, "deliveries", delivery_id)
    assert (stored["status"], stored["receipt"], stored["delivered_at"]) == ("delivered", "250 OK", later(5))
    assert (stored["error"], stored["lease"]) == (None, None)
    alert = await row(rows.pool, "alerts", alert_id)
    assert (alert["status"], alert["delivered_at"]) == ("delivered", later(5))
    assert (frame.type, frame.data["status"], frame.data["id"]) == ("alert.updated", "delivered", str(alert_id))
    assert set(frame.data) == {"id", "event_id", "rule_id", "severity", "status", "updated_at"}


async def test_the_first_delivery_of_an_alert_counts_and_the_others_do_not_tell_again(
    rows: Rows, deliveries: Deliveries
) -> None:
    alert_id = await rows.alert(await rows.event())
    for recipient in ("a", "b"):
        await rows.delivery(alert_id, recipient=recipient)
    first, second = await claim(deliveries)
    assert len(await deliveries.delivered(first, "ok", later(1))) == 1
    assert await deliveries.delivered(second, "ok", later(2)) == []
    assert (await row(rows.pool, "alerts", alert_id))["delivered_at"] == later(1)
    assert (await row(rows.pool, "deliveries", second.id))["status"] == "delivered"


async def test_two_first_deliveries_at_once_tell_once(rows: Rows, deliveries: Deliveries) -> None:
    alert_id = await rows.alert(await rows.event())
    for number in range(6):
        await rows.delivery(alert_id, recipient=str(number))
    claimed = await claim(deliveries)
    news = await asyncio.gather(*(deliveries.delivered(one, "ok", NOON) for one in claimed))
    assert sorted(len(frames) for frames in news) == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("status", ["acknowledged", "dismissed"])
async def test_an_alert_that_a_person_took_on_stays_where_the_person_put_it(
    rows: Rows, deliveries: Deliveries, status: str
) -> None:
    alert_id = await rows.alert(await rows.event(), status=status)
    await rows.delivery(alert_id)
    (delivery,) = await claim(deliveries)
    assert await deliveries.delivered(delivery, "250 OK", later(5)) == []
    alert = await row(rows.pool, "alerts", alert_id)
    assert (alert["status"], alert["delivered_at"]) == (status, None)
    assert (await row(rows.pool, "deliveries", delivery.id))["status"] == "delivered"


async def test_a_receipt_under_a_lost_lease_changes_nothing(rows: Rows, deliveries: Deliveries) -> None:
    alert_id = await rows.alert(await rows.event())
    await rows.delivery(alert_id)
    (old,) = await claim(deliveries)
    await expire_leases(rows.pool, "deliveries")
    await claim(deliveries)
    assert await deliveries.delivered(old, "too late", NOON) == []
    assert (await row(rows.pool, "deliveries", old.id))["status"] == "sending"
    assert (await row(rows.pool, "alerts", alert_id))["status"] == "pending"


async def test_a_failed_try_waits_and_keeps_its_error(rows: Rows, deliveries: Deliveries) -> None:
    await rows.delivery(await rows.alert(await rows.event()))
    (delivery,) = await claim(deliveries)
    await deliveries.fail(delivery, "451 try again later", 30.0)
    stored = await row(rows.pool, "deliveries", delivery.id)
    assert (stored["status"], stored["error"], stored["attempts"]) == ("queued", "451 try again later", 1)
    assert await claim(deliveries) == []
    await make_claimable(rows.pool, "deliveries")
    assert [again.attempts for again in await claim(deliveries)] == [2]


async def test_a_delivery_that_cannot_be_sent_is_dead_and_its_alert_stays_pending(
    rows: Rows, deliveries: Deliveries
) -> None:
    alert_id = await rows.alert(await rows.event())
    await rows.delivery(alert_id)
    (delivery,) = await claim(deliveries)
    await deliveries.fail(delivery, "550 no such user\x00", None)
    stored = await row(rows.pool, "deliveries", delivery.id)
    assert (stored["status"], stored["error"]) == ("dead", "550 no such user")
    assert (await row(rows.pool, "alerts", alert_id))["status"] == "pending"


async def test_deliveries_whose_sender_died_each_time_are_buried(rows: Rows, deliveries: Deliveries) -> None:
    delivery_id = await rows.delivery(await rows.alert(await rows.event()))
    for _ in range(TRIES):
        await claim(deliveries)
        assert await deliveries.release("dispatcher") == 1
    assert await deliveries.bury_exhausted(TRIES) == 1
    stored = await row(rows.pool, "deliveries", delivery_id)
    assert (stored["status"], stored["error"]) == ("dead", "3 tries ended without an answer")


async def test_a_message_is_made_from_the_alert_its_event_and_its_camera(rows: Rows, deliveries: Deliveries) -> None:
    rule_id = await rows.rule(name="Somebody")
    event_id = await rows.event(summary='A "person"\nat the door', object_types=["person", "dog"])
    alert_id = await rows.alert(event_id, rule_id, metadata={"rule_name": "Somebody", "matched_conditions": {"a": "b"}})
    context = await deliveries.context(alert_id)
    assert (context.alert.id, context.alert.rule_id, context.event.id) == (alert_id, rule_id, event_id)
    assert context.alert.metadata == {"rule_name": "Somebody", "matched_conditions": {"a": "b"}}
    assert (context.event.summary, context.event.started_at) == ('A "person"\nat the door', NOON)
    assert (context.event.object_types, context.camera_name) == (("person", "dog"), "The front door")
    assert context.picture is None


async def test_the_picture_is_the_frame_with_the_surest_person(rows: Rows, deliveries: Deliveries) -> None:
    batch = await rows.batch()
    name = b"/srv/cameras/front_door/caf\xe9.mp4"
    clip, picture = await rows.media(path=name, media_type="video"), await rows.media()
    await rows.detection(batch, picture, object_type="car", confidence=0.99)
    await rows.detection(batch, picture, confidence=0.5)
    await rows.detection(batch, clip, confidence=0.75, frame_offset_seconds=4.0)
    await rows.detection(batch, clip, object_type="dog", confidence=0.25, frame_offset_seconds=4.0, x=7.0)
    await rows.detection(batch, clip, confidence=0.5, frame_offset_seconds=8.0)
    context = await deliveries.context(await rows.alert(await rows.event(batch_id=batch)))
    shown = context.picture
    assert shown is not None
    assert (shown.path, shown.media_type, shown.frame_offset_seconds) == (os.fsdecode(name), MediaType.VIDEO, 4.0)
    assert [(one.object_type, one.confidence, one.bbox.x) for one in shown.objects] == [
        ("person", 0.75, 100.0),
        ("dog", 0.25, 7.0),
    ]


async def test_without_a_person_the_surest_detection_is_shown(rows: Rows, deliveries: Deliveries) -> None:
    batch = await rows.batch()
    first, second = await rows.media(path=b"/first.jpg"), await rows.media(path=b"/second.jpg")
    await rows.detection(batch, first, object_type="cat", confidence=0.5)
    await rows.detection(batch, second, object_type="dog", confidence=0.75)
    context = await deliveries.context(await rows.alert(await rows.event(batch_id=batch)))
    assert context.picture is not None
    assert context.picture.path == "/second.jpg"


async def test_an_alert_whose_rule_was_deleted_is_still_a_message(rows: Rows, deliveries: Deliveries) -> None:
    alert_id = await rows.alert(await rows.event())
    await rows.pool.execute("DELETE FROM alert_rules")
    assert (await deliveries.context(alert_id)).alert.rule_id is None


async def test_an_alert_that_is_gone_is_not_found(deliveries: Deliveries) -> None:
    with pytest.raises(NotFound):
        await deliveries.context(uuid4())
