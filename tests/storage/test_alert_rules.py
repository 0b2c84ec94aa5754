"""Alert rules as rows."""

import asyncio
from uuid import uuid4

import pytest

from schemas.alert_rule import AlertRule, AlertRuleCreate, Schedule, Zone
from schemas.severity import Severity
from storage.alert_rules import AlertRules
from storage.errors import NotFound
from storage.postgres import Pool
from tests.storage.rows import Rows

FULL = AlertRuleCreate(
    name="Everything",
    description="all that can be set",
    severity=Severity.CRITICAL,
    risk_threshold=0,
    object_types=("person", "vehicle"),
    camera_ids=("front_door",),
    min_confidence=0.9,
    zones=(Zone(camera_id="front_door", polygon=((0, 0), (0.3, 0), (0.3, 1))),),
    schedule=Schedule(days=("fri", "sat"), start_time="22:00", end_time="06:00", timezone="Europe/Berlin"),
    cooldown_seconds=0,
    dedup_key_template="{camera_id}:{object_type}",
    channels=("email", "push"),
)


def _changed(rule: AlertRule, **fields: object) -> AlertRuleCreate:
    kept = {field: getattr(rule, field) for field in AlertRuleCreate.model_fields}
    return AlertRuleCreate.model_validate(kept | fields)


async def test_a_rule_comes_back_as_it_was_made(database: Pool) -> None:
    rules = AlertRules(database)
    made = await rules.create(FULL)
    read = await rules.get(made.id)
    assert read == made
    assert read.model_dump(include=set(AlertRuleCreate.model_fields)) == FULL.model_dump()


async def test_a_rule_of_defaults_comes_back_too(database: Pool) -> None:
    made = await AlertRules(database).create(AlertRuleCreate(name="plain"))
    assert (made.zones, made.schedule, made.object_types, made.cooldown_seconds, made.channels) == (
        None,
        None,
        None,
        300,
        (),
    )


async def test_a_change_replaces_what_it_makes_and_moves_the_time(database: Pool) -> None:
    rules = AlertRules(database)
    made = await rules.create(FULL)
    changed = await rules.update(made.id, lambda rule: _changed(rule, zones=None, cooldown_seconds=60))
    assert (changed.zones, changed.cooldown_seconds, changed.name) == (None, 60, "Everything")
    assert changed.updated_at > made.updated_at
    assert changed.created_at == made.created_at


async def test_changes_of_different_fields_at_once_are_all_kept(database: Pool) -> None:
    rules = AlertRules(database)
    rule_id = (await rules.create(FULL)).id
    await asyncio.gather(
        *(
            rules.update(rule_id, lambda rule: _changed(rule, cooldown_seconds=rule.cooldown_seconds + 1))
            for _ in "x" * 20
        )
    )
    assert (await rules.get(rule_id)).cooldown_seconds == 20


async def test_a_deleted_rule_leaves_its_alerts(database: Pool) -> None:
    rows, rules = Rows(database), AlertRules(database)
    await rows.camera()
    rule_id = await rows.rule()
    alert_id = await rows.alert(await rows.event(), rule_id)
    await rules.delete(rule_id)
    assert await database.fetchval("SELECT rule_id FROM alerts WHERE id = $1", alert_id) is None
    with pytest.raises(NotFound):
        await rules.delete(rule_id)


async def test_rules_are_listed_in_the_order_they_were_made(database: Pool) -> None:
    rules = AlertRules(database)
    made = [await rules.create(AlertRuleCreate(name=str(n), enabled=n != 1, severity=Severity.LOW)) for n in range(4)]
    page = await rules.list(limit=2)
    assert [rule.name for rule in page] == ["0", "1"]
    rest = await rules.list(after=(page[-1].created_at, page[-1].id))
    assert [rule.name for rule in rest] == ["2", "3"]
    assert [rule.name for rule in await rules.list(enabled=False)] == ["1"]
    assert await rules.list(severity=Severity.HIGH) == []
    assert len(made) == 4


async def test_a_rule_that_does_not_exist_is_not_found(database: Pool) -> None:
    rules, nobody = AlertRules(database), uuid4()
    with pytest.raises(NotFound, match=f"there is no alert rule {nobody}"):
        await rules.get(nobody)
    with pytest.raises(NotFound):
        await rules.update(nobody, lambda rule: rule)
