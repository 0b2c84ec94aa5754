"""OpenAiServer against a real server on loopback that behaves, and misbehaves in every way one can."""

import asyncio
import contextlib
import json
import logging
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from language.errors import ModelAway, ModelTooSlow, ModelUnusable, QuestionRefused
from language.openai_server import LARGEST_BODY, OpenAiServer, ServerPlan
from tests.language.chat_sink import chat, completion, models, reached, said
from tests.language.questions import question
from tests.notify.certificates import Authority
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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def away(*answers: Answer, **asked: Any) -> str:
    """The reason for which a question is answered by nobody."""
    async with reached(*answers) as (server, _):
        with pytest.raises(ModelAway) as error:
            await server.ask(question(**asked))
    assert "127.0.0.1" in error.value.reason
    return error.value.reason


async def unstarted(*answers: Answer, **plan: Any) -> ModelAway:
    """What start raises."""
    async with HttpSink(*answers) as sink:
        server = OpenAiServer(ServerPlan(f"http://127.0.0.1:{sink.port}", **plan))
        with pytest.raises(ModelAway) as error:
            await server.start()
        assert server.fault() == error.value.reason
        await server.stop()
    return error.value


# --- starting


async def test_the_first_model_is_picked_where_none_is_named() -> None:
    async with reached(chat(), listed=models("nemotron", "another")) as (server, sink):
        await server.ask(question())
        assert sink.received[0].line == "GET /v1/models HTTP/1.1"
        assert sink.received[1].line == "POST /v1/chat/completions HTTP/1.1"
        assert sink.received[1].json["model"] == "nemotron"


async def test_the_model_that_is_named_is_picked() -> None:
    async with reached(chat(model="b"), listed=models("a", "b"), model="b") as (server, sink):
        assert (await server.ask(question())).model == "b"
        assert sink.received[1].json["model"] == "b"


async def test_a_wrong_name_is_answered_with_the_names_there_are() -> None:
    error = await unstarted(models("a", "b"), model="c")
    assert isinstance(error, ModelUnusable)
    assert "no model c (NEMOTRON_URL_MODEL); it has a, b" in error.reason


async def test_a_thousand_names_are_not_all_shown() -> None:
    error = await unstarted(models(*(f"m{number}" for number in range(1000))), model="c")
    assert "m9 and 90 more" in error.reason
    assert "m10" not in error.reason


async def test_names_from_outside_stand_on_one_line() -> None:
    error = await unstarted(models("a\nERROR all is lost\u202e"), model="c")
    assert "a ERROR all is lost" in error.reason
    assert "\n" not in error.reason


async def test_a_server_without_models_may_still_be_loading_one() -> None:
    error = await unstarted(models())
    assert not isinstance(error, ModelUnusable)
    assert "loading" in error.reason


async def test_what_the_server_tells_of_its_model_is_described() -> None:
    async with reached(chat(), listed=models("nemotron", max_model_len=8192, root="/models/x")) as (server, _):
        await server.ask(question())
        described = server.describe()
    assert described["model"] == "nemotron"
    assert described["max_model_len"] == 8192
    assert described["fingerprint"] == "vllm-1"
    assert described["server_software"] == "vllm"
    assert described["backend"] == "openai_server"


async def test_what_the_server_does_not_tell_is_null() -> None:
    async with reached(chat(), listed=models("nemotron", max_model_len=True, owned_by=7)) as (server, _):
        assert server.describe()["max_model_len"] is None
        assert server.describe()["server_software"] is None
        assert server.describe()["fingerprint"] is None


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"data": "a"}', b'{"data": null}', b"[" * 100_000, b"\xff\xfe", b"9" * 5000]
)
async def test_a_list_of_another_shape_is_no_list(body: bytes) -> None:
    assert "127.0.0.1" in (await unstarted(answer(200, body))).reason


async def test_entries_without_a_name_are_left_out() -> None:
    odd = [7, None, {}, {"id": 3}, {"id": ""}, {"id": "x" * 5000}, {"id": "good"}]
    async with reached(chat(), listed=said(200, {"data": odd})) as (server, _):
        assert server.describe()["model"] == "good"


async def test_a_server_that_never_lists_its_models_is_away() -> None:
    assert "within 0.2 s" in (await unstarted(hang, start_seconds=0.2)).reason


async def test_an_address_without_the_protocol_says_where_it_is_written() -> None:
    error = await unstarted(answer(404, b"<html>not here</html>"))
    assert isinstance(error, ModelUnusable)
    assert "NEMOTRON_URL" in error.reason
    assert "html" not in error.reason


async def test_redirects_are_not_followed() -> None:
    error = await unstarted(answer(302, Location="http://169.254.169.254/"))
    assert isinstance(error, ModelUnusable)
    assert "redirects" in error.reason
    assert "169.254" not in error.reason


async def test_cookies_are_not_kept_and_not_sent_back() -> None:
    marked = said(200, completion(), Set_Cookie="home=1; Path=/")
    async with reached(marked, listed=models_with_cookie()) as (server, sink):
        await server.ask(question())
        await server.ask(question(id="batch-2"))
    assert len(sink.received) == 3
    assert all("cookie" not in request.headers for request in sink.received)


def models_with_cookie() -> Answer:
    return said(200, {"data": [{"id": "nemotron"}]}, Set_Cookie="seen=1; Path=/; Max-Age=99999")


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with reached(chat()) as (server, _):
        assert (await server.ask(question())).text


async def test_nothing_listens() -> None:
    server = OpenAiServer(ServerPlan(f"http://127.0.0.1:{free_port()}/v1"))
    with pytest.raises(ModelAway, match="nothing listens at"):
        await server.start()
    assert "nothing listens at" in (server.fault() or "")
    await server.stop()


async def test_a_host_that_nobody_knows() -> None:
    server = OpenAiServer(ServerPlan("http://no-such-host.invalid"))
    with pytest.raises(ModelAway, match=r"not known|cannot be reached"):
        await server.start()
    await server.stop()


async def test_a_certificate_that_nobody_trusts_says_what_to_do(tmp_path: Path) -> None:
    async with HttpSink(models("a"), tls=Authority(tmp_path).server("127.0.0.1")) as sink:
        server = OpenAiServer(ServerPlan(f"https://127.0.0.1:{sink.port}"))
        with pytest.raises(ModelUnusable, match=r"certificate.*SSL_CERT_FILE"):
            await server.start()
        await server.stop()


async def test_https_to_a_server_without_it() -> None:
    async with HttpSink(not_http) as sink:
        server = OpenAiServer(ServerPlan(f"https://127.0.0.1:{sink.port}", start_seconds=5))
        with pytest.raises(ModelAway):
            await server.start()
        await server.stop()


async def test_a_question_before_the_start_or_after_the_stop_finds_nobody() -> None:
    async with HttpSink(models("nemotron")) as sink:
        server = OpenAiServer(ServerPlan(f"http://127.0.0.1:{sink.port}"))
        with pytest.raises(ModelAway, match="not been started"):
            await server.ask(question())
        await server.start()
        assert server.fault() is None
        await server.stop()
        with pytest.raises(ModelAway, match="stopped"):
            await server.ask(question())
        await server.stop()


async def test_it_may_be_started_again() -> None:
    async with HttpSink(models("nemotron"), models("nemotron"), chat()) as sink:
        server = OpenAiServer(ServerPlan(f"http://127.0.0.1:{sink.port}"))
        await server.start()
        await server.stop()
        await server.start()
        assert (await server.ask(question())).text
        await server.stop()


# --- answers


async def test_an_answer_comes_back_with_the_questions_name() -> None:
    async with reached(chat('{"a": 1}')) as (server, _):
        reply = await server.ask(question(id="q-7"))
    assert (reply.id, reply.text, reply.finish_reason, reply.model) == ("q-7", '{"a": 1}', "stop", "nemotron")
    assert (reply.fingerprint, reply.prompt_tokens, reply.completion_tokens) == ("vllm-1", 40, 9)
    assert reply.seconds >= 0


async def test_a_model_that_only_thought_has_no_text() -> None:
    thought = {"role": "assistant", "content": None, "reasoning": "hm", "reasoning_content": "hm"}
    choices = [{"index": 0, "message": thought, "finish_reason": "length"}]
    async with reached(chat(choices=choices)) as (server, _):
        reply = await server.ask(question())
    assert reply.text is None
    assert reply.finish_reason == "length"


@pytest.mark.parametrize("reason", ["length", "content_filter", None])
async def test_why_it_ended_is_passed_on(reason: str | None) -> None:
    choices = [{"index": 0, "message": {"content": "{}"}, "finish_reason": reason}]
    async with reached(chat(choices=choices)) as (server, _):
        assert (await server.ask(question())).finish_reason == reason


async def test_what_cannot_be_stored_is_made_storable() -> None:
    async with reached(chat("half \ud800 pair", system_fingerprint=["no"], usage={"prompt_tokens": -1})) as (server, _):
        reply = await server.ask(question())
    assert reply.text == "half ? pair"
    assert reply.fingerprint is None
    assert reply.prompt_tokens is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"choices": null}',
        b'{"choices": {}}',
        b'{"choices": ["a"]}',
        b'{"choices": [{"index": 0}]}',
        b'{"choices": [{"index": 0, "message": "hello"}]}',
        b'{"choices": [{"index": 0, "message": {"content": 7}}]}',
        b'{"choices": [{"index": 0, "message": {"content": {"risk_score": 1}}}]}',
        b'{"a":' * 50_000,
    ],
)
async def test_an_answer_of_another_shape_is_none(body: bytes) -> None:
    assert "answered" in await away(answer(200, body))


async def test_no_choices_are_no_answer() -> None:
    assert "0 choices" in await away(chat(choices=[]))


async def test_several_choices_are_no_answer() -> None:
    choices = completion()["choices"]
    assert "2 choices" in await away(chat(choices=[*choices, *choices]))


async def test_another_choice_than_the_first_is_no_answer() -> None:
    choices = [completion()["choices"][0] | {"index": 1}]
    assert "choices" in await away(chat(choices=choices))


async def test_another_models_answer_is_no_answer() -> None:
    assert "the model gpt-1, where nemotron was asked" in await away(chat(model="gpt-1"))


@pytest.mark.parametrize("name", ["nemotron", "nemotron-2026-01-01"])
async def test_a_dated_name_is_the_same_model(name: str) -> None:
    async with reached(chat(model=name)) as (server, _):
        assert (await server.ask(question())).model == name


async def test_a_last_part_of_a_name_is_the_same_model() -> None:
    async with reached(chat(model="nano"), listed=models("nvidia/nano")) as (server, _):
        assert (await server.ask(question())).model == "nano"


async def test_a_packed_answer_is_not_unpacked() -> None:
    """Nothing packed was asked for: a kilobyte of it may be a gigabyte of text."""
    packed = answer(200, b"\x1f\x8b\x08\x00" + b"\x00" * 100, Content_Encoding="gzip")
    assert "not JSON" in await away(packed)


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
