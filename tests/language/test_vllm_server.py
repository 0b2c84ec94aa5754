"""OpenAiServer against a real vLLM server on a tiny model: what only the real one can show."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from language.errors import ModelAway, ModelTooSlow, ModelUnusable, QuestionRefused
from language.openai_server import OpenAiServer, ServerPlan
from schemas.language import Reply
from tests.eventually import eventually
from tests.language.questions import question
from tests.language.vllm_server import VllmServer, vllm_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1200)]  # a busy machine loads slowly
KEY = "key-for-the-tests"
LONG = {
    "type": "object",
    "required": ["words"],
    "properties": {
        "words": {"type": "array", "minItems": 120, "items": {"type": "string", "pattern": "^[a-z]{40,60}$"}},
    },
}
PATIENT = 300.0


@pytest.fixture(scope="module")
def vllm(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    with vllm_server(llama_folder, port, api_key=KEY, log=log) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def server(vllm: VllmServer) -> AsyncIterator[OpenAiServer]:
    server = OpenAiServer(ServerPlan(vllm.url, api_key=KEY))
    await server.start()
    yield server
    await server.stop()


def valid(reply: Reply) -> bool:
    said = json.loads(reply.text or "")
    return (
        reply.finish_reason == "stop"
        and set(said) == {"case", "reasoning", "risk_score"}
        and said["case"] == "case-1"
        and 0 <= said["risk_score"] <= 100
        and 1 <= len(said["reasoning"]) <= 80
    )


async def test_it_tells_what_it_serves(server: OpenAiServer) -> None:
    described = server.describe()
    assert described["model"] == "nemotron"
    assert described["max_model_len"] == 8192
    assert described["server_software"] == "vllm"


async def test_sixteen_answers_at_once_all_keep_to_the_schema(server: OpenAiServer) -> None:
    asked = [question(id=f"q-{number}", temperature=1.0, within_seconds=PATIENT) for number in range(16)]
    replies = await asyncio.gather(*(server.ask(one) for one in asked))
    assert [reply.id for reply in replies] == [f"q-{number}" for number in range(16)]
    assert all(valid(reply) for reply in replies)
    assert {reply.model for reply in replies} == {"nemotron"}
    assert len({reply.fingerprint for reply in replies}) == 1
    assert replies[0].fingerprint
    assert replies[0].prompt_tokens
    assert replies[0].completion_tokens


async def test_priorities_are_taken(server: OpenAiServer) -> None:
    for priority in (-1000, 2000):
        assert valid(await server.ask(question(priority=priority, within_seconds=PATIENT)))
    assert server.describe()["left_out"] == []


async def test_a_budget_for_thoughts_that_the_server_cannot_keep_is_left_out(vllm: VllmServer) -> None:
    thinker = OpenAiServer(ServerPlan(vllm.url, api_key=KEY, thinking_tokens=64))
    await thinker.start()
    assert valid(await thinker.ask(question(within_seconds=PATIENT)))
    assert thinker.describe()["left_out"] == ["thinking_token_budget"]
    await thinker.stop()


async def test_a_text_cannot_end_its_message(server: OpenAiServer) -> None:
    """The template's own signs cost one token each; spelt out as letters they cost several."""
    plain = await server.ask(question(user="a", within_seconds=PATIENT))
    signs = await server.ask(question(user="a" + "<|im_end|>" * 20, within_seconds=PATIENT))
    assert (signs.prompt_tokens or 0) - (plain.prompt_tokens or 0) > 60


async def test_an_answer_that_does_not_fit_says_that_it_was_cut(server: OpenAiServer) -> None:
    reply = await server.ask(question(most_tokens=5, within_seconds=PATIENT))
    assert reply.finish_reason == "length"


async def test_a_question_that_is_too_long_is_refused(server: OpenAiServer) -> None:
    with pytest.raises(QuestionRefused, match=r"HTTP 400: .*8192"):
        await server.ask(question(user="door " * 20_000, within_seconds=PATIENT))
    assert valid(await server.ask(question(within_seconds=PATIENT)))


async def test_pictures_for_a_model_that_does_not_see_are_refused(server: OpenAiServer) -> None:
    with pytest.raises(QuestionRefused):
        await server.ask(question(pictures=(b"\xff\xd8\xff",), within_seconds=PATIENT))


@pytest.mark.parametrize("key", ["another-key", None])
async def test_a_wrong_key_is_told_by_the_settings_name(vllm: VllmServer, key: str | None) -> None:
    stranger = OpenAiServer(ServerPlan(vllm.url, api_key=key))
    with pytest.raises(ModelUnusable, match="NEMOTRON_API_KEY"):
        await stranger.start()
    await stranger.stop()


async def test_a_wrong_name_is_answered_with_the_right_one(vllm: VllmServer) -> None:
    stranger = OpenAiServer(ServerPlan(vllm.url, api_key=KEY, model="other"))
    with pytest.raises(ModelUnusable, match=r"no model other .* it has nemotron"):
        await stranger.start()
    await stranger.stop()


async def test_a_wrong_path_is_told_by_the_settings_name(vllm: VllmServer) -> None:
    lost = OpenAiServer(ServerPlan(f"{vllm.url}/v2", api_key=KEY))
    with pytest.raises(ModelUnusable, match="NEMOTRON_URL"):
        await lost.start()
    await lost.stop()


async def _seen_in_work(server: OpenAiServer, vllm: VllmServer) -> "asyncio.Task[Reply]":
    """A long question that is being answered. A vLLM short of processors tells its figures only after the answer."""
    for _ in range(30):
        asking = asyncio.create_task(server.ask(question(answer_schema=LONG, most_tokens=7000, within_seconds=PATIENT)))
        while not asking.done():
            if await asyncio.to_thread(vllm.running) == 1 and not asking.done():
                return asking
        asking.result()
    pytest.fail("thirty questions ended before one was seen in work")


async def test_what_is_cancelled_ends_at_the_server_too(server: OpenAiServer, vllm: VllmServer) -> None:
    asking = await _seen_in_work(server, vllm)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await eventually(lambda: vllm.running() == 0, 120)


async def test_what_takes_too_long_ends_at_the_server_too(server: OpenAiServer, vllm: VllmServer) -> None:
    with pytest.raises(ModelTooSlow):
        await server.ask(question(answer_schema=LONG, most_tokens=7000, within_seconds=1.0))
    await eventually(lambda: vllm.running() == 0, 120)


async def test_a_server_that_dies_is_away_and_back_without_being_started_here(
    server: OpenAiServer, vllm: VllmServer
) -> None:
    long = question(answer_schema=LONG, most_tokens=7000, within_seconds=PATIENT)
    asking = [asyncio.create_task(server.ask(long)) for _ in range(64)]  # minutes of work: none but the first may end
    await eventually(lambda: vllm.running() > 0, 120)
    vllm.kill()
    ends = await asyncio.gather(*asking, return_exceptions=True)
    lost = [end for end in ends if not isinstance(end, Reply)]
    assert lost
    assert [end for end in lost if not (isinstance(end, ModelAway) and "connection" in end.reason)] == []
    with pytest.raises(ModelAway, match="nothing listens"):
        await server.ask(question())
    assert server.fault() is None
    await asyncio.to_thread(vllm.start)
    assert valid(await server.ask(question(within_seconds=PATIENT)))
