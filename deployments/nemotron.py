"""The language model behind Ray Serve: the plain NemotronAnalyzer with the backend that the settings name.

vLLM is imported here and nowhere else, and only when the engine starts: it takes seconds and gigabytes.
"""

import asyncio
import os
from typing import Any

import psutil

from actors.model_life import LONGEST_WAIT_SECONDS
from actors.nemotron_analyzer import AnalyzerPlan, NemotronAnalyzer
from actors.nvml import sample_gpus
from actors.process import arm_process, flush_process
from deployments.model_place import Place, memory_fraction
from domain.clock import SystemClock
from language.backend import Backend
from language.errors import ModelAway, ModelUnusable
from schemas.language import Question, Reply
from settings import Settings
from vision.cores import usable_cores

WAITING_TO_ANSWERING = 4
"""So many questions may wait in a replica for each that it answers; further ones are sent away."""
CALLS_BESIDE_QUESTIONS = 16
SWITCH_SECONDS = 2.0
LOOKS_AT_A_SERVER_SECONDS = 15.0
"""Asking a server for its models costs nothing, and events wait for its return."""


def calls_at_once(settings: Settings) -> int:
    """More than are answered or wait, so that a replica that is busy can still say so."""
    return settings.nemotron_max_in_flight * (1 + WAITING_TO_ANSWERING) + CALLS_BESIDE_QUESTIONS


def build_backend(settings: Settings, where: Place, ray_llm: Any = None) -> Backend:
    """What the settings name. Never raises: what cannot work says why when it is asked."""
    if where.missing is not None:
        return NoBackend(where.missing)
    try:
        return _backend(settings, ray_llm)
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

    def __init__(self, settings: Settings, where: Place, ray_llm: Any = None) -> None:
        """`ray_llm`: the handle of the deployment that runs the model instead, with NEMOTRON_ENGINE=ray_llm."""
        arm_process("nemotron_analyzer", settings)
        self._analyzer = NemotronAnalyzer(build_backend(settings, where, ray_llm), _plan(settings), SystemClock())
        # Loads while the rest of the system starts; until then events are provisional, and describe() says why.
        self._starting = asyncio.get_running_loop().create_task(self._analyzer.start())

    async def ask(self, question: Question) -> Reply:
        """See actors/ports.py."""
        return await self._analyzer.ask(question)

    async def describe(self) -> dict[str, Any]:
        """The model, its backend, whether it answers or why not, and what it has done so far."""
        return await self._analyzer.describe() | {"pid": os.getpid()}

    async def switch(self, on: bool) -> None:
        """Loads the model, or gives it back and takes no questions: what a person wishes, told to every replica.

        Questions are refused from this moment on; an engine that takes its time to end is not waited for.
        """
        self._switching = asyncio.get_running_loop().create_task(self._analyzer.switch(on))
        await asyncio.wait({self._switching}, timeout=SWITCH_SECONDS)

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
        longest_wait_seconds=LONGEST_WAIT_SECONDS if settings.nemotron_url is None else LOOKS_AT_A_SERVER_SECONDS,
        restarts_when_hung=settings.nemotron_url is None,
    )


def _known_picture() -> bytes:
    import simplejpeg

    from vision.self_check_picture import self_check_picture

    return bytes(simplejpeg.encode_jpeg(self_check_picture(), quality=80, colorspace="BGR"))


def _backend(settings: Settings, ray_llm: Any) -> Backend:
    if settings.nemotron_url is not None:
        return _server(settings, settings.nemotron_url)
    if ray_llm is not None:
        from deployments.ray_llm import RayLlmBackend, ray_llm_plan

        return RayLlmBackend(ray_llm, ray_llm_plan(settings))
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
            gpu_memory_fraction=memory_fraction(settings, _cards_mb()),
            max_model_len=settings.nemotron_max_model_len,
            max_in_flight=settings.nemotron_max_in_flight,
            thinking=settings.nemotron_thinking,
            thinking_tokens=settings.nemotron_thinking_tokens,
            prefix_caching=settings.nemotron_prefix_caching,
            sees=settings.nemotron_vision,
            threads=processor_threads(),
        )
    )


def processor_threads() -> int:
    """For a model on the processor: one a core, and one core is left to the rest of the house."""
    return max(1, min(usable_cores(), psutil.cpu_count(logical=False) or usable_cores()) - 1)


def _cards_mb() -> list[int]:
    """The memory of this node's cards; [] without a driver."""
    return [card.memory_total_mb for card in sample_gpus() if card.memory_total_mb is not None]
