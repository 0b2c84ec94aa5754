"""A language model behind any server that speaks OpenAI's protocol: NEMOTRON_URL.

Every question has a connection of its own: nothing of one answer can be taken for another's, a server that was started
anew is met as it is now, and giving up ends the work at the server's end too, which sees its client leave.
"""

import asyncio
import json
import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import certifi
import httpx

from domain.clock import Clock, SystemClock
from domain.plain_text import plain
from language.chat_request import OPTIONAL, chat_request
from language.errors import ModelAway, ModelBusy, ModelTooSlow, ModelUnusable
from language.server_address import server_address
from language.server_replies import ChatAnswer, OtherShape, ServedModel, read_chat, read_models
from language.server_trouble import Answered, exclusion, left_alone_seconds, trouble, unreachable
from schemas.language import Question, Reply

USER_AGENT = "home-security-language/1"
LARGEST_BODY = 1_000_000
CONNECT_SECONDS = 5.0
_NAMES_SHOWN = 10

_Read = TypeVar("_Read")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServerPlan:
    """How to reach it. `repr` shows neither the address nor the key: either may hold a secret."""

    url: str = field(repr=False)
    api_key: str | None = field(default=None, repr=False)
    model: str | None = None
    """Which of its models; None: the first that it lists."""
    thinking_tokens: int | None = None
    """The budget of a model that may think aloud before it answers; None: it may not."""
    start_seconds: float = 10.0
    """For listing its models."""


class OpenAiServer:
    """See language/backend.py. Raises ModelUnusable at once for an address or a key that can never work."""

    def __init__(self, plan: ServerPlan, clock: Clock | None = None) -> None:
        self._plan = plan
        self._clock = clock or SystemClock()
        self._at = server_address(plan.url)
        self._key = _checked_key(plan.api_key)
        self._client: httpx.AsyncClient | None = None
        self._model: ServedModel | None = None
        self._refused: set[str] = set()
        self._fingerprint: str | None = None
        self._fault: str | None = "it has not been started"
        self._alone_until = 0.0

    async def start(self) -> None:
        """Asks for the list of models and picks one; with a wrong name, the reason lists what is there."""
        await self.stop()
        # The tools of this machine's environment (proxies, .netrc) are for other errands than a home's pictures.
        self._client = httpx.AsyncClient(
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", "Connection": "close"},
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none is kept, and none sent back
            verify=_trusted(),
            trust_env=False,
            follow_redirects=False,
        )
        try:
            async with _within(self._plan.start_seconds):
                self._model = await self._pick()
        except ModelTooSlow:
            self._fault = f"{self._at.origin} does not list its models within {self._plan.start_seconds:g} s"
            raise ModelAway(self._fault) from None
        except ModelAway as error:
            self._fault = error.reason
            raise
        self._fault = None

    async def stop(self) -> None:
        client, self._client = self._client, None
        self._fault = "it has been stopped"
        self._model = None
        self._refused.clear()
        self._alone_until = 0.0
        if client is not None:
            await client.aclose()

    async def ask(self, question: Question) -> Reply:
        """One answer; the question's time is for all of it, connecting and reading included."""
        began = self._clock.monotonic()
        if self._client is None:
            raise ModelAway(self._fault or "it has not been started")
        if (left := self._alone_until - began) > 0:
            raise ModelBusy(f"{self._at.origin} asked to be left alone for {left:.0f} s more")
        async with _within(question.within_seconds):
            model = self._model or await self._pick()
            self._model = model
            answer = await self._answer(question, model)
        self._fingerprint = answer.fingerprint
        return Reply(
            id=question.id,
            text=answer.text,
            finish_reason=answer.finish_reason,
            model=answer.model,
            fingerprint=answer.fingerprint,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            seconds=self._clock.monotonic() - began,
        )

    def fault(self) -> str | None:
        """None once it has been reached: a server that goes away comes back by itself, and is then asked again."""
        return self._fault

    def describe(self) -> dict[str, Any]:
        model = self._model
        return {
            "backend": "openai_server",
            "model": plain(model.id, 200) if model else self._plan.model,
            "fingerprint": self._fingerprint,
            "device": "remote",
            "server": self._at.origin,
            "server_software": model.owned_by if model else None,
            "max_model_len": model.max_model_len if model else None,
            "left_out": sorted(self._refused),
        }

    async def _pick(self) -> ServedModel:
        answered = await self._send("GET", "/models")
        if answered.status != 200:
            raise trouble(answered, "/models", self._at.origin, self._key)
        served = self._read(read_models, answered.body)
        if not served:
            raise ModelAway(f"{self._at.origin} lists no model: it may still be loading one")
        wanted = self._plan.model
        for model in served:
            if wanted in (None, model.id):
                return model
        there = ", ".join(plain(model.id, 100) for model in served[:_NAMES_SHOWN])
        more = f" and {len(served) - _NAMES_SHOWN} more" if len(served) > _NAMES_SHOWN else ""
        raise ModelUnusable(f"{self._at.origin} has no model {wanted} (NEMOTRON_URL_MODEL); it has {there}{more}")

    async def _answer(self, question: Question, model: ServedModel) -> ChatAnswer:
        body = chat_request(
            question,
            model.id,
            thinking_tokens=self._plan.thinking_tokens,
            names=(model.root,) if model.root else (),
        )
        for refused in self._refused:
            body.pop(refused, None)
        answered = await self._send("POST", "/chat/completions", body)
        while name := exclusion(answered, [one for one in OPTIONAL if one in body]):
            log.info("%s does not take %s: questions go without it", self._at.origin, name)
            self._refused.add(name)
            del body[name]
            answered = await self._send("POST", "/chat/completions", body)
        if answered.status == 200:
            answer = self._read(read_chat, answered.body)
            self._check_who_answered(answer, model)
            return answer
        self._alone_until = self._clock.monotonic() + left_alone_seconds(answered)
        problem = trouble(answered, "/chat/completions", self._at.origin, self._key)
        if isinstance(problem, ModelUnusable):
            self._model = None  # it may serve another one by now: the next question looks
        raise problem

    def _check_who_answered(self, answer: ChatAnswer, asked: ServedModel) -> None:
        """Another name of the same model passes, as `gpt-x-2026-01-01` for `gpt-x`, or its folder's last part."""
        names = {plain(name, 200) for name in (asked.id, asked.root) if name}
        if not any(answer.model.startswith(name) or name.endswith(f"/{answer.model}") for name in names):
            self._model = None
            said = answer.model or "one without a name"
            raise ModelAway(f"{self._at.origin} answered by the model {said}, where {plain(asked.id, 200)} was asked")

    def _read(self, reader: Callable[[bytes], _Read], body: bytes) -> _Read:
        try:
            return reader(body)
        except OtherShape as error:
            raise ModelAway(f"{self._at.origin} {error}") from None

    async def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answered:
        if self._client is None:
            raise ModelAway("it has been stopped")
        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        headers = {"Content-Type": "application/json"} | key
        content = json.dumps(body).encode() if body else None
        try:
            async with self._client.stream(method, self._at.base + path, headers=headers, content=content) as response:
                return Answered(
                    response.status_code,
                    await self._body(response),
                    response.headers.get("retry-after"),
                    response.headers.get("date"),
                )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise unreachable(error, self._at.origin) from None

    async def _body(self, response: httpx.Response) -> bytes:
        """Undecoded, since nothing was asked to be packed: a small packed body may be an endless one."""
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise ModelAway(f"{self._at.origin} answered with more than {LARGEST_BODY // 1_000_000} MB")
        return bytes(body)


@asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise ModelTooSlow(seconds) from None
        raise


def _checked_key(key: str | None) -> str | None:
    if key and not re.fullmatch(r"[!-~]+", key):
        raise ModelUnusable("NEMOTRON_API_KEY holds a space, a line end or a letter that no key has")
    return key or None


@cache
def _trusted() -> ssl.SSLContext:
    """The machine's authorities (and SSL_CERT_FILE) beside Mozilla's, since a bare machine may have none."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
