"""The language model behind Ray Serve: the plain NemotronAnalyzer with the backend that the settings name.

vLLM is imported here and nowhere else, and only when the engine starts: it takes seconds and gigabytes.
"""

import asyncio
import os
from dataclasses import dataclass
from typing import Any

from actors.nemotron_analyzer import AnalyzerPlan, NemotronAnalyzer
from actors.process import arm_process, flush_process
from domain.clock import SystemClock
from language.backend import Backend
from language.errors import ModelAway, ModelUnusable
from schemas.language import Question, Reply
from settings import Settings

WAITING_TO_ANSWERING = 4
"""So many questions may wait in a replica for each that it answers; further ones are sent away."""
CALLS_BESIDE_QUESTIONS = 16
A_MODEL_BESIDE_OTHERS = 0.6
"""Of one card, beside the detector and the zoo: Ray counts shares, the memory is counted elsewhere."""
SHARE_OF_ANOTHER = 0.2


@dataclass(frozen=True)
class Place:
    """Where a replica is to run, in Ray's terms."""

    cards: float
    missing: str | None = None
    """Why there is no such place: the replica runs without a card and says so."""


def place(settings: Settings, cards_there: float | None) -> Place:
    """A replica that Ray could never place would keep the whole system from starting.

    `cards_there`: those of this Ray; None where they may still come, as on a cluster that grows when asked.
    """
    if settings.nemotron_url is not None or settings.nemotron_device == "cpu":
        return Place(0)
    wanted = settings.nemotron_device == "cuda"
    if cards_there is None:
        return Place(_wished(settings)) if wanted else Place(0)
    if cards_there == 0:
        return Place(0, "NEMOTRON_DEVICE=cuda, and Ray sees no card on this machine" if wanted else None)
    left = round(cards_there - _claimed_by_others(settings), 2)
    each = round(min(_wished(settings), left / settings.nemotron_replicas), 2)
    if each < (settings.nemotron_tensor_parallel if settings.nemotron_tensor_parallel > 1 else 0.01):
        return Place(
            0,
            f"{settings.nemotron_replicas} × {settings.nemotron_tensor_parallel} cards are asked for "
            f"(NEMOTRON_REPLICAS, NEMOTRON_TENSOR_PARALLEL), and of {cards_there:g} the others leave {left:g}",
        )
    return Place(each)


def calls_at_once(settings: Settings) -> int:
    """More than are answered or wait, so that a replica that is busy can still say so."""
    return settings.nemotron_max_in_flight * (1 + WAITING_TO_ANSWERING) + CALLS_BESIDE_QUESTIONS


def build_backend(settings: Settings, where: Place) -> Backend:
    """What the settings name. Never raises: what cannot work says why when it is asked."""
    if where.missing is not None:
        return NoBackend(where.missing)
    try:
        return _backend(settings)
    except ModelAway as error:
        return NoBackend(error.reason)
    except (ValueError, ImportError) as error:
        return NoBackend(f"{type(error).__name__}: {error}")


class NoBackend:
    """Stands where none can be: says what must be mended. See language/backend.py."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def start(self) -> None:
        raise ModelUnusable(self._reason)

    async def stop(self) -> None:
        """There is nothing to give back."""

    async def ask(self, question: Question) -> Reply:
        raise ModelUnusable(self._reason)

    def fault(self) -> str | None:
        return self._reason

    def describe(self) -> dict[str, Any]:
        return {"backend": None, "model": None, "fingerprint": None, "device": None}


class NemotronReplica:
    """One model, or one way to a server. Serve starts as many as NEMOTRON_REPLICAS says."""

    def __init__(self, settings: Settings, where: Place) -> None:
        arm_process("nemotron_analyzer", settings)
        self._analyzer = NemotronAnalyzer(build_backend(settings, where), _plan(settings), SystemClock())
        # Loads while the rest of the system starts; until then events are provisional, and describe() says why.
        self._starting = asyncio.get_running_loop().create_task(self._analyzer.start())

    async def ask(self, question: Question) -> Reply:
        """See actors/ports.py."""
        return await self._analyzer.ask(question)

    async def describe(self) -> dict[str, Any]:
        """The model, its backend, whether it answers or why not, and what it has done so far."""
        return await self._analyzer.describe() | {"pid": os.getpid()}

    async def switch(self, on: bool) -> None:
        """Loads the model, or gives it back and takes no questions: what a person wishes, told to every replica."""
        await self._analyzer.switch(on)

    async def check_health(self) -> None:
        """Serve asks; it replaces this process only when nothing less can help."""
        if self._analyzer.beyond_help is not None:
            raise RuntimeError(self._analyzer.beyond_help)

    async def __del__(self) -> None:
        await self._analyzer.stop()
        await asyncio.to_thread(flush_process)


def _plan(settings: Settings) -> AnalyzerPlan:
    return AnalyzerPlan(
        max_in_flight=settings.nemotron_max_in_flight,
        most_waiting=settings.nemotron_max_in_flight * WAITING_TO_ANSWERING,
        known_question_seconds=settings.nemotron_timeout_seconds,
        picture=_known_picture() if settings.nemotron_vision else None,
        restarts_when_hung=settings.nemotron_url is None,
    )


def _known_picture() -> bytes:
    import simplejpeg

    from vision.self_check_picture import self_check_picture

    return bytes(simplejpeg.encode_jpeg(self_check_picture(), quality=80, colorspace="BGR"))


def _backend(settings: Settings) -> Backend:
    if settings.nemotron_url is not None:
        return _server(settings, settings.nemotron_url)
    assert settings.nemotron_model is not None
    return _engine(settings, settings.nemotron_model)


def _server(settings: Settings, url: str) -> Backend:
    from language.openai_server import OpenAiServer, ServerPlan

    key = settings.nemotron_api_key
    return OpenAiServer(
        ServerPlan(
            url=url,
            api_key=key.get_secret_value() if key is not None else None,
            model=settings.nemotron_url_model,
            thinking_tokens=settings.nemotron_thinking_tokens if settings.nemotron_thinking else None,
        )
    )


def _engine(settings: Settings, model: str) -> Backend:
    from language.engine_plan import EnginePlan
    from language.vllm_engine import VllmEngine

    return VllmEngine(
        EnginePlan(
            model=model,
            device=settings.nemotron_device,  # type: ignore[arg-type]
            tensor_parallel=settings.nemotron_tensor_parallel,
            gpu_memory_fraction=settings.nemotron_gpu_memory_fraction,
            max_model_len=settings.nemotron_max_model_len,
            max_in_flight=settings.nemotron_max_in_flight,
            thinking=settings.nemotron_thinking,
            thinking_tokens=settings.nemotron_thinking_tokens,
            prefix_caching=settings.nemotron_prefix_caching,
            sees=settings.nemotron_vision,
        )
    )


def _wished(settings: Settings) -> float:
    parallel = settings.nemotron_tensor_parallel
    return float(parallel) if parallel > 1 else A_MODEL_BESIDE_OTHERS


def _claimed_by_others(settings: Settings) -> float:
    """What the detector's replicas and the zoo ask of Ray; whole cards where this model takes whole ones."""
    detectors = settings.detector_replicas if settings.detector_device == "cuda" else 0
    shares = SHARE_OF_ANOTHER * (detectors + (settings.model_zoo_device == "cuda"))
    return float(-(-shares // 1)) if settings.nemotron_tensor_parallel > 1 else round(shares, 2)
