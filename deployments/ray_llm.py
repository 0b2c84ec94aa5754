"""A language model in a deployment of ray.serve.llm, for an engine over several nodes: NEMOTRON_ENGINE=ray_llm.

    nemotron_analyzer ──handle──▶ nemotron_llm (ray.serve.llm's LLMServer) ──▶ vLLM's workers, on one node or several

Nothing of it is reached by HTTP: it is no ingress, and only the analyzer holds its handle.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import ray
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException
from ray.serve.schema import LoggingConfig

from domain.clock import Clock, SystemClock
from domain.plain_text import plain
from language.chat_request import OPTIONAL, chat_request
from language.errors import ModelAway, ModelTooSlow, ModelUnusable
from language.model_folder import shown_name
from language.server_replies import OtherShape, read_chat
from language.server_trouble import Answered, exclusion, trouble
from schemas.language import Question, Reply
from settings import Settings

DEPLOYMENT = "nemotron_llm"
MODEL = "nemotron"
"""What the deployment calls its model: a folder's path is no name."""
LOADING_SECONDS = 1800.0
"""The engine loads in its replica's event loop, which answers Serve's question for its health only afterwards."""
_SHOWN = "ray.serve.llm"


@dataclass(frozen=True)
class RayLlmPlan:
    """What a question's request needs to know of the model."""

    model: str
    """A local folder, or a name on the hub."""
    thinking_tokens: int | None = None
    """The budget of a model that may think aloud; None: it may not."""
    start_seconds: float = LOADING_SECONDS


def ray_llm_plan(settings: Settings) -> RayLlmPlan:
    thinking = settings.nemotron_thinking_tokens if settings.nemotron_thinking else None
    return RayLlmPlan(_model(settings), thinking)


class RayLlmBackend:
    """See language/backend.py. Serve loads the model and replaces a replica whose engine died."""

    def __init__(self, handle: Any, plan: RayLlmPlan, clock: Clock | None = None) -> None:
        self._handle = handle
        self._plan = plan
        self._clock = clock or SystemClock()
        self._refused: set[str] = set()
        self._told: dict[str, Any] = {}
        self._fingerprint: str | None = None
        self._fault: str | None = "it has not been started"

    async def start(self) -> None:
        """Waits until a replica has loaded the model."""
        try:
            self._told = await self._call("loaded", within_seconds=self._plan.start_seconds)
        except ModelTooSlow:
            self._fault = f"{_SHOWN} has not loaded the model within {self._plan.start_seconds:g} s"
            raise ModelAway(self._fault) from None
        except ModelAway as error:
            self._fault = error.reason
            raise
        if reason := self._told.get("fault"):
            self._fault = plain(str(reason), 500)
            raise ModelUnusable(self._fault)
        self._fault = None

    async def stop(self) -> None:
        """The deployment goes with the application; until then another replica may ask it."""
        self._fault = "it has been stopped"
        self._refused.clear()

    async def ask(self, question: Question) -> Reply:
        if self._fault is not None:
            raise ModelAway(self._fault)
        began = self._clock.monotonic()
        body = chat_request(question, MODEL, thinking_tokens=self._plan.thinking_tokens, names=(self._plan.model,))
        for refused in self._refused:
            body.pop(refused, None)
        answered = await self._send(body, question.within_seconds)
        while name := exclusion(answered, [one for one in OPTIONAL if one in body]):
            self._refused.add(name)
            del body[name]
            answered = await self._send(body, question.within_seconds - (self._clock.monotonic() - began))
        if answered.status != 200:
            raise trouble(answered, "/chat/completions", _SHOWN, None)
        try:
            answer = read_chat(answered.body)
        except OtherShape as error:
            raise ModelAway(f"{_SHOWN} {error}") from None
        self._fingerprint = answer.fingerprint
        return Reply(
            id=question.id,
            text=answer.text,
            finish_reason=answer.finish_reason,
            model=shown_name(self._plan.model),
            fingerprint=answer.fingerprint,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            seconds=self._clock.monotonic() - began,
        )

    def fault(self) -> str | None:
        """None once it has answered: Serve replaces a replica that died, and it is then asked again."""
        return self._fault

    def describe(self) -> dict[str, Any]:
        return {
            "backend": "ray_llm",
            "model": shown_name(self._plan.model),
            "fingerprint": self._fingerprint,
            "device": self._told.get("device"),
            "max_model_len": self._told.get("max_model_len"),
            "left_out": sorted(self._refused),
        }

    async def _send(self, body: dict[str, Any], within_seconds: float) -> Answered:
        said = await self._call("answer", json.dumps(body), within_seconds=within_seconds)
        return Answered(int(said["status"]), str(said["body"]).encode())

    async def _call(self, method: str, *arguments: Any, within_seconds: float) -> dict[str, Any]:
        """A call that is given up is cancelled where it runs, and vLLM with it."""
        response = getattr(self._handle, method).remote(*arguments)
        try:
            async with asyncio.timeout(within_seconds) as limit:
                answer: dict[str, Any] = await response
                return answer
        except TimeoutError:
            if limit.expired():
                raise ModelTooSlow(within_seconds) from None
            raise
        except (RayServeException, RayError) as error:
            raise ModelAway(f"{_SHOWN}: {plain(str(error).splitlines()[-1] if str(error) else '', 300)}") from None
        finally:
            response.cancel()  # harmless where it is done


def ray_llm_application(settings: Settings) -> serve.Application:
    """The deployment to bind beside the analyzer, which takes it as the handle for RayLlmBackend."""
    from ray.serve.llm import LLMConfig, build_llm_deployment

    on_cpu = settings.nemotron_device == "cpu" or (
        settings.nemotron_device == "auto" and not ray.cluster_resources().get("GPU")
    )
    config = LLMConfig(
        model_loading_config={"model_id": MODEL, "model_source": _model(settings)},
        engine_kwargs=engine_arguments(settings, on_cpu=on_cpu),
        accelerator_config={"kind": "cpu" if on_cpu else "gpu"},
        placement_group_config={"bundle_per_worker": {"CPU": 0.1} if on_cpu else {"GPU": 1}, "strategy": "PACK"},
        deployment_config={
            "num_replicas": settings.nemotron_replicas,
            "max_ongoing_requests": settings.nemotron_max_in_flight * 4 + 16,
            "ray_actor_options": {"num_cpus": 0.1},
            "health_check_timeout_s": LOADING_SECONDS,
            "graceful_shutdown_timeout_s": 5,
            "graceful_shutdown_wait_loop_s": 0.1,
            "logging_config": LoggingConfig(log_level="WARNING", enable_access_log=False).model_dump(),
        },
        runtime_env={"env_vars": {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "WARNING"}},
        log_engine_metrics=False,
    )
    return build_llm_deployment(config, override_serve_options={"name": DEPLOYMENT}, deployment_cls=_server_class())


def engine_arguments(settings: Settings, *, on_cpu: bool) -> dict[str, Any]:
    """vLLM's, as the settings name them."""
    chosen: dict[str, Any] = {
        "tensor_parallel_size": settings.nemotron_tensor_parallel,
        "pipeline_parallel_size": settings.nemotron_pipeline_parallel,
        "max_model_len": settings.nemotron_max_model_len,
        "max_num_seqs": settings.nemotron_max_in_flight,
        "scheduling_policy": "priority",
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
    }
    if settings.nemotron_gpu_memory_fraction is not None and not on_cpu:
        chosen["gpu_memory_utilization"] = settings.nemotron_gpu_memory_fraction
    if settings.nemotron_prefix_caching != "auto":
        chosen["enable_prefix_caching"] = settings.nemotron_prefix_caching == "on"
    if on_cpu:
        chosen |= {"dtype": "bfloat16", "enforce_eager": True}
    return chosen


def _server_class() -> Any:
    """Made here, since importing ray.serve.llm imports vLLM, which a system without it must not need."""
    from ray.serve.llm import LLMServer

    class NemotronServer(LLMServer):
        """ray.serve.llm's server, asked in plain JSON; a model that does not load is no reason not to start.

        A replica that Serve sees as failed while it starts makes the whole application fail, the rest of the system
        with it. So this one is there at once and loads afterwards.
        """

        async def __init__(self, llm_config: Any) -> None:  # type: ignore[misc]  # Serve awaits it
            self._init_shared(llm_config, None, None)
            self._load_fault: str | None = None
            self._loading: asyncio.Task[None] | None = None
            self._checked_since = 0

        async def check_health(self) -> None:
            """The first question comes before Serve counts this replica as there: the load, which blocks, follows."""
            if self._loading is None:
                self._loading = asyncio.get_running_loop().create_task(self._load())
            elif self._load_fault is not None:
                self._checked_since += 1
                if self._checked_since > 3:  # half a minute in which it could be told why
                    raise RuntimeError(self._load_fault)
            elif self._loading.done():
                await super().check_health()

        async def loaded(self) -> dict[str, Any]:
            if self._loading is not None:
                await asyncio.shield(self._loading)
            arguments = self._llm_config.engine_kwargs
            return {
                "fault": self._load_fault,
                "device": self._llm_config.accelerator_config.kind,
                "max_model_len": arguments.get("max_model_len"),
            }

        async def answer(self, body: str) -> dict[str, Any]:
            """A chat completion as any server would give it: its status, its JSON."""
            from ray.serve.llm.openai_api_models import ChatCompletionRequest

            if (await self.loaded())["fault"]:
                return {"status": 503, "body": json.dumps({"error": {"message": self._load_fault}})}
            try:
                request = ChatCompletionRequest.model_validate_json(body)
            except ValueError as error:
                return {"status": 422, "body": json.dumps({"error": {"message": str(error)}})}
            async for said in await self.chat(request):
                wrong = getattr(said, "error", None)
                return {"status": 200 if wrong is None else int(wrong.code), "body": said.model_dump_json()}
            return {"status": 502, "body": ""}

        async def _load(self) -> None:
            try:
                await self.start()
            except Exception as error:  # whatever a model's folder, a card or a hub can do wrong
                self._load_fault = f"{type(error).__name__}: {error}"

    return NemotronServer


def _model(settings: Settings) -> str:
    if settings.nemotron_model is None:
        raise ModelUnusable("NEMOTRON_ENGINE=ray_llm needs NEMOTRON_MODEL")
    return settings.nemotron_model
