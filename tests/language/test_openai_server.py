"""OpenAiServer against a real server on loopback: starting, and answers of every form."""

from pathlib import Path

import pytest

from language.errors import ModelAway, ModelUnusable
from language.openai_server import OpenAiServer, ServerPlan
from tests.language.chat_sink import chat, completion, models, reached, said
from tests.language.questions import question
from tests.language.server_trials import away, free_port, unstarted
from tests.notify.certificates import Authority
from tests.notify.http_sink import (
    Answer,
    HttpSink,
    answer,
    hang,
    not_http,
)

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
