"""The way to ray.serve.llm without a Ray: what is asked of the deployment, and what its answers come to."""

import asyncio
import json
from collections.abc import Generator
from typing import Any

import pytest
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError

from deployments.ray_llm import RayLlmBackend, RayLlmPlan, engine_arguments, ray_llm_plan
from language.errors import ModelAway, ModelTooSlow, ModelUnusable, QuestionRefused
from settings import Settings
from tests.language.chat_sink import completion
from tests.language.questions import question

LOADED = {"fault": None, "device": "cpu", "max_model_len": 8192}


class Response:
    """What a Serve handle gives: to be awaited, to be cancelled."""

    def __init__(self, told: Any) -> None:
        self._told = told
        self.cancelled = False

    def __await__(self) -> Generator[Any, None, Any]:
        return self._tell().__await__()

    def cancel(self) -> None:
        self.cancelled = True

    async def _tell(self) -> Any:
        if self._told is None:
            await asyncio.Event().wait()
        if isinstance(self._told, Exception):
            raise self._told
        return self._told


class Handle:
    """A deployment's handle whose answers are told beforehand; None hangs."""

    def __init__(self, *answers: Any, loaded: Any = LOADED) -> None:
        self._answers = list(answers)
        self._loaded = loaded
        self.asked: list[dict[str, Any]] = []
        self.responses: list[Response] = []
        self._method = ""

    def __getattr__(self, method: str) -> "Handle":
        self._method = method
        return self

    def remote(self, *arguments: str) -> Response:
        if self._method == "loaded":
            told = self._loaded
        else:
            self.asked.append(json.loads(arguments[0]))
            told = self._answers.pop(0)
        self.responses.append(Response(told))
        return self.responses[-1]


def said(status: int = 200, body: Any = None) -> dict[str, Any]:
    return {"status": status, "body": json.dumps(completion() if body is None else body)}


async def started(handle: Handle, **plan: Any) -> RayLlmBackend:
    backend = RayLlmBackend(handle, RayLlmPlan("/models/tiny", **plan))
    await backend.start()
    return backend


async def test_an_answer_comes_back_by_the_models_own_name() -> None:
    handle = Handle(said())
    backend = await started(handle)
    reply = await backend.ask(question(id="q-1", priority=3))
    assert (reply.id, reply.text, reply.model) == ("q-1", '{"risk_score": 7}', "tiny")
    assert handle.asked[0]["priority"] == 3
    assert handle.asked[0]["response_format"]["json_schema"]["strict"] is True
    assert backend.describe()["fingerprint"] == "vllm-1"
    assert backend.describe()["max_model_len"] == 8192


async def test_a_model_that_does_not_load_says_why() -> None:
    backend = RayLlmBackend(Handle(loaded=LOADED | {"fault": "OSError: no\nconfig.json"}), RayLlmPlan("/models/tiny"))
    with pytest.raises(ModelUnusable, match=r"OSError: no config\.json"):
        await backend.start()
    assert backend.fault() == "OSError: no config.json"


async def test_a_model_that_never_loads_is_away() -> None:
    backend = RayLlmBackend(Handle(loaded=None), RayLlmPlan("/models/tiny", start_seconds=0.05))
    with pytest.raises(ModelAway, match=r"within 0\.05 s"):
        await backend.start()


async def test_a_question_before_the_start_finds_nobody() -> None:
    with pytest.raises(ModelAway, match="not been started"):
        await RayLlmBackend(Handle(), RayLlmPlan("/models/tiny")).ask(question())


async def test_a_question_that_is_given_up_is_cancelled_where_it_runs() -> None:
    handle = Handle(None)
    backend = await started(handle)
    with pytest.raises(ModelTooSlow):
        await backend.ask(question(within_seconds=0.05))
    assert handle.responses[-1].cancelled
    assert backend.fault() is None


@pytest.mark.parametrize("error", [RayActorError(), BackPressureError(num_queued_requests=9, max_queued_requests=8)])
async def test_a_replica_that_dies_or_is_full_is_away(error: Exception) -> None:
    backend = await started(Handle(error, said()))
    with pytest.raises(ModelAway, match=r"ray\.serve\.llm"):
        await backend.ask(question())
    assert (await backend.ask(question())).text


async def test_a_question_that_is_refused_is_no_fault() -> None:
    backend = await started(Handle(said(400, {"error": {"message": "maximum context length"}})))
    with pytest.raises(QuestionRefused, match="maximum context length"):
        await backend.ask(question())


async def test_a_server_that_lost_its_engine_is_away() -> None:
    backend = await started(Handle(said(503, {"error": {"message": "EngineDeadError"}})))
    with pytest.raises(ModelAway, match="EngineDeadError"):
        await backend.ask(question())


async def test_what_the_engine_does_not_take_is_left_out() -> None:
    refused = said(400, {"error": {"message": "thinking_token_budget is set but reasoning_config is not"}})
    handle = Handle(refused, said())
    backend = await started(handle, thinking_tokens=64)
    assert (await backend.ask(question())).text
    assert [("thinking_token_budget" in body) for body in handle.asked] == [True, False]


def settings(**changes: Any) -> Settings:
    return Settings(nemotron_model="/models/tiny", nemotron_engine="ray_llm", **changes)


def test_the_engine_is_spread_as_the_settings_say() -> None:
    arguments = engine_arguments(
        settings(nemotron_tensor_parallel=2, nemotron_pipeline_parallel=3, nemotron_gpu_memory_fraction=0.7),
        on_cpu=False,
    )
    assert (arguments["tensor_parallel_size"], arguments["pipeline_parallel_size"]) == (2, 3)
    assert arguments["gpu_memory_utilization"] == 0.7
    assert arguments["scheduling_policy"] == "priority"


def test_a_processor_has_no_share_of_a_card() -> None:
    assert "gpu_memory_utilization" not in engine_arguments(settings(nemotron_gpu_memory_fraction=0.7), on_cpu=True)


@pytest.mark.parametrize(("said", "asked"), [("auto", None), ("on", True), ("off", False)])
def test_prefix_caching_is_vllms_choice_unless_it_is_named(said: str, asked: bool | None) -> None:
    assert engine_arguments(settings(nemotron_prefix_caching=said), on_cpu=True).get("enable_prefix_caching") is asked


def test_it_needs_a_model() -> None:
    with pytest.raises(ModelUnusable, match="NEMOTRON_MODEL"):
        ray_llm_plan(Settings(nemotron_engine="ray_llm"))
