"""Provisional events, once the model answers again: each is assessed once, the gravest first, and told once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis.asyncio

from actors.model_assessor import BREAKER
from domain.circuit_breaker import Admitted
from language.errors import ModelAway, ModelBusy, ModelTooSlow
from schemas.alert_rule import AlertRuleCreate, Channel
from schemas.language import Question, Reply
from schemas.why import RuleOutcome, Why
from storage.alert_rules import AlertRules
from storage.postgres import Pool
from tests.actors.model_desk import ModelDesk
from tests.actors.scripted_model import ScriptedModel, Step, answer, babbles, case_of, reply, says
from tests.eventually import eventually
from tests.storage.pieces import LEASE, make_claimable

AWAY: dict[str, Any] = {"loaded": False, "reason": "it loads"}
THERE: dict[str, Any] = {"loaded": True, "status": "healthy"}


@pytest.fixture
async def desk(database: Pool, redis_client: redis.asyncio.Redis) -> AsyncIterator[ModelDesk]:
    """Its model is away."""
    made = ModelDesk(database, database, redis_client)
    await made.camera()
    made.model.usual, made.model.described = ModelAway("it loads"), AWAY
    yield made
    made.model.gate.set()
    await made.worker.stop()


async def _comes_back(desk: ModelDesk, says_now: Step) -> None:
    """As after its restart; the breaker's recovery time is not waited for."""
    desk.model.questions.clear()
    desk.model.usual, desk.model.described = says_now, THERE
    await desk.breakers.reset(BREAKER)


async def _provisional(desk: ModelDesk, *batches: tuple[str, ...]) -> None:
    for types in batches:
        await desk.closed(*types)
    await desk.worker.start()
    await eventually(lambda: desk.has("provisional", len(batches)))


def _ten_more(question: Question) -> Reply:
    """Told apart from the provisional score by its own."""
    return reply(question, answer(question, 77))


async def test_each_is_assessed_once_the_gravest_first_and_told_once(desk: ModelDesk) -> None:
    kinds = [("cat",), ("person", "knife"), ("person",), ("dog",), ("truck",), ("person", "person", "gun")]
    await _provisional(desk, *kinds)
    before = {event["id"]: event for event in await desk.events()}
    assert desk.model.in_flight == 0
    await _comes_back(desk, _ten_more)
    await eventually(lambda: desk.has("final", len(kinds)))
    asked = [case_of(question) for question in desk.model.questions]
    whys = {event["id"]: Why.model_validate(event["why"]) for event in await desk.events()}
    ids = {why.model.facts.case: event_id for event_id, why in whys.items() if why.model is not None}
    scores = [before[ids[case]]["risk_score"] for case in asked]
    assert scores == sorted(scores, reverse=True)
    assert (len(asked), len(set(asked))) == (len(kinds), len(kinds))
    assert sorted(await desk.told("event.updated")) == sorted(before)
    assert [row[0] for row in await desk.waiting()] == ["done"] * len(kinds)
    assert await desk.count("SELECT count(*) FROM events") == len(kinds)


async def test_the_revised_event_is_the_models_and_keeps_what_stood_before(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    (before,) = await desk.events()
    await _comes_back(desk, says(91))
    await eventually(lambda: desk.has("final", 1))
    (event,) = await desk.events()
    assert (event["risk_score"], event["risk_level"], event["assessed_by"]) == (91, "critical", "nano")
    why, stood = Why.model_validate(event["why"]), Why.model_validate(before["why"])
    (earlier,) = why.earlier
    assert (earlier.risk_score, earlier.because) == (before["risk_score"], stood.because)
    assert earlier.model is not None
    assert earlier.model == stood.model
    assert earlier.model.attempts[0].fault == "the language model is away: it loads"
    assert (why.because, why.unusual) == (None, stood.unusual)
    assert why.model is not None
    assert (why.model.facts, why.model.prompt_sha256) == (earlier.model.facts, earlier.model.prompt_sha256)
    assert why.model.prompt_sha256 == earlier.model.prompt_sha256
    assert event["id"] == before["id"]


async def _rests(desk: ModelDesk) -> bool:
    return await desk.waiting() == [("waiting", 0, None)]


async def test_one_whose_turn_does_not_come_waits_on_untried(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    desk = ModelDesk(database, database, redis_client, within=0.3, at_once=1)
    await desk.camera()
    desk.model.usual, desk.model.described = ModelAway("it loads"), AWAY
    await _provisional(desk, ("person",))
    desk.model.gate.clear()
    await desk.closed("dog")
    await eventually(lambda: desk.model.in_flight == 1)  # it has the only place, and keeps it
    await _comes_back(desk, says())
    await eventually(lambda: desk.language.assessor.waiting == 1)
    await eventually(lambda: _rests(desk))
    desk.model.gate.set()
    await eventually(lambda: desk.has("final", 2))
    await desk.worker.stop()


async def test_they_press_less_than_anything_new(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    (before,) = await desk.events()
    await _comes_back(desk, says())
    await eventually(lambda: desk.has("final", 1))
    assert [question.priority for question in desk.model.questions] == [1000 - before["risk_score"]]


async def test_a_rule_raises_no_second_alert_and_one_that_had_none_raises_it_now(desk: ModelDesk) -> None:
    rules = AlertRules(desk.database)
    await rules.create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,), cooldown_seconds=0))
    await rules.create(AlertRuleCreate(name="Grave", channels=(Channel.EMAIL,), cooldown_seconds=0, risk_threshold=90))
    await _provisional(desk, ("person",))
    assert await desk.count("SELECT count(*) FROM alerts") == 1
    await _comes_back(desk, says(95))
    await eventually(lambda: desk.has("final", 1))
    found = await desk.database.fetch("SELECT metadata->>'rule_name' AS name FROM alerts ORDER BY 1")
    assert [row["name"] for row in found] == ["Any", "Grave"]
    assert await desk.count("SELECT count(*) FROM deliveries") == 2
    (event,) = await desk.events()
    verdicts = {verdict.rule_name: verdict.outcome for verdict in Why.model_validate(event["why"]).rules}
    assert verdicts == {"Any": RuleOutcome.RAISED_BEFORE, "Grave": RuleOutcome.RAISED}


async def test_while_the_model_is_away_nothing_is_asked_and_no_try_is_counted(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    asked, looks = len(desk.model.questions), desk.model.looks
    await eventually(lambda: desk.model.looks > looks + 3)
    assert (len(desk.model.questions), await desk.waiting()) == (asked, [("waiting", 0, None)])


async def test_while_the_breaker_is_open_nothing_is_asked(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    for _ in range(5):
        admitted = await desk.breakers.admit(BREAKER)
        if isinstance(admitted, Admitted):
            await desk.breakers.failed(BREAKER, admitted)
    asked, rejected, looks = len(desk.model.questions), desk.breakers.rejected, desk.model.looks
    desk.model.described, desk.model.usual = THERE, says()
    await eventually(lambda: desk.model.looks > looks + 3)
    assert (len(desk.model.questions), desk.breakers.rejected) == (asked, rejected)
    await desk.breakers.reset(BREAKER)
    await eventually(lambda: desk.has("final", 1))


async def test_a_model_that_goes_away_again_costs_no_try(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    await _comes_back(desk, ModelAway("gone again"))
    await eventually(lambda: len(desk.model.questions) >= 3)
    await eventually(lambda: _waits_untried(desk))
    await _comes_back(desk, says())
    await eventually(lambda: desk.has("final", 1))


async def _waits_untried(desk: ModelDesk) -> bool:
    return bool((await desk.waiting())[0][:2] == ("waiting", 0))


async def test_after_three_answers_that_are_none_it_is_given_up_and_says_why(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    await _comes_back(desk, babbles("no"))
    await eventually(lambda: _is_dead(desk))
    ((_, attempts, reason),) = await desk.waiting()
    assert (attempts, len(desk.model.questions)) == (3, 6)
    assert reason.startswith("the language model gave no usable answer, asked twice: ")
    (event,) = await desk.events()
    assert event["assessment"] == "provisional"
    assert (Why.model_validate(event["why"]).because or "") == f"it stays provisional after 3 tries: {reason}"
    assert await desk.told("event.updated") == []


async def test_what_one_model_gave_up_the_next_one_assesses(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    await _comes_back(desk, babbles("no"))
    await eventually(lambda: _is_dead(desk))
    await desk.worker.stop()
    await _comes_back(desk, says(88))
    desk.tools = replace(desk.tools, language=replace(desk.language, asked_by="prompt v1, model two"))
    desk.worker = desk.another_life()
    await desk.worker.start()
    await eventually(lambda: desk.has("final", 1))


async def _is_dead(desk: ModelDesk) -> bool:
    await make_claimable(desk.database, "reassessments")
    return bool((await desk.waiting())[0][0] == "dead")


async def test_one_that_gets_no_usable_answer_does_not_hold_up_the_others(desk: ModelDesk) -> None:
    def not_of_weapons(question: Question) -> Reply:
        return reply(question, "no" if '"class": "gun"' in question.user else answer(question, 20))

    await _provisional(desk, ("person", "gun"), ("person",), ("cat",))
    await _comes_back(desk, not_of_weapons)
    await eventually(lambda: desk.has("final", 2))


async def test_one_on_which_the_model_is_too_slow_lets_others_go_first(desk: ModelDesk) -> None:
    def slow_on_weapons(question: Question) -> Reply:
        if '"class": "gun"' in question.user:
            raise ModelTooSlow(45.0)
        return reply(question, answer(question, 20))

    await _provisional(desk, ("person", "gun"), ("person",), ("cat",))
    await _comes_back(desk, slow_on_weapons)
    await eventually(lambda: desk.has("final", 2))
    assert ("waiting", 0, None) in await desk.waiting()


async def test_one_at_which_the_model_breaks_every_time_does_not_keep_the_others_waiting(desk: ModelDesk) -> None:
    def breaks_at_weapons(question: Question) -> Reply:
        if '"class": "gun"' in question.user:
            raise ModelAway("http://model:8000 answered HTTP 500")
        return reply(question, answer(question, 20))

    await _provisional(desk, ("person", "gun"), ("person",), ("cat",))
    await _comes_back(desk, breaks_at_weapons)
    await eventually(lambda: desk.has("final", 2))
    assert [(state, attempts) for state, attempts, _ in await desk.waiting()].count(("done", 1)) == 2


async def test_a_busy_model_is_asked_again_and_costs_no_try(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    desk.model.script.extend([ModelBusy("busy: 8 questions are being answered and 32 wait")] * 6)
    await _comes_back(desk, says())
    await eventually(lambda: desk.has("final", 1))
    assert (await desk.waiting(), len(desk.model.questions)) == ([("done", 1, None)], 7)


async def test_what_the_cooldown_held_back_then_is_not_raised_hours_later(desk: ModelDesk) -> None:
    rule = AlertRuleCreate(name="Any", channels=(Channel.EMAIL,), cooldown_seconds=300)
    await AlertRules(desk.database).create(rule)
    await _provisional(desk, *[("person", "knife")] * 3)
    assert await desk.count("SELECT count(*) FROM alerts") == 1
    for table in ("alerts", "events"):
        await desk.database.execute(f"UPDATE {table} SET created_at = created_at - interval '3 hours'")
    await _comes_back(desk, says(95))
    await eventually(lambda: desk.has("final", 3))
    assert await desk.count("SELECT count(*) FROM alerts") == 1
    said = [Why.model_validate(event["why"]).rules[0].outcome for event in await desk.events()]
    assert sorted(said) == [RuleOutcome.COOLDOWN, RuleOutcome.COOLDOWN, RuleOutcome.RAISED_BEFORE]


@pytest.mark.parametrize(("score", "sent"), [(95, ["queued"]), (10, ["suppressed"])])
async def test_an_alert_of_which_nobody_was_told_is_sent_once_its_event_is_graver(
    desk: ModelDesk, score: int, sent: list[str]
) -> None:
    await AlertRules(desk.database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,), cooldown_seconds=300))
    await _provisional(desk, ("cat",))
    assert await _sent(desk) == ["suppressed"]  # the event is low, of which nobody is told
    await _comes_back(desk, says(score))
    await eventually(lambda: desk.has("final", 1))
    assert (await _sent(desk), await desk.count("SELECT count(*) FROM alerts")) == (sent, 1)
    (event,) = await desk.events()
    (verdict,) = Why.model_validate(event["why"]).rules
    assert verdict.outcome is RuleOutcome.RAISED_BEFORE


async def test_that_quiet_hours_have_ended_sends_nothing_late(desk: ModelDesk) -> None:
    await AlertRules(desk.database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,), severity="high"))
    await desk.database.execute(
        "INSERT INTO quiet_hours (label, start_time, end_time, days) "
        "SELECT 'Always', at, until, $1 FROM (VALUES ('00:00', '13:00'), ('12:00', '01:00')) AS t (at, until)",
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    )
    await _provisional(desk, ("person", "knife"))
    assert await _sent(desk) == ["suppressed"]
    await desk.database.execute("DELETE FROM quiet_hours")
    await _comes_back(desk, says(80))
    await eventually(lambda: desk.has("final", 1))
    assert await _sent(desk) == ["suppressed"]


async def test_an_alert_that_a_person_has_dealt_with_is_not_sent_later(desk: ModelDesk) -> None:
    await AlertRules(desk.database).create(AlertRuleCreate(name="Any", channels=(Channel.EMAIL,)))
    await _provisional(desk, ("cat",))
    await desk.database.execute("UPDATE alerts SET status = 'dismissed'")
    await _comes_back(desk, says(95))
    await eventually(lambda: desk.has("final", 1))
    assert await _sent(desk) == ["suppressed"]


async def _sent(desk: ModelDesk) -> list[str]:
    return [row["status"] for row in await desk.database.fetch("SELECT status FROM deliveries ORDER BY id")]


async def test_new_batches_always_find_half_of_the_places(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    desk = ModelDesk(database, database, redis_client, slots=4, model=ScriptedModel(usual=ModelAway("it loads")))
    await desk.camera()
    desk.model.described = AWAY
    await _provisional(desk, *[("person",)] * 5)
    desk.model.gate.clear()
    await _comes_back(desk, says())
    await eventually(lambda: desk.model.in_flight == 2)
    for _ in range(2):
        await desk.closed("person")
    await eventually(lambda: desk.model.in_flight == 4)
    assert sum(question.priority < 500 for question in desk.model.questions) == 2
    desk.model.gate.set()
    await eventually(lambda: desk.has("final", 7))
    await desk.worker.stop()


async def test_the_next_one_is_asked_as_soon_as_its_place_is_free(desk: ModelDesk) -> None:
    await _provisional(desk, *[("person",)] * 5)
    await desk.worker.stop()
    desk.tools = replace(desk.tools, language=replace(desk.language, look_seconds=60.0))
    desk.worker = desk.another_life()
    await _comes_back(desk, says())
    await desk.worker.start()
    await eventually(lambda: desk.has("final", 5))


async def test_a_worker_that_dies_while_it_asks_again_loses_nothing_and_doubles_nothing(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",), ("cat",))
    desk.model.gate.clear()
    await _comes_back(desk, says(88))
    await eventually(lambda: desk.model.in_flight == 1)
    for task in [task for task in asyncio.all_tasks() if task.get_name().startswith("analysis_worker")]:
        task.cancel()  # as a process that is killed: nobody lets go of anything
    await eventually(lambda: desk.model.in_flight == 0)
    assert sorted(row[0] for row in await desk.waiting()) == ["assessing", "waiting"]
    desk.model.gate.set()
    desk.worker = desk.another_life()
    await desk.worker.start()
    await eventually(lambda: desk.has("final", 2))
    assert len(await desk.told("event.updated")) == 2


async def test_stopping_lets_go_of_what_is_asked_again_untried(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    desk.model.gate.clear()
    await _comes_back(desk, says())
    await eventually(lambda: desk.model.in_flight == 1)
    await desk.worker.stop()
    assert await desk.waiting() == [("waiting", 0, None)]


async def test_an_event_that_was_deleted_meanwhile_is_nobodys_trouble(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",), ("cat",))
    desk.model.gate.clear()
    await _comes_back(desk, says())
    await eventually(lambda: desk.model.in_flight == 1)
    await desk.database.execute("DELETE FROM events WHERE object_types = '{person}'")
    desk.model.gate.set()
    await eventually(lambda: desk.has("final", 1))
    assert await desk.count("SELECT count(*) FROM events") == 1


async def test_a_lease_that_was_lost_meanwhile_is_harmless(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",))
    desk.model.gate.clear()
    await _comes_back(desk, says())
    await eventually(lambda: desk.model.in_flight == 1)
    await desk.database.execute("UPDATE reassessments SET lease_until = now() - interval '1 second'")
    (taken,) = await desk.language.reassessments.claim("another", 1, LEASE, 3)
    desk.model.gate.set()
    await eventually(lambda: desk.model.in_flight == 0)
    await desk.worker.stop()
    assert await desk.has("provisional", 1)
    row = await desk.database.fetchrow("SELECT lease FROM reassessments")
    assert row is not None
    assert row["lease"] == taken.lease


async def test_the_worker_says_how_many_wait(desk: ModelDesk) -> None:
    await _provisional(desk, ("person",), ("cat",))
    await eventually(lambda: _says(desk, "events_waiting_for_the_model", 2))
    await _comes_back(desk, says())
    await eventually(lambda: _says(desk, "events_assessed_again", 2))


async def _says(desk: ModelDesk, name: str, value: int) -> bool:
    return bool((await desk.worker.health()).detail[name] == value)


async def test_where_none_wait_the_model_is_not_looked_at(desk: ModelDesk) -> None:
    desk.model.described, desk.model.usual = THERE, says()
    await desk.closed("person", at=desk.clock.now() - timedelta(seconds=1))
    await desk.worker.start()
    await eventually(lambda: desk.has("final", 1))
    await eventually(lambda: _says(desk, "events_waiting_for_the_model", 0))
    assert desk.model.looks == 0
