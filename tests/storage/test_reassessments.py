"""Provisional events on their way to the language model: who claims them, in which order, and how they end."""

import asyncio
from datetime import timedelta

import pytest

from schemas.severity import Severity
from storage.postgres import Pool
from storage.reassessments import Reassessments
from tests.storage.pieces import LEASE, TRIES, expire_leases, make_claimable
from tests.storage.provisional import AWAY, provisional_event, taken
from tests.storage.rows import NOON, WHY_OF_EARLIER_VERSIONS, Rows


@pytest.fixture
async def reassessments(database: Pool) -> Reassessments:
    await Rows(database).camera(name="The front door")
    return Reassessments(database)


async def state(pool: Pool) -> tuple[str, int, str | None]:
    row = await pool.fetchrow("SELECT state, attempts, reason FROM reassessments")
    assert row is not None
    return (row["state"], row["attempts"], row["reason"])


async def test_a_claim_brings_everything_that_the_event_was_assessed_from(
    reassessments: Reassessments, database: Pool
) -> None:
    event_id = await provisional_event(database, 70, "person", "dog", close_reason="urgent")
    (claimed,) = await reassessments.claim("worker", 10, LEASE, TRIES)
    assert (claimed.event_id, claimed.risk_score, claimed.risk_level) == (event_id, 70, Severity.HIGH)
    assert (claimed.summary, claimed.reasoning) == ("A person at the door", "because of the hour")
    assert (claimed.assessed_by, claimed.why) == ("deterministic", AWAY)
    batch = claimed.batch
    assert (batch.camera_name, batch.started_at, batch.closed_at, batch.urgent) == ("The front door", NOON, NOON, True)
    assert (batch.attempts, batch.lease) == (claimed.attempts, claimed.lease) == (1, claimed.lease)
    assert [detection.object_type for detection in claimed.detections] == ["person", "dog"]
    assert await database.fetchval("SELECT started_at IS NOT NULL FROM reassessments")


async def test_the_gravest_is_claimed_first_and_of_equals_the_oldest(
    reassessments: Reassessments, database: Pool
) -> None:
    events = [await provisional_event(database, score) for score in (20, 90, 55, 90)]
    claims = [await reassessments.claim("worker", 3, LEASE, TRIES) for _ in range(2)]
    assert [one.event_id for claim in claims for one in claim] == [events[1], events[3], events[2], events[0]]


async def test_twenty_at_once_take_each_row_once_and_the_gravest_first(
    reassessments: Reassessments, database: Pool
) -> None:
    rows = Rows(database)
    scores = [(number * 37) % 101 for number in range(40)]
    for score in scores:
        await rows.reassessment(await rows.event(assessment="provisional", risk_score=score), score)
    claims = await asyncio.gather(*(reassessments.claim(f"worker_{n}", 1, LEASE, TRIES) for n in range(20)))
    taken_scores = [one.risk_score for claim in claims for one in claim]
    assert len(taken_scores) == 20
    assert sorted(taken_scores, reverse=True) == sorted(scores, reverse=True)[:20]
    rest = await reassessments.claim("worker", 40, LEASE, TRIES)
    ids = [one.event_id for claim in [*claims, rest] for one in claim]
    assert len(ids) == len(set(ids)) == 40


async def test_a_suspect_waits_behind_the_others_however_grave_it_is(
    reassessments: Reassessments, database: Pool
) -> None:
    killer = await provisional_event(database, 99)
    for _ in range(2):
        await taken(database)
        await expire_leases(database, "reassessments")
    harmless = [await provisional_event(database, score) for score in (5, 6)]
    first = await reassessments.claim("worker", 10, LEASE, TRIES)
    second = await reassessments.claim("worker", 10, LEASE, TRIES)
    assert [one.event_id for one in first] == harmless[::-1]
    assert [one.event_id for one in second] == [killer]


async def test_one_that_is_given_back_waits_without_a_try_counted(reassessments: Reassessments, database: Pool) -> None:
    await provisional_event(database)
    claimed = await reassessments.claim("worker", 1, LEASE, TRIES)
    await reassessments.give_back(claimed, 30.0)
    assert await state(database) == ("waiting", 0, None)
    assert await reassessments.claim("worker", 1, LEASE, TRIES) == []
    await make_claimable(database, "reassessments")
    assert (await taken(database)).attempts == 1


async def test_one_that_fails_waits_and_then_dies_and_its_event_stays_provisional(
    reassessments: Reassessments, database: Pool
) -> None:
    await provisional_event(database)
    assert await reassessments.fail(await taken(database), "the answer was cut off", 60.0)
    assert await state(database) == ("waiting", 1, "the answer was cut off")
    await make_claimable(database, "reassessments")
    assert await reassessments.fail(await taken(database), "no JSON\x00", None)
    assert await state(database) == ("dead", 2, "no JSON")
    assert await reassessments.waiting() == 0
    assert await database.fetchval("SELECT assessment FROM events") == "provisional"


async def test_a_failure_under_a_lost_lease_changes_nothing(reassessments: Reassessments, database: Pool) -> None:
    await provisional_event(database)
    old = await taken(database, "one", lease=-1.0)
    new = await taken(database, "another")
    assert not await reassessments.fail(old, "too late", None)
    assert await state(database) == ("assessing", new.attempts, None)


async def test_one_that_kills_its_workers_is_buried(reassessments: Reassessments, database: Pool) -> None:
    await provisional_event(database)
    for _ in range(TRIES):
        await taken(database, "dead")
        await reassessments.release("dead")
    assert await reassessments.claim("worker", 1, LEASE, TRIES) == []
    assert await reassessments.bury_exhausted(TRIES, "v1 nano") == 1
    assert await state(database) == ("dead", TRIES, "5 tries ended without an answer")


async def test_what_one_model_gave_up_waits_again_for_another_and_not_for_the_same(
    reassessments: Reassessments, database: Pool
) -> None:
    await provisional_event(database)
    assert await reassessments.give_up(await taken(database), "too long", "v1 nano")
    assert (await reassessments.revive("v1 nano"), await state(database)) == (0, ("dead", 1, "too long"))
    assert (await reassessments.revive("v1 super"), await state(database)) == (1, ("waiting", 0, "too long"))


async def test_what_killed_the_workers_of_one_model_waits_again_for_another(
    reassessments: Reassessments, database: Pool
) -> None:
    await provisional_event(database)
    for _ in range(TRIES):
        await taken(database, "dead")
        await reassessments.release("dead")
    await reassessments.bury_exhausted(TRIES, "v1 nano")
    assert (await reassessments.revive("v1 nano"), await reassessments.revive("v2 nano")) == (0, 1)


async def test_release_does_not_count_a_try_where_a_store_was_away(
    reassessments: Reassessments, database: Pool
) -> None:
    await provisional_event(database)
    await taken(database, "worker")
    assert await reassessments.release("worker", tried=False) == 1
    assert await state(database) == ("waiting", 0, None)


async def test_those_waiting_and_in_work_are_counted(reassessments: Reassessments, database: Pool) -> None:
    rows = Rows(database)
    for name in ("waiting", "assessing", "done", "dead"):
        await rows.reassessment(await rows.event(), state=name)
    assert await reassessments.waiting() == 2


async def test_an_event_of_an_earlier_version_is_claimed_with_defaults_for_what_it_lacks(
    reassessments: Reassessments, database: Pool
) -> None:
    rows = Rows(database)
    await rows.reassessment(await rows.event(assessment="provisional", why=WHY_OF_EARLIER_VERSIONS))
    claimed = await taken(database)
    assert [factor.points for factor in claimed.why.factors] == [70.0]
    assert (claimed.why.model, claimed.why.earlier, claimed.why.because) == (None, (), None)
    assert claimed.batch.closed_at == NOON  # this batch has none: that of its last activity


async def test_one_whose_why_chain_cannot_be_read_dies_and_the_others_are_claimed(
    reassessments: Reassessments, database: Pool
) -> None:
    rows = Rows(database)
    broken = await rows.event(assessment="provisional", why={"factors": "none"})
    sound = await rows.event(assessment="provisional")
    for event_id in (broken, sound):
        await rows.reassessment(event_id)
    assert [one.event_id for one in await reassessments.claim("worker", 10, LEASE, TRIES)] == [sound]
    row = await database.fetchrow("SELECT state, reason FROM reassessments WHERE id = $1", broken)
    assert row is not None
    assert row["state"] == "dead"
    assert f"why-chain of event {broken} cannot be read" in row["reason"]


async def test_a_reassessment_goes_with_its_event(reassessments: Reassessments, database: Pool) -> None:
    await provisional_event(database)
    claimed = await taken(database)
    await database.execute("DELETE FROM events")
    assert await database.fetchval("SELECT count(*) FROM reassessments") == 0
    assert not await reassessments.fail(claimed, "no answer", 1.0)
    await reassessments.give_back([claimed], timedelta(seconds=1).total_seconds())
