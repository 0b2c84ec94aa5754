"""Who can be judged: the deterministic assessor, and a language model behind NEMOTRON_URL by the product's own path."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from actors.assessors import DeterministicAssessor
from actors.circuit_breakers import CircuitBreakers
from actors.model_assessor import AskingPlan, ModelAssessor
from actors.ports import AssessorPort
from bench.judgement.scenes import CONFIG, Scene
from domain.circuit_breaker import Admitted, Rejected
from domain.clock import SystemClock
from language.openai_server import OpenAiServer, ServerPlan
from schemas.assessment import Assessment, AssessmentStanding
from schemas.language import Question, Reply
from settings import Settings


@dataclass(frozen=True, slots=True)
class Judged:
    """A scene and what an assessor made of it."""

    scene: Scene
    score: int
    answered: bool
    """False where a model gave no usable answer: the score is then the one that the system would have stored."""
    because: str | None


class NoServer(Exception):
    """NEMOTRON_URL is not set, so there is nobody to ask."""


async def judged(
    assessor: AssessorPort, scenes: Sequence[Scene], at_once: int = 1, tell: Callable[[str], None] = lambda _: None
) -> tuple[Judged, ...]:
    """Every scene once, so many at once, in their own order."""
    turns, done = asyncio.Semaphore(at_once), 0

    async def one(scene: Scene) -> Judged:
        nonlocal done
        async with turns:
            assessment = await assessor.assess(scene.evidence, CONFIG)
        done += 1
        if done % 50 == 0 or done == len(scenes):
            tell(f"{done} of {len(scenes)} scenes judged")
        return _judged(scene, assessment)

    return tuple(await asyncio.gather(*(one(scene) for scene in scenes)))


@asynccontextmanager
async def assessor_named(name: str, settings: Settings) -> AsyncIterator[tuple[AssessorPort, str, int]]:
    """The assessor, its name, and how many scenes it takes at once. Raises NoServer, ModelAway."""
    if name == "deterministic":
        yield DeterministicAssessor(), name, 1
        return
    if settings.nemotron_url is None:
        raise NoServer(
            "NEMOTRON_URL is not set: give the address of an OpenAI-compatible server, as http://box:8000/v1"
        )
    key = settings.nemotron_api_key
    server = OpenAiServer(
        ServerPlan(
            settings.nemotron_url,
            api_key=key.get_secret_value() if key else None,
            model=settings.nemotron_url_model,
            thinking_tokens=settings.nemotron_thinking_tokens if settings.nemotron_thinking else None,
        )
    )
    try:
        await server.start()
        plan = AskingPlan(settings.nemotron_timeout_seconds, at_once=settings.nemotron_max_in_flight)
        model = ModelAssessor(_Asked(server), _EveryCall(SystemClock()), SystemClock(), plan)
        yield model, str(server.describe()["model"]), settings.nemotron_max_in_flight
    finally:
        await server.stop()


class _Asked:
    """The server as a LanguageModelPort."""

    def __init__(self, server: OpenAiServer) -> None:
        self._server = server

    async def ask(self, question: Question) -> Reply:
        return await self._server.ask(question)

    async def describe(self) -> dict[str, Any]:
        return self._server.describe()


class _EveryCall(CircuitBreakers):
    """Breakers that never open: here every scene is to be asked, however the one before went."""

    async def admit(self, name: str) -> Admitted | Rejected:
        return Admitted(call=0, generation=0)


def _judged(scene: Scene, assessment: Assessment) -> Judged:
    answered = assessment.standing is AssessmentStanding.FINAL
    return Judged(scene, assessment.risk_score, answered, assessment.because)
