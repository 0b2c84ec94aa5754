"""A question to OpenAiServer and what becomes of it, in one line each."""

import socket
from typing import Any

import pytest

from language.errors import ModelAway
from language.openai_server import OpenAiServer, ServerPlan
from tests.language.chat_sink import reached
from tests.language.questions import question
from tests.notify.http_sink import (
    Answer,
    HttpSink,
)


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
