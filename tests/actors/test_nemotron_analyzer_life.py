"""The language model's analyzer over a backend that a test scripts: deaths, hangs, switching, honest health."""

import asyncio

import pytest

import actors.model_life
import actors.model_talk
from actors.model_life import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, STABLE_SECONDS, UNUSABLE_WAIT_SECONDS
from actors.nemotron_analyzer import AnalyzerPlan
from actors.signs_of_life import CHECK_AGAIN_SECONDS, CHECK_EVERY_SECONDS, ROUNDS_UNTIL_HUNG, SILENT_SECONDS
from language.errors import ModelAway, ModelTooSlow, ModelUnusable, QuestionRefused
from tests.actors.analyzer_room import Room, question, room
from tests.eventually import eventually

__all__ = ["room"]


async def test_an_engine_that_dies_is_loaded_again_after_five_seconds(room: Room) -> None:
    await room.up()
    asked, _, waiting = await room.put_all(("a", 0), ("b", 0), ("c", 0))
    room.backend.die("EngineCore exited with 9")
    await room.look()
    for task in (asked, waiting):
        with pytest.raises(ModelAway, match="EngineCore exited with 9"):
            await task
    assert await room.message() == "EngineCore exited with 9; it is tried again in 5 s"
    with pytest.raises(ModelAway, match="tried again in 5 s"):
        await room.analyzer.ask(question("d"))
    await room.look(FIRST_WAIT_SECONDS - 1)
    assert room.backend.starts == 1
    await room.look(1)
    await room.look()
    assert room.backend.starts == 2
    assert await room.message() is None
    assert (await room.told())["loads"] == 2


async def test_the_wait_before_the_next_load_doubles_up_to_five_minutes(room: Room) -> None:
    room.backend.start_raises.extend(ModelAway("out of memory") for _ in range(9))
    await room.look()
    waits = []
    for starts in range(2, 10):
        waited = 0.0
        while room.backend.starts < starts:
            await room.look(1)
            waited += 1
        waits.append(waited)
    assert waits == [5, 10, 20, 40, 80, 160, LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS]
    assert room.backend.stops == 9


async def test_a_server_may_be_looked_for_more_often() -> None:
    room = Room(AnalyzerPlan(longest_wait_seconds=7.0))
    room.backend.start_raises.extend(ModelAway("nothing listens there") for _ in range(3))
    await room.look()
    for _ in range(5 + 7 + 7):
        await room.look(1)
    assert room.backend.starts == 4
    await room.analyzer.stop()


async def test_a_model_that_held_for_long_begins_anew_with_short_waits(room: Room) -> None:
    room.backend.start_raises.extend(ModelAway("out of memory") for _ in range(3))
    for _ in range(40):
        await room.look(1)
    assert room.backend.starts == 4
    room.clock.advance(STABLE_SECONDS)
    room.backend.die()
    await room.look()
    assert (await room.message() or "").endswith("tried again in 5 s")


async def test_a_folder_that_somebody_must_mend_is_looked_at_every_minute(room: Room) -> None:
    room.backend.start_raises.extend(ModelUnusable("config.json is missing in /m") for _ in range(3))
    await room.look()
    assert await room.message() == "config.json is missing in /m; it is tried again in 60 s"
    for _ in range(int(UNUSABLE_WAIT_SECONDS) * 2 + 30):
        await room.look(1)
    assert room.backend.starts == 3


async def test_a_start_that_fails_with_anything_is_told_and_outlived(room: Room) -> None:
    room.backend.start_raises.append(RuntimeError("CUDA driver"))
    await room.look()
    assert (await room.message() or "").startswith("the language model could not be loaded (RuntimeError: CUDA driver)")


async def test_while_it_loads_it_says_since_when_and_takes_no_question(room: Room) -> None:
    room.backend.holds_start = asyncio.Event()
    await room.analyzer.start()
    await eventually(lambda: room.backend.starts == 1)
    room.clock.advance(12)
    assert await room.message() == "the language model is being loaded, for 12 s so far"
    with pytest.raises(ModelAway, match="being loaded, for 12 s"):
        await room.analyzer.ask(question("a"))


async def time_out(room: Room, *names: str) -> None:
    asked = [room.analyzer.ask(question(name, within=0.02)) for name in names]
    for result in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(result, ModelTooSlow)
    room.clock.advance(0.1)


@pytest.fixture
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors.model_talk, "GRACE_SECONDS", 0.0)


@pytest.mark.usefixtures("no_grace")
async def test_an_engine_that_hangs_is_stopped_and_started_again(room: Room) -> None:
    await room.up()
    for number in range(ROUNDS_UNTIL_HUNG):
        assert room.backend.stops == 0
        await time_out(room, f"q{number}")
    await room.look()
    assert room.backend.stops == 1
    assert (await room.message() or "").startswith("the language model hung: 3 questions in a row had no answer")
    await room.look(FIRST_WAIT_SECONDS)
    await room.look()
    assert await room.message() is None


@pytest.mark.usefixtures("no_grace")
async def test_many_that_are_slow_together_are_one_slow_round(room: Room) -> None:
    await room.up()
    await time_out(room, "a", "b")
    await time_out(room, "c", "d")
    await room.look()
    assert room.backend.stops == 0


@pytest.mark.usefixtures("no_grace")
async def test_an_answer_in_between_shows_that_it_does_not_hang(room: Room) -> None:
    await room.up()
    for number in range(ROUNDS_UNTIL_HUNG * 2):
        await time_out(room, f"q{number}")
        if number % 2:
            await room.put_all((f"good{number}", 0))
            room.backend.answer(f"good{number}")
            await room.tasks[-1]
    await room.look()
    assert room.backend.stops == 0


@pytest.mark.usefixtures("no_grace")
async def test_a_server_elsewhere_that_hangs_is_told_and_not_restarted() -> None:
    room = Room(AnalyzerPlan(2, 3, 0.05, restarts_when_hung=False))
    await room.up()
    for number in range(ROUNDS_UNTIL_HUNG):
        await time_out(room, f"q{number}")
    room.clock.advance(SILENT_SECONDS)
    assert (await room.message() or "").startswith("3 questions in a row had no answer in their time")
    await room.look()
    assert (room.backend.stops, room.backend.starts) == (0, 1)
    await eventually(lambda: room.backend.known_asked == 2)  # it is asked whether it is back
    await asyncio.sleep(0)
    assert await room.message() is None
    await room.analyzer.stop()


async def test_an_engine_that_answers_nobody_for_long_hangs_though_each_caller_gave_up(room: Room) -> None:
    await room.up()
    room.backend.hangs = True
    await room.put_all(("a", 0), ("b", 0))
    await room.look(SILENT_SECONDS / 2)
    assert room.backend.stops == 0
    await room.look(SILENT_SECONDS / 2 + 1)
    assert room.backend.stops == 1
    with pytest.raises(ModelAway, match="nobody had an answer for 180 s"):
        await room.tasks[0]


async def test_an_idle_engine_does_not_hang(room: Room) -> None:
    await room.up()
    for _ in range(5):
        await room.look(SILENT_SECONDS)
    assert room.backend.stops == 0


async def test_the_known_question_is_asked_every_minute_unless_somebody_had_an_answer(room: Room) -> None:
    await room.up()
    assert room.backend.known_asked == 1
    await room.look(CHECK_EVERY_SECONDS - 1)
    assert room.backend.known_asked == 1
    await room.put_all(("a", 0))
    room.backend.answer("a")
    await room.tasks[0]
    await room.look(CHECK_EVERY_SECONDS - 1)
    assert room.backend.known_asked == 1
    assert (await room.told())["self_check"]["checked_seconds_ago"] == CHECK_EVERY_SECONDS - 1
    await room.look(1)
    assert room.backend.known_asked == 2


async def test_a_wrong_form_of_the_known_answer_is_a_fault_and_a_wrong_answer_only_told(room: Room) -> None:
    room.backend.known_text = '{"incident": "cat_walking"}'
    await room.up()
    assert await room.message() is None
    assert (await room.told())["self_check"]["understood"] is False
    room.backend.known_text = "\n\n\n\n"
    await room.look(CHECK_EVERY_SECONDS)
    assert "none of those asked for" in (await room.message() or "")
    room.backend.known_text = None
    await room.look(CHECK_AGAIN_SECONDS)
    assert "NEMOTRON_THINKING" in (await room.message() or "")
    room.backend.known_text = '{"incident": "window_broken"}'
    await room.look(CHECK_AGAIN_SECONDS)
    assert await room.message() is None


async def test_a_known_question_that_is_refused_says_why(room: Room) -> None:
    room.backend.known_raises = QuestionRefused("this model takes no pictures: set NEMOTRON_VISION=false")
    await room.up()
    assert "set NEMOTRON_VISION=false" in (await room.message() or "")


async def test_the_known_question_is_served_last_and_carries_a_picture_where_the_model_is_to_see() -> None:
    room = Room(AnalyzerPlan(2, 3, 0.05, picture=b"\xff\xd8"))
    room.backend.hangs = True
    await room.up()
    asked = room.backend.questions["known-question-1"]
    assert (asked.priority, asked.pictures) == (2000, (b"\xff\xd8",))
    await room.analyzer.stop()


async def test_switched_off_while_something_is_in_flight_everybody_is_told(room: Room) -> None:
    await room.analyzer.start()
    await eventually(lambda: room.backend.known_asked == 1)
    tasks = await room.put_all(("a", 0), ("b", 0), ("c", 0))
    await room.analyzer.switch(False)
    for task in tasks:
        with pytest.raises(ModelAway, match="switched off"):
            await task
    assert set(room.backend.cancelled) == {"a", "b"}
    told = await room.told()
    assert (told["switched_on"], told["loaded"], room.backend.stops) == (False, False, 1)
    with pytest.raises(ModelAway, match="switched off: enable the service"):
        await room.analyzer.ask(question("d"))
    await room.analyzer.switch(True)
    await eventually(lambda: room.backend.known_asked == 2)
    assert room.backend.starts == 2


async def test_of_several_wishes_the_last_one_holds(room: Room) -> None:
    await room.analyzer.start()
    await asyncio.gather(*(room.analyzer.switch(on) for on in (False, True, False)))
    assert (await room.told())["switched_on"] is False
    await asyncio.gather(*(room.analyzer.switch(on) for on in (True, False, True)))
    await eventually(lambda: room.backend.known_asked > 0)
    assert (await room.told())["switched_on"] is True


async def test_switched_off_while_it_loads_the_load_is_broken_off(room: Room) -> None:
    room.backend.holds_start = asyncio.Event()
    await room.analyzer.start()
    await eventually(lambda: room.backend.starts == 1)
    await room.analyzer.switch(False)
    assert room.backend.stops == 1
    assert "switched off" in (await room.message() or "")


async def test_started_twice_it_loads_once_and_stopped_twice_it_is_stopped(room: Room) -> None:
    await room.analyzer.start()
    await room.analyzer.start()
    await eventually(lambda: room.backend.known_asked == 1)
    assert room.backend.starts == 1
    await room.analyzer.stop()
    await room.analyzer.stop()
    assert await room.message() == "the language model has been stopped"


async def test_one_that_does_not_end_needs_a_new_process(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actors.model_life, "STOP_SECONDS", 0.02)
    await room.up()
    room.backend.never_stops = True
    room.backend.die()
    await room.look()
    assert "restart the service" in (room.analyzer.beyond_help or "")
    assert "restart the service" in (await room.message() or "")
    await room.look(FIRST_WAIT_SECONDS)
    assert room.backend.starts == 1
