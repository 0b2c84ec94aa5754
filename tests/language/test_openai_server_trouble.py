"""OpenAiServer against a real server on loopback that refuses, hangs, breaks off and floods in every way one can."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from language.errors import ModelAway, ModelTooSlow, ModelUnusable, QuestionRefused
from language.openai_server import LARGEST_BODY, OpenAiServer, ServerPlan
from tests.language.chat_sink import chat, models, reached, said
from tests.language.questions import question
from tests.language.server_trials import away, unstarted
from tests.notify.http_sink import (
    Answer,
    HttpSink,
    answer,
    drip_body,
    drip_headers,
    endless_body,
    hang,
    not_http,
    reset_before_answer,
    reset_mid_body,
)

KEY = "nvapi-7c1e94f2a8b0"


class HandClock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> Any:
        raise AssertionError("the wall clock decides nothing here")

    def monotonic(self) -> float:
        return self.seconds


# --- refusals


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_accepted_names_the_setting_and_not_the_key(status: int) -> None:
    echo = said(status, {"error": {"message": f"Incorrect API key provided: {KEY}"}})
    async with reached(echo, api_key=KEY) as (server, _):
        with pytest.raises(ModelUnusable, match="does not accept the key in NEMOTRON_API_KEY") as error:
            await server.ask(question())
    assert KEY not in error.value.reason


async def test_a_missing_key_is_asked_for() -> None:
    assert "set NEMOTRON_API_KEY" in (await unstarted(answer(401))).reason


async def test_the_key_goes_along_as_a_bearers() -> None:
    async with reached(chat(), api_key=KEY) as (server, sink):
        await server.ask(question())
        assert [one.headers["authorization"] for one in sink.received] == [f"Bearer {KEY}"] * 2


async def test_without_a_key_none_goes_along() -> None:
    async with reached(chat()) as (server, sink):
        await server.ask(question())
        assert all("authorization" not in one.headers for one in sink.received)


@pytest.mark.parametrize("key", ["two words", "line\nend", "clé"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key: str) -> None:
    with pytest.raises(ModelUnusable, match="NEMOTRON_API_KEY") as error:
        OpenAiServer(ServerPlan("http://gpu-box", api_key=key))
    assert key not in error.value.reason


async def test_neither_key_nor_path_are_in_errors_logs_or_repr(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "language")
    caplog.set_level(logging.INFO)
    loud = said(500, {"error": f"key {KEY} at /geheim/v1", "n": 1})
    async with HttpSink(models("nemotron"), loud) as sink:
        plan = ServerPlan(f"http://127.0.0.1:{sink.port}/geheim/v1", api_key=KEY)
        server = OpenAiServer(plan)
        await server.start()
        with pytest.raises(ModelAway) as error:
            await server.ask(question())
        shown = [repr(plan), repr(server), json.dumps(server.describe()), error.value.reason]
        shown += [record.getMessage() for record in caplog.records if record.name.startswith("language")]
        await server.stop()
    assert not [text for text in shown if KEY in text or "geheim" in text]


@pytest.mark.parametrize("status", [400, 422])
async def test_a_question_that_is_refused_is_no_fault_of_the_server(status: int) -> None:
    words = {"error": {"message": "This model's maximum context length is 512 tokens.\nShorten\u202e it" + "." * 999}}
    async with reached(said(status, words), chat()) as (server, _):
        with pytest.raises(QuestionRefused) as error:
            await server.ask(question())
        assert "maximum context length is 512 tokens. Shorten it" in error.value.reason
        assert len(error.value.reason) < 400
        assert server.fault() is None
        assert (await server.ask(question())).text


@pytest.mark.parametrize(
    "said_as", [{"detail": "nope"}, {"error": "nope"}, {"message": "nope"}, {"detail": [{"m": "nope"}]}]
)
async def test_a_refusal_is_quoted_however_it_is_written(said_as: dict[str, Any]) -> None:
    async with reached(said(400, said_as)) as (server, _):
        with pytest.raises(QuestionRefused, match="nope"):
            await server.ask(question())


async def test_a_refusal_without_words_is_one_too() -> None:
    async with reached(answer(400, b"<html>")) as (server, _):
        with pytest.raises(QuestionRefused, match=r"HTTP 400$"):
            await server.ask(question())


async def test_a_question_that_is_too_large_is_refused() -> None:
    async with reached(answer(413)) as (server, _):
        with pytest.raises(QuestionRefused, match="too large"):
            await server.ask(question())


async def test_a_model_that_is_gone_is_looked_for_again() -> None:
    gone = said(404, {"error": {"message": "The model `nemotron` does not exist."}})
    async with reached(gone, models("successor"), chat(model="successor")) as (server, sink):
        with pytest.raises(ModelUnusable, match="does not exist"):
            await server.ask(question())
        assert (await server.ask(question())).model == "successor"
        assert sink.received[-1].json["model"] == "successor"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_a_busy_or_broken_server_is_away(status: int) -> None:
    reason = await away(said(status, {"error": {"message": "EngineCore died"}}))
    assert f"HTTP {status}: EngineCore died" in reason


@pytest.mark.parametrize("status", [402, 405, 410])
async def test_what_only_a_person_can_mend_is_unusable(status: int) -> None:
    async with reached(answer(status)) as (server, _):
        with pytest.raises(ModelUnusable, match=f"HTTP {status}"):
            await server.ask(question())


@pytest.mark.parametrize("status", [204, 301])
async def test_no_other_status_is_an_answer(status: int) -> None:
    assert str(status) in await away(answer(status))


# --- waiting


@contextlib.asynccontextmanager
async def resting(clock: HandClock, *answers: Answer) -> AsyncIterator[tuple[OpenAiServer, HttpSink]]:
    async with HttpSink(models("nemotron"), *answers) as sink:
        server = OpenAiServer(ServerPlan(f"http://127.0.0.1:{sink.port}"), clock)
        await server.start()
        with pytest.raises(ModelAway):
            await server.ask(question())
        yield server, sink
        await server.stop()


async def test_a_server_that_asks_to_wait_is_left_alone_so_long() -> None:
    clock = HandClock()
    async with resting(clock, answer(429, Retry_After="20"), chat()) as (server, sink):
        clock.seconds += 19
        with pytest.raises(ModelAway, match="left alone for 1 s more"):
            await server.ask(question())
        assert len(sink.received) == 2
        clock.seconds += 2
        assert (await server.ask(question())).text


@pytest.mark.parametrize("wait", ["999999999", "Fri, 01 Jan 2100 00:00:00 GMT"])
async def test_nobody_is_left_alone_for_ever(wait: str) -> None:
    clock = HandClock()
    long = answer(503, Retry_After=wait, Date="Fri, 02 Jan 2026 00:00:00 GMT")
    async with resting(clock, long, chat()) as (server, _):
        clock.seconds += 61
        assert (await server.ask(question())).text


@pytest.mark.parametrize("wait", ["soon", "-5", "1e9", "Fri, 01 Jan 2100 00:00:00 GMT", "9" * 400])
async def test_a_wait_that_cannot_be_read_is_none(wait: str) -> None:
    async with resting(HandClock(), answer(429, Retry_After=wait), chat()) as (server, _):
        assert (await server.ask(question())).text


async def flood_of_beginnings(sink: HttpSink, writer: asyncio.StreamWriter) -> None:
    """Answers that are none yet, as fast as they are taken."""
    while not sink.closing.is_set():
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500)
        await writer.drain()


@pytest.mark.parametrize(
    "silent",
    [hang, drip_headers, drip_body, flood_of_beginnings],
    ids=["never", "dripping headers", "dripping body", "a flood of 103"],
)
async def test_no_answer_in_time_is_given_up(silent: Answer) -> None:
    async with reached(silent, chat()) as (server, sink):
        with pytest.raises(ModelTooSlow, match=r"0\.3 s"):
            await server.ask(question(within_seconds=0.3))
        assert len(sink.received) == 2
        assert server.fault() is None
        assert (await server.ask(question())).text


async def test_a_cancelled_question_leaves_the_server() -> None:
    left = asyncio.Event()

    async def notices(sink: HttpSink, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"HTTP/1.1 102 Processing\r\n\r\n")
                await writer.drain()
                if writer.is_closing():
                    break
                await asyncio.sleep(0.01)
        left.set()

    async with reached(notices) as (server, sink):
        sink.asked.clear()
        asking = asyncio.create_task(server.ask(question()))
        await sink.asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(left.wait(), 30)


async def test_an_endless_answer_is_cut_off() -> None:
    async with reached(endless_body) as (server, sink):
        with pytest.raises(ModelAway, match="more than 1 MB"):
            await server.ask(question())
        assert sink.body_bytes_written < 20 * LARGEST_BODY


@pytest.mark.parametrize(
    "broken", [reset_before_answer, reset_mid_body, not_http], ids=["at once", "midway", "not HTTP"]
)
async def test_a_connection_that_breaks_off_is_no_answer(broken: Answer) -> None:
    async with reached(broken, chat()) as (server, _):
        with pytest.raises(ModelAway):
            await server.ask(question())
        assert server.fault() is None
        assert (await server.ask(question())).text


async def test_every_question_has_a_connection_of_its_own() -> None:
    async with reached(chat()) as (server, sink):
        await server.ask(question())
        await server.ask(question())
        assert sink.connections == 3


async def test_a_server_that_went_away_is_asked_again_when_it_is_back() -> None:
    port = 0
    async with reached(chat()) as (server, sink):
        port = sink.port
        await server.ask(question())
        sink._server.close()
        with pytest.raises(ModelAway, match="nothing listens"):
            await server.ask(question())
        assert server.fault() is None
        back = HttpSink(chat())
        back._server = await asyncio.start_server(back._handle, "127.0.0.1", port)
        assert (await server.ask(question())).text
        await back.__aexit__(None, None, None)


# --- what not every server takes


async def test_what_the_server_does_not_take_is_left_out_from_then_on() -> None:
    strict = said(400, {"error": {"message": "Unrecognized request argument supplied: priority"}})
    stricter = said(422, {"detail": [{"loc": ["body", "chat_template_kwargs"], "msg": "extra fields not permitted"}]})
    async with reached(strict, stricter, chat()) as (server, sink):
        assert (await server.ask(question(priority=5))).text
        assert (await server.ask(question(priority=5))).text
        asked = [one.json for one in sink.received[1:]]
        assert server.describe()["left_out"] == ["chat_template_kwargs", "priority"]
    assert ["priority" in body for body in asked] == [True, False, False, False]
    assert ["chat_template_kwargs" in body for body in asked] == [True, True, False, False]


async def test_a_server_that_refuses_everything_is_asked_no_more_than_there_are_options() -> None:
    words = {"error": "priority chat_template_kwargs thinking_token_budget"}
    async with reached(said(400, words), thinking_tokens=64) as (server, sink):
        with pytest.raises(QuestionRefused):
            await server.ask(question(priority=5))
        assert len(sink.received) == 1 + 4
