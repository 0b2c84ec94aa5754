"""What each enabled rule said of an event, when it was stored and when it is assessed again."""

from datetime import timedelta

import pytest

from domain.severity import level
from schemas.assessment import Evidence
from schemas.severity import Severity, SeverityBands
from schemas.why import RuleOutcome, RuleVerdict
from storage.alerting_transaction import AlertingTransaction
from storage.assessments import Assessments
from storage.postgres import Pool, transaction
from storage.reassessments import Reassessments
from storage.whys import Whys
from tests.actors.test_alerting import House, a_person
from tests.storage.pieces import A_WHY, assessment, evidence
from tests.storage.provisional import BY_MODEL, by_model, provisional_event, taken
from tests.storage.rows import NOON, Rows


@pytest.fixture
async def house(database: Pool) -> House:
    await Rows(database).camera()
    return House(database)


async def verdicts(house: House, facts: Evidence, risk_score: int = 70, seconds: float = 0) -> list[RuleVerdict]:
    """What the rules said of a new event."""
    severity, scored = level(risk_score, SeverityBands()), assessment(risk_score)
    async with Assessments(house.pool).begin(facts.batch) as storing:
        event_id = await storing.store_event(facts, scored, severity, A_WHY)
        now = NOON + timedelta(seconds=seconds)
        alerts = await house.alerting.raise_alerts(storing, event_id, facts, scored, severity, now)
    assert alerts.count == sum(one.outcome is RuleOutcome.RAISED for one in alerts.verdicts)
    return list(alerts.verdicts)


async def test_every_enabled_rule_says_what_it_made_of_the_event_in_the_order_of_their_making(house: House) -> None:
    high = await house.rule(name="High", risk_threshold=71)
    anybody = await house.rule(name="Anybody", object_types=["person"], risk_threshold=0)
    await house.rule(name="Off", enabled=False)
    dogs = await house.rule(name="Dogs", object_types=["dog"])
    found = await verdicts(house, evidence(await house.claimed(), detections=(a_person(),)))
    assert [(one.rule_id, one.rule_name, one.outcome, one.because) for one in found] == [
        (high.id, "High", RuleOutcome.NO_MATCH, "risk_threshold: score 70 < 71"),
        (anybody.id, "Anybody", RuleOutcome.RAISED, "risk_threshold: 70 >= 0; object_types: person"),
        (dogs.id, "Dogs", RuleOutcome.NO_MATCH, "object_types: nothing seen is one of dog"),
    ]


async def test_a_rule_without_conditions_says_that_it_matches_every_event(house: House) -> None:
    await house.rule()
    (found,) = await verdicts(house, evidence(await house.claimed()))
    assert (found.outcome, found.because) == (RuleOutcome.RAISED, "a rule without conditions matches every event")


async def test_a_rule_held_back_says_by_which_alert(house: House) -> None:
    rule = await house.rule()
    await house.event()
    (found,) = await verdicts(house, evidence(await house.claimed()), seconds=10)
    assert (found.outcome, found.because) == (
        RuleOutcome.COOLDOWN,
        f"an alert under 'front_door:{rule.id}' was raised at 2025-12-23T12:00:00Z; the rule's cooldown is 300 s",
    )


async def test_a_verdict_says_once_why_nothing_was_sent(house: House) -> None:
    await house.rule(channels=["email", "push"], cooldown_seconds=0)
    (found,) = await verdicts(house, evidence(await house.claimed()))
    assert found.suppressed == ("push is not configured: set PUSH_URLS",)
    await house.pool.execute("UPDATE notification_preferences SET enabled = false")
    (found,) = await verdicts(house, evidence(await house.claimed()))
    assert found.suppressed == ("notifications are switched off", "push is not configured: set PUSH_URLS")


async def revised(house: House, risk_score: int, seconds: float = 1000) -> list[RuleVerdict]:
    """What the rules say when the provisional event is assessed again."""
    claimed = await taken(house.pool)
    facts = evidence(claimed.batch, detections=claimed.detections)
    severity, scored = level(risk_score, SeverityBands()), by_model(risk_score)
    now = NOON + timedelta(seconds=seconds)
    async with Assessments(house.pool).begin_revision(claimed) as revision:
        assert revision is not None
        await revision.revise_event(scored, severity, BY_MODEL, now)
        alerts = await house.alerting.raise_alerts(revision, claimed.event_id, facts, scored, severity, now)
        await revision.note_rules(claimed.event_id, alerts.verdicts)
    return list(alerts.verdicts)


async def provisional(house: House, risk_score: int = 70) -> int:
    """A provisional event, with the alerts of its first assessment."""
    event_id = await provisional_event(house.pool, risk_score, "person")
    claimed = await taken(house.pool)
    await Reassessments(house.pool).give_back([claimed], 0.0)
    facts = evidence(claimed.batch, detections=claimed.detections)
    async with transaction(house.pool) as connection:
        await house.alerting.raise_alerts(
            AlertingTransaction(connection), event_id, facts, assessment(risk_score), Severity.HIGH, NOON
        )
    return event_id


async def test_a_rule_raises_no_second_alert_for_an_event_that_is_assessed_again(house: House) -> None:
    await house.rule(risk_threshold=60, cooldown_seconds=0)
    await house.rule(risk_threshold=80, name="Only now")
    event_id = await provisional(house, 70)
    found = await revised(house, 90)
    assert [one.outcome for one in found] == [RuleOutcome.RAISED_BEFORE, RuleOutcome.RAISED]
    assert found[0].because == "risk_threshold: 90 >= 60"
    alerts = await house.alerts()
    assert [alert["event_id"] for alert in alerts] == [event_id, event_id]
    assert len({alert["rule_id"] for alert in alerts}) == 2
    assert (await Whys(house.pool).get(event_id)).why.rules == tuple(found)


async def test_a_rule_that_no_longer_matches_says_so_and_its_alert_stays(house: House) -> None:
    await house.rule(risk_threshold=60)
    await provisional(house, 70)
    (found,) = await revised(house, 20)
    assert (found.outcome, found.because) == (RuleOutcome.NO_MATCH, "risk_threshold: score 20 < 60")
    assert len(await house.alerts()) == 1


async def test_another_rule_of_the_same_key_is_held_back_when_the_event_is_assessed_again(house: House) -> None:
    await house.rule(dedup_key_template="{camera_id}:any", risk_threshold=60)
    await house.rule(dedup_key_template="{camera_id}:any", risk_threshold=80)
    await provisional(house, 70)
    found = await revised(house, 90, seconds=10)
    assert [one.outcome for one in found] == [RuleOutcome.RAISED_BEFORE, RuleOutcome.COOLDOWN]
    assert len(await house.alerts()) == 1
