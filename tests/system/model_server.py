"""A language model's server on loopback: it fails once, repeating the key that it was shown, then it answers well."""

import asyncio
import json
from typing import Any

from tests.language.chat_sink import chat, models, said
from tests.notify.http_sink import HttpSink

SAYS = "A person stays at the door and tries nothing."


def model_server() -> HttpSink:
    """Its address for NEMOTRON_URL is `http://127.0.0.1:{port}/v1`."""
    return HttpSink(_Model())


class _Model:
    def __init__(self) -> None:
        self._has_failed = False

    async def __call__(self, sink: HttpSink, writer: asyncio.StreamWriter) -> None:
        asked = sink.received[-1]
        if asked.line.startswith("GET "):
            told = models("nemotron", max_model_len=8192)
        elif self._has_failed:
            told = chat(json.dumps(_assessment(asked.json)))
        else:
            self._has_failed = True
            told = said(500, {"error": {"message": f"out of memory, {asked.headers.get('authorization')}"}})
        await told(sink, writer)


def _assessment(request: Any) -> dict[str, Any]:
    """What a model that follows the schema says."""
    schema = request["response_format"]["json_schema"]["schema"]
    return {
        "case": schema["properties"]["case"]["enum"][0],
        "reasoning": SAYS,
        "summary": "A person at the door",
        "signs": [],
        "risk": {"level": "medium", "score": 42},
    }
