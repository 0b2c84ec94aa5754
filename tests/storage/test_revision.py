"""A revision: a provisional event becomes final once, whoever else is at it."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from schemas.alert_rule import AlertRuleCreate
from schemas.assessment import Assessment, AssessmentStanding
from schemas.event import EventUpdate
from schemas.severity import Severity
from schemas.why import RuleOutcome, RuleVerdict
from storage.alert_rules import AlertRules
from storage.alerts import Alerts
from storage.assessments import Assessments
from storage.errors import LeaseLost
from storage.events import Events
from storage.postgres import Pool
from storage.whys import Whys
from tests.eventually import eventually
from tests.storage.pieces import expire_leases
from tests.storage.provisional import AWAY, BY_MODEL, by_model, provisional_event, revise, taken
from tests.storage.rows import NOON, Rows

VERDICT = RuleVerdict(rule_id=uuid4(), rule_name="Any", outcome=RuleOutcome.RAISED, because="everything matches")


@pytest.fixture(autouse=True)
async def _camera(database: Pool) -> None:
    await Rows(database).camera()


async def event(pool: Pool) -> dict[str, Any]:
    return dict(await pool.fetchrow("SELECT * FROM events") or {})


async def reassessment(pool: Pool) -> tuple[str, str | None]:
    row = await pool.fetchrow("SELECT state, lease FROM reassessments")
    assert row is not None
    return (row["state"], row["lease"])


async def test_a_revision_puts_the_final_assessment_in_the_place_of_the_provisional_one(database: Pool) -> None:
    event_id = await provisional_event(database)
    assert await revise(database, await taken(database), 90)
    found = await event(database)
    assert (found["id"], found["risk_score"], found["risk_level"]) == (event_id, 90, "critical")
    assert (found["summary"], found["reasoning"]) == ("A stranger at the door", "the model's reasons")
    assert (found["assessment"], found["assessed_by"]) == ("final", "nemotron")
    assert await reassessment(database) == ("done", None)
    assert await database.fetchval("SELECT finished_at IS NOT NULL FROM reassessments")


async def test_what_stood_before_is_kept_with_the_event(database: Pool) -> None:
    event_id = await provisional_event(database)
    claimed = await taken(database)
    async with Assessments(database).begin_revision(claimed) as revision:
        assert revision is not None
        await revision.note_rules(event_id, [VERDICT.model_copy(update={"rule_name": "of then"})])
    await database.execute("UPDATE reassessments SET state = 'assessing', lease = $1", claimed.lease)
    async with Assessments(database).begin_revision(claimed) as revision:
        assert revision is not None
        await revision.revise_event(by_model(), Severity.CRITICAL, BY_MODEL, NOON)
        await revision.note_rules(event_id, [VERDICT])
    why = (await Whys(database).get(event_id)).why
    assert (why.because, why.factors, why.rules) == (None, (), (VERDICT,))
    (earlier,) = why.earlier
    assert (earlier.risk_score, earlier.risk_level, earlier.assessed_by) == (70, Severity.HIGH, "deterministic")
    assert (earlier.assessment, earlier.because) == (AssessmentStanding.PROVISIONAL, "the language model is away")
    assert (earlier.factors, earlier.replaced_at) == (AWAY.factors, NOON)
    assert [rule.rule_name for rule in earlier.rules] == ["of then"]


@pytest.mark.parametrize(
    ("found", "level", "changed"),
    [
        (
            by_model(90),
            Severity.CRITICAL,
            ["risk_score", "risk_level", "summary", "reasoning", "assessment", "assessed_by"],
        ),
        (
            by_model(70, summary="A person at the door", reasoning="because of the hour", assessed_by="deterministic"),
            Severity.HIGH,
            ["assessment"],
        ),
        (
            by_model(71, summary="A person at the door"),
            Severity.HIGH,
            ["risk_score", "reasoning", "assessment", "assessed_by"],
        ),
    ],
)
async def test_a_revision_is_told_with_exactly_the_fields_that_changed(
    database: Pool, found: Assessment, level: Severity, changed: list[str]
) -> None:
    event_id = await provisional_event(database)
    async with Assessments(database).begin_revision(await taken(database)) as revision:
        assert revision is not None
        await revision.revise_event(found, level, BY_MODEL, NOON)
    (frame,) = revision.news
    assert frame.type == "event.updated"
    assert frame.data == {
        "id": event_id,
        "updated_fields": changed,
        "risk_score": found.risk_score,
        "risk_level": level.value,
    }


async def test_a_provisional_assessment_is_no_revision(database: Pool) -> None:
    await provisional_event(database)
    claimed = await taken(database)

    async def put_provisional() -> None:
        async with Assessments(database).begin_revision(claimed) as revision:
            assert revision is not None
            again = by_model(standing=AssessmentStanding.PROVISIONAL)
            await revision.revise_event(again, Severity.HIGH, BY_MODEL, NOON)

    with pytest.raises(ValueError, match="a revision is final"):
        await put_provisional()
    assert await reassessment(database) == ("assessing", claimed.lease)


async def test_a_revision_that_fails_leaves_the_event_as_it_was_and_the_row_in_work(database: Pool) -> None:
    await provisional_event(database)
    claimed, before = await taken(database), await event(database)

    async def write_and_fail() -> None:
        async with Assessments(database).begin_revision(claimed) as revision:
            assert revision is not None
            await revision.revise_event(by_model(), Severity.CRITICAL, BY_MODEL, NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    assert await event(database) == before
    assert await reassessment(database) == ("assessing", claimed.lease)


async def test_a_lost_lease_revises_nothing(database: Pool) -> None:
    await provisional_event(database)
    old = await taken(database, "one", lease=-1.0)
    new = await taken(database, "another")
    with pytest.raises(LeaseLost, match=str(old.event_id)):
        await revise(database, old, 10)
    assert (await event(database))["assessment"] == "provisional"
    assert await revise(database, new, 90)
    with pytest.raises(LeaseLost):
        await revise(database, new, 10)
    assert (await event(database))["risk_score"] == 90


async def test_of_two_revisions_at_once_one_counts(database: Pool) -> None:
    await provisional_event(database)
    old = await taken(database, "one")
    await expire_leases(database, "reassessments")
    new = await taken(database, "another")
    outcomes = await asyncio.gather(
        *(revise(database, one, score) for one, score in ((old, 10), (new, 90), (old, 11), (new, 91))),
        return_exceptions=True,
    )
    assert [isinstance(outcomes[n], LeaseLost) for n in (0, 2)] == [True, True]
    assert sorted(str(outcomes[n] is True) for n in (1, 3)) == ["False", "True"]
    found = await event(database)
    assert found["risk_score"] in (90, 91)
    assert len(found["why"]["earlier"]) == 1


async def test_an_event_that_is_final_already_is_left_as_it_is(database: Pool) -> None:
    await provisional_event(database)
    claimed = await taken(database)
    await database.execute("UPDATE events SET assessment = 'final'")
    before = await event(database)
    assert not await revise(database, claimed)
    assert await event(database) == before
    assert await reassessment(database) == ("done", None)


async def test_an_event_that_was_deleted_meanwhile_is_a_clean_end(database: Pool) -> None:
    await provisional_event(database)
    claimed = await taken(database)
    await database.execute("DELETE FROM events")
    assert not await revise(database, claimed)


async def test_a_revision_that_waits_for_a_deletion_ends_cleanly(database: Pool) -> None:
    await provisional_event(database)
    claimed = await taken(database)
    async with database.acquire() as other, other.transaction():
        await other.execute("DELETE FROM events")
        revising = asyncio.create_task(revise(database, claimed))
        await eventually(lambda: _somebody_waits(database))
    assert await revising is False


async def test_a_deletion_waits_for_a_revision_and_takes_everything_with_it(database: Pool) -> None:
    await provisional_event(database)
    claimed = await taken(database)
    async with Assessments(database).begin_revision(claimed) as revision:
        assert revision is not None
        deleting = asyncio.create_task(database.execute("DELETE FROM events"))
        await eventually(lambda: _somebody_waits(database))
        await revision.revise_event(by_model(), Severity.CRITICAL, BY_MODEL, NOON)
    await deleting
    assert await database.fetchval("SELECT count(*) FROM events") == 0
    assert await database.fetchval("SELECT count(*) FROM reassessments") == 0


async def _somebody_waits(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))


async def test_what_a_person_writes_on_the_event_meanwhile_stays(database: Pool) -> None:
    event_id = await provisional_event(database)
    claimed = await taken(database)
    async with Assessments(database).begin_revision(claimed) as revision:
        assert revision is not None
        noting = asyncio.create_task(Events(database).update(event_id, EventUpdate(reviewed=True, notes="my aunt")))
        await eventually(lambda: _somebody_waits(database))
        await revision.revise_event(by_model(), Severity.CRITICAL, BY_MODEL, NOON)
    changed = await noting
    assert (changed.value.reviewed, changed.value.notes, changed.value.risk_score) == (True, "my aunt", 90)


async def test_an_acknowledge_at_the_same_moment_and_the_revision_both_hold(database: Pool) -> None:
    event_id = await provisional_event(database)
    alert = await Rows(database).alert(event_id)
    claimed = await taken(database)
    async with Assessments(database).begin_revision(claimed) as revision:
        assert revision is not None
        await Alerts(database).acknowledge(alert)  # waits for nobody
        await revision.revise_event(by_model(), Severity.CRITICAL, BY_MODEL, NOON)
    assert await database.fetchval("SELECT status FROM alerts") == "acknowledged"
    assert (await event(database))["assessment"] == "final"


async def test_the_rules_that_raised_an_alert_for_the_event_are_known(database: Pool) -> None:
    event_id = await provisional_event(database)
    rows = Rows(database)
    rule = await AlertRules(database).create(AlertRuleCreate(name="Any"))
    await rows.alert(event_id, rule.id)
    await rows.alert(await rows.event())
    gone = await AlertRules(database).create(AlertRuleCreate(name="Gone"))
    await rows.alert(event_id, gone.id)
    await database.execute("DELETE FROM alert_rules WHERE id = $1", gone.id)
    async with Assessments(database).begin_revision(await taken(database)) as revision:
        assert revision is not None
        assert await revision.alerts_of(event_id) == {rule.id}
        assert [one.created_at for one in await revision.past_alerts("front_door:rule", NOON - timedelta(days=1))]
