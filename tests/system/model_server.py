"""A language model's server on loopback: its first assessment fails, in words that repeat the key."""

import asyncio
import json
from typing import Any

from tests.language.chat_sink import chat, models, said
from tests.notify.http_sink import Answer, HttpSink, Received

SAYS = "A person stays at the door and tries nothing."


def model_server() -> HttpSink:
    """Its address for NEMOTRON_URL is `http://127.0.0.1:{port}/v1`."""
    return HttpSink(_Model())


class _Model:
    def __init__(self) -> None:
        self._has_failed = False

    async def __call__(self, sink: HttpSink, writer: asyncio.StreamWriter) -> None:
        asked = sink.received[-1]
        told = models("nemotron", max_model_len=8192) if asked.line.startswith("GET ") else self._answer(asked)
        await told(sink, writer)

    def _answer(self, asked: Received) -> Answer:
        properties = asked.json["response_format"]["json_schema"]["schema"]["properties"]
        if "incident" in properties:  # the known question
            return chat(json.dumps({"incident": "window_broken"}))
        if not self._has_failed:
            self._has_failed = True
            return said(500, {"error": {"message": f"out of memory, {asked.headers.get('authorization')}"}})
        return chat(json.dumps(_assessment(properties["case"]["enum"][0])))


def _assessment(case: str) -> dict[str, Any]:
    """What a model that follows the schema says."""
    return {
        "case": case,
        "reasoning": SAYS,
        "summary": "A person at the door",
        "signs": [],
        "risk": {"level": "medium", "score": 42},
    }
