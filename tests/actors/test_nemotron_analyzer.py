"""The language model's analyzer over a backend that a test scripts: bounds, order, who gives up."""

import asyncio

import pytest

import actors.model_life
import actors.model_talk
from actors.nemotron_analyzer import NemotronAnalyzer
from language.errors import ModelAway, ModelTooSlow, ModelUnusable, QuestionRefused
from schemas.language import Question, Reply
from tests.actors.analyzer_room import PLAN, Room, in_flight, question, room
from tests.actors.fakes import FakeClock
from tests.actors.scripted_backend import ScriptedBackend, reply_to
from tests.eventually import eventually

__all__ = ["room"]


def test_the_constructor_touches_nothing() -> None:
    backend = ScriptedBackend()
    NemotronAnalyzer(backend, PLAN, FakeClock())
    assert (backend.starts, backend.asked) == (0, [])


async def test_it_is_healthy_once_it_has_answered_its_known_question(room: Room) -> None:
    assert await room.message() == "the language model has not been started"
    await room.look()
    health = await room.analyzer.health()
    assert (health.healthy, health.message) == (False, "it is loaded, and has yet to answer its known question")
    assert health.detail["self_check"]["checked_seconds_ago"] is None
    await room.look()
    health = await room.analyzer.health()
    assert (health.healthy, health.message, health.detail["loaded"]) == (True, None, True)
    room.clock.advance(7)
    check = (await room.told())["self_check"]
    assert (check["checked_seconds_ago"], check["understood"], check["healthy"]) == (7.0, True, True)


async def test_a_question_is_answered_and_counted(room: Room) -> None:
    await room.up()
    asked = room.put("a")
    await in_flight(room, "a")
    assert (await room.told())["in_flight"] == 1
    room.clock.advance(2)
    room.backend.answer("a")
    assert (await asked).text == '{"ok": 1}'
    told = await room.told()
    assert (told["questions"], told["answers"], told["in_flight"], told["seconds_per_answer"]) == (1, 1, 0, 2.0)
    assert (told["prompt_tokens"], told["completion_tokens"], told["answers_last_minute"]) == (10, 5, 1)
    assert told["model"] == "scripted"


async def test_figures_without_a_sample_are_null(room: Room) -> None:
    await room.up()
    assert (await room.told())["seconds_per_answer"] is None


async def test_no_more_are_put_to_the_model_than_the_plan_allows(room: Room) -> None:
    await room.up()
    await room.put_all(("a", 0), ("b", 0), ("c", 0))
    assert set(room.backend.pending) == {"a", "b"}
    told = await room.told()
    assert (told["in_flight"], told["waiting"]) == (2, 1)
    room.backend.answer("a")
    await in_flight(room, "b", "c")


async def test_those_that_wait_are_served_by_priority_and_then_by_age(room: Room) -> None:
    await room.up()
    await room.put_all(("a", 0), ("b", 0), ("late", 50), ("urgent", -1000), ("later", 50))
    for name, following in (("a", "urgent"), ("b", "late"), ("urgent", "later")):
        room.backend.answer(name)
        await eventually(lambda expected=following: expected in room.backend.pending)  # type: ignore[misc]


async def test_when_too_many_wait_the_next_one_is_sent_away_at_once(room: Room) -> None:
    await room.up()
    await room.put_all(("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 0))
    with pytest.raises(ModelAway, match=r"^busy: 2 questions are being answered and 3 wait"):
        await room.analyzer.ask(question("f"))
    assert (await room.told())["sent_away_busy"] == 1


async def test_one_that_presses_more_takes_the_place_of_the_least_pressing(room: Room) -> None:
    await room.up()
    *_, least = await room.put_all(("a", 0), ("b", 0), ("c", 0), ("d", 0), ("e", 900))
    room.put("urgent", -1000)
    with pytest.raises(ModelAway, match=r"^busy.*more pressing"):
        await least
    assert (await room.told())["waiting"] == 3


async def test_waiting_counts_towards_a_questions_time(room: Room) -> None:
    await room.up()
    await room.put_all(("a", 0), ("b", 0))
    with pytest.raises(ModelTooSlow):
        await room.analyzer.ask(question("c", within=0.02))
    assert "c" not in room.backend.asked
    waiting = (await room.put_all(("d", 0)))[0]
    room.clock.advance(12)
    room.backend.answer("a")
    await eventually(lambda: "d" in room.backend.questions)
    assert room.backend.questions["d"].within_seconds == pytest.approx(18.0)
    assert not waiting.done()


async def test_nothing_is_asked_twice_at_once(room: Room) -> None:
    await room.up()
    await room.put_all(("a", 0))
    with pytest.raises(QuestionRefused, match="question a is being answered already"):
        await room.analyzer.ask(question("a"))
    room.backend.answer("a")
    await room.tasks[0]
    room.put("a")  # afterwards it may be asked again
    await in_flight(room, "a")
    assert room.backend.asked == ["a", "a"]


async def test_a_caller_who_gives_up_ends_the_work_behind_it(room: Room) -> None:
    await room.up()
    first, _, waiting = await room.put_all(("a", 0), ("b", 0), ("c", 0))
    waiting.cancel()
    first.cancel()
    await eventually(lambda: room.backend.cancelled == ["a"])
    with pytest.raises(asyncio.CancelledError):
        await first
    told = await room.told()
    assert (told["in_flight"], told["waiting"], told["cancelled"]) == (1, 0, 2)
    room.put("a")
    await eventually(lambda: room.backend.asked == ["a", "b", "a"])


async def test_a_turn_that_comes_while_its_caller_gives_up_goes_to_the_next(room: Room) -> None:
    await room.up()
    await room.put_all(("a", 0), ("b", 0), ("c", 0), ("d", 0))
    room.backend.answer("a")
    await asyncio.sleep(0)
    room.tasks[2].cancel()
    await in_flight(room, "b", "d")


async def test_a_question_without_an_answer_in_its_time_is_given_up(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actors.model_talk, "GRACE_SECONDS", 0.0)
    await room.up()
    with pytest.raises(ModelTooSlow):
        await room.analyzer.ask(question("a", within=0.02))
    await eventually(lambda: room.backend.cancelled == ["a"])
    assert (await room.told())["timeouts"] == 1


async def test_a_refused_question_says_nothing_about_the_model(room: Room) -> None:
    await room.up()

    def refuse(_: Question) -> Reply:
        raise QuestionRefused("it does not see")

    room.backend.answer_with = refuse
    for number in range(5):
        with pytest.raises(QuestionRefused):
            await room.analyzer.ask(question(f"q{number}"))
    assert await room.message() is None
    assert (await room.told())["refused"] == 5


async def test_a_defect_of_the_backend_arrives_as_a_model_that_is_away(room: Room) -> None:
    await room.up()

    def defect(_: Question) -> Reply:
        raise KeyError("choices")

    room.backend.answer_with = defect
    with pytest.raises(ModelAway, match="KeyError"):
        await room.analyzer.ask(question("a"))


async def test_three_failures_in_a_row_are_told_until_an_answer_comes(room: Room) -> None:
    await room.up()

    def away(_: Question) -> Reply:
        raise ModelAway("HTTP 500")

    room.backend.answer_with = away
    for number in range(3):
        assert await room.message() is None
        with pytest.raises(ModelAway):
            await room.analyzer.ask(question(f"q{number}"))
    assert await room.message() == "HTTP 500"
    room.backend.answer_with = reply_to
    await room.analyzer.ask(question("good"))
    assert await room.message() is None


async def test_what_somebody_must_mend_is_told_at_once(room: Room) -> None:
    await room.up()

    def unusable(_: Question) -> Reply:
        raise ModelUnusable("401: check NEMOTRON_API_KEY")

    room.backend.answer_with = unusable
    with pytest.raises(ModelUnusable):
        await room.analyzer.ask(question("a"))
    assert await room.message() == "401: check NEMOTRON_API_KEY"


async def test_an_answer_to_another_question_is_none_and_the_engine_is_started_again(room: Room) -> None:
    await room.up()
    room.backend.answer_with = lambda _: reply_to(question("somebody-elses"))
    with pytest.raises(ModelAway, match="answered 'somebody-elses' when it was asked 'a'"):
        await room.analyzer.ask(question("a"))
    await room.look()
    assert (room.backend.stops, (await room.told())["loaded"]) == (1, False)
