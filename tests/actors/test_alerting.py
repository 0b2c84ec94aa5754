"""Which alerts an event raises and whom each goes to, in the event's own transaction."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from actors.alerting import NOBODY, Alerting
from domain.severity import level
from schemas.alert_rule import AlertRule, AlertRuleCreate, Channel
from schemas.assessment import Evidence
from schemas.batch import ClaimedBatch
from schemas.detection import BoundingBox, Detection
from schemas.media import MediaType
from schemas.severity import SeverityBands
from storage.alert_rules import AlertRules
from storage.assessments import Assessments
from storage.batches import Batches
from storage.postgres import Pool
from tests.storage.pieces import A_WHY, LEASE, TRIES, assessment, evidence
from tests.storage.rows import NOON, Rows

RECIPIENTS = {Channel.EMAIL: ("me@example.com", "you@example.com"), Channel.WEBHOOK: ("https://hook.example",)}


def recipients(channel: Channel) -> Sequence[str]:
    return RECIPIENTS.get(channel, ())


def why_not(channel: Channel) -> str | None:
    return None if channel in RECIPIENTS else f"{channel} is not configured: set PUSH_URLS"


class House:
    """Events that are assessed one after another or at once, at NOON plus so many seconds."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.rows = Rows(pool)
        self.alerting = Alerting("UTC", recipients, why_not)

    async def rule(self, **values: Any) -> AlertRule:
        given = {"name": "Somebody", "severity": "high", "channels": ["email"], "cooldown_seconds": 300}
        return await AlertRules(self.pool).create(AlertRuleCreate.model_validate(given | values))

    async def event(self, risk_score: int = 70, seconds: float = 0, *seen: Detection, began: Any = None) -> int:
        """Stores an event; answers how many alerts it raised."""
        batch = await self.claimed()
        return await self.assessed(
            evidence(batch, detections=seen), risk_score, NOON + timedelta(seconds=seconds), began
        )

    async def claimed(self, camera: str = "front_door") -> ClaimedBatch:
        await self.rows.batch(camera, state="closed", closed_at=NOON)
        (batch,) = await Batches(self.pool).claim(str(uuid4()), 1, LEASE, TRIES)
        return batch

    async def assessed(
        self, facts: Evidence, risk_score: int, now: datetime, began: asyncio.Barrier | None = None
    ) -> int:
        severity = level(risk_score, SeverityBands())
        scored = assessment(risk_score)
        async with Assessments(self.pool).begin(facts.batch) as transaction:
            event_id = await transaction.store_event(facts, scored, severity, A_WHY)
            if began is not None:
                await began.wait()
            return (await self.alerting.raise_alerts(transaction, event_id, facts, scored, severity, now)).count

    async def alerts(self) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.pool.fetch("SELECT * FROM alerts ORDER BY created_at, id")]

    async def deliveries(self) -> list[tuple[str, str, str, str | None]]:
        found = await self.pool.fetch(
            "SELECT channel, recipient, status, suppressed_because FROM deliveries ORDER BY channel, recipient"
        )
        return [tuple(row) for row in found]

    async def settle(self, status: str) -> None:
        """What became of every delivery so far."""
        await self.pool.execute("UPDATE deliveries SET status = $1", status)


def a_person(confidence: float = 0.9, object_type: str = "person") -> Detection:
    return Detection(
        id=1,
        camera_id="front_door",
        file_path="/a.jpg",
        media_type=MediaType.IMAGE,
        detected_at=NOON,
        object_type=object_type,
        confidence=confidence,
        bbox=BoundingBox(x=100, y=100, width=100, height=200),
        batch_id=None,
        event_id=None,
        picture_width=1280,
        picture_height=720,
    )


@pytest.fixture
async def house(database: Pool) -> House:
    await Rows(database).camera()
    return House(database)


async def test_a_rule_that_matches_raises_an_alert_that_says_why(house: House) -> None:
    rule = await house.rule(risk_threshold=60, object_types=["person"])
    assert await house.event(70, 0, a_person()) == 1
    (alert,) = await house.alerts()
    assert (alert["rule_id"], alert["severity"], alert["status"]) == (rule.id, "high", "pending")
    assert alert["dedup_key"] == f"front_door:{rule.id}"
    assert alert["metadata"] == {
        "rule_name": "Somebody",
        "matched_conditions": {"risk_threshold": "70 >= 60", "object_types": "person"},
    }


async def test_each_recipient_of_each_channel_has_a_delivery(house: House) -> None:
    await house.rule(channels=["email", "webhook", "email"])
    await house.event()
    assert await house.deliveries() == [
        ("email", "me@example.com", "queued", None),
        ("email", "you@example.com", "queued", None),
        ("webhook", "https://hook.example", "queued", None),
    ]


async def test_a_channel_that_reaches_nobody_is_told_with_the_reason(house: House) -> None:
    await house.rule(channels=["push"])
    await house.event()
    assert await house.deliveries() == [
        ("push", NOBODY, "suppressed", "push is not configured: set PUSH_URLS"),
    ]


async def test_a_rule_without_a_channel_makes_an_alert_that_is_only_shown(house: House) -> None:
    await house.rule(channels=[])
    assert await house.event() == 1
    assert await house.deliveries() == []


async def test_a_rule_that_does_not_match_raises_nothing(house: House) -> None:
    await house.rule(risk_threshold=71)
    await house.rule(object_types=["dog"])
    await house.rule(enabled=False)
    assert await house.event(70, 0, a_person()) == 0
    assert await house.alerts() == []


async def test_object_type_and_confidence_must_be_met_by_one_and_the_same_detection(house: House) -> None:
    await house.rule(object_types=["person"], min_confidence=0.8)
    assert await house.event(70, 0, a_person(0.5), a_person(0.95, "dog")) == 0
    assert await house.event(70, 0, a_person(0.95)) == 1


async def test_each_rule_that_matches_raises_its_own_alert(house: House) -> None:
    await house.rule()
    await house.rule(severity="critical")
    assert await house.event() == 2


async def test_a_second_event_inside_the_cooldown_raises_nothing(house: House) -> None:
    await house.rule()
    assert await house.event() == 1
    assert await house.event(70, 299) == 0
    assert await house.event(70, 300) == 1


async def test_a_cooldown_of_zero_is_none(house: House) -> None:
    await house.rule(cooldown_seconds=0)
    assert [await house.event() for _ in range(3)] == [1, 1, 1]


async def test_another_cameras_cooldown_does_not_count(house: House) -> None:
    await house.rows.camera("garden")
    await house.rule()
    await house.event()
    garden = await house.claimed("garden")
    assert await house.assessed(evidence(garden), 70, NOON) == 1


async def test_two_rules_that_share_a_key_make_one_alert_an_event(house: House) -> None:
    await house.rule(dedup_key_template="{camera_id}:any")
    await house.rule(dedup_key_template="{camera_id}:any")
    assert await house.event() == 1


async def test_two_events_at_once_inside_a_cooldown_make_one_alert(house: House) -> None:
    """Each has stored its event before any has looked at the rules; they decide at the same moment."""
    await house.rule()
    began = asyncio.Barrier(6)
    batches = [await house.claimed() for _ in range(6)]
    raised = await asyncio.gather(
        *(house.assessed(evidence(b), 70, NOON + timedelta(milliseconds=n), began) for n, b in enumerate(batches))
    )
    assert sorted(raised) == [0, 0, 0, 0, 0, 1]
    assert len(await house.alerts()) == 1
    assert len(await house.deliveries()) == 2


async def test_a_low_alerts_cooldown_does_not_silence_a_critical_one(house: House) -> None:
    await house.rule(severity="low", dedup_key_template="{camera_id}:any", risk_threshold=None)
    assert await house.event(40) == 1
    await house.rule(severity="critical", dedup_key_template="{camera_id}:any", risk_threshold=90)
    assert await house.event(95, 10) == 1
    assert [alert["severity"] for alert in await house.alerts()] == ["low", "critical"]


@pytest.mark.parametrize("status", ["suppressed", "dead"])
async def test_an_alert_that_reached_nobody_does_not_silence_the_next(house: House, status: str) -> None:
    await house.rule()
    await house.event()
    await house.settle(status)
    assert await house.event(70, 10) == 1


@pytest.mark.parametrize("status", ["queued", "sending", "delivered"])
async def test_an_alert_that_is_told_or_about_to_be_does(house: House, status: str) -> None:
    await house.rule()
    await house.event()
    await house.settle(status)
    assert await house.event(70, 10) == 0


@pytest.mark.parametrize(
    ("statement", "because"),
    [
        ("UPDATE notification_preferences SET enabled = false", "notifications are switched off"),
        ("UPDATE notification_preferences SET risk_filters = '{critical}'", "level high is not among the levels"),
        (
            "INSERT INTO camera_notification_settings (camera_id, enabled) VALUES ('front_door', false)",
            "camera front_door is muted",
        ),
        (
            "INSERT INTO camera_notification_settings (camera_id, risk_threshold) VALUES ('front_door', 71)",
            "score 70 is below this camera's threshold of 71",
        ),
        (
            "INSERT INTO quiet_hours (label, start_time, end_time, days) VALUES ('lunch', '11:00', '13:00', '{}')",
            "quiet hours 'lunch' until 13:00",
        ),
    ],
)
async def test_what_is_not_sent_is_written_down_with_the_reason(house: House, statement: str, because: str) -> None:
    await house.pool.execute(statement)
    await house.rule()
    assert await house.event() == 1
    found = await house.deliveries()
    assert {status for _, _, status, _ in found} == {"suppressed"}
    assert len(found) == 2
    assert all((reason or "").startswith(because) for _, _, _, reason in found)


async def test_a_critical_alert_passes_quiet_hours(house: House) -> None:
    await house.pool.execute(
        "INSERT INTO quiet_hours (label, start_time, end_time, days) VALUES ('day', '11:00', '13:00', '{}')"
    )
    await house.rule(severity="critical")
    await house.event()
    assert {status for _, _, status, _ in await house.deliveries()} == {"queued"}


async def test_quiet_hours_do_not_fill_the_list_with_an_alert_an_event(house: House) -> None:
    await house.pool.execute(
        "INSERT INTO quiet_hours (label, start_time, end_time, days) VALUES ('day', '11:00', '13:00', '{}')"
    )
    await house.rule()
    assert [await house.event(70, at) for at in (0, 10, 20)] == [1, 0, 0]


async def test_a_broken_rule_does_not_keep_the_others_from_their_alerts(house: House) -> None:
    await house.rows.rule(name="Abolished", schedule={"timezone": "Europe/Atlantis"})
    await house.rule()
    assert await house.event() == 1


async def test_an_alert_is_kept_when_its_rule_is_deleted(house: House) -> None:
    rule = await house.rule()
    await house.event()
    await house.pool.execute("DELETE FROM alert_rules WHERE id = $1", rule.id)
    (alert,) = await house.alerts()
    assert alert["rule_id"] is None
    assert isinstance(alert["id"], UUID)
