"""A server on loopback that speaks OpenAI's protocol as well, or as badly, as a test tells it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from language.openai_server import OpenAiServer, ServerPlan
from tests.notify.http_sink import Answer, HttpSink, answer


def said(status: int, body: Any, **headers: str) -> Answer:
    return answer(status, json.dumps(body).encode(), **headers)


def models(*names: str, **more: Any) -> Answer:
    return said(200, {"object": "list", "data": [{"id": name, "owned_by": "vllm", **more} for name in names]})


def completion(content: Any = '{"risk_score": 7}', **changes: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}
    return {"model": "nemotron", "system_fingerprint": "vllm-1", "choices": [choice], "usage": usage} | changes


def chat(content: Any = '{"risk_score": 7}', **changes: Any) -> Answer:
    return said(200, completion(content, **changes))


@asynccontextmanager
async def reached(
    *answers: Answer, listed: Answer | None = None, **plan: Any
) -> AsyncIterator[tuple[OpenAiServer, HttpSink]]:
    """A started server, whose questions meet `answers`, the last one again and again."""
    async with HttpSink(listed or models("nemotron", max_model_len=8192), *answers) as sink:
        server = OpenAiServer(ServerPlan(f"http://127.0.0.1:{sink.port}", **plan))
        await server.start()
        try:
            yield server, sink
        finally:
            await server.stop()
