"""What vLLM is told of a model that is known to need it."""

import os

import pytest

from language.engine_build import engine_arguments, inherited_threads
from language.engine_plan import EnginePlan

LIGHTNING = "nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4"


@pytest.mark.parametrize(("model", "device", "backend"), [(LIGHTNING, "cuda", "marlin"), (LIGHTNING, "cpu", None)])
def test_a_model_that_needs_another_backend_for_its_experts_gets_it_on_a_card(
    model: str, device: str, backend: str | None
) -> None:
    assert engine_arguments(EnginePlan(model=model), device, hybrid=True).get("moe_backend") == backend


def test_a_hybrid_keeps_its_state_in_full_precision_and_caches_no_prefixes_by_itself() -> None:
    arguments = engine_arguments(EnginePlan(model=LIGHTNING), "cuda", hybrid=True)
    assert (arguments["mamba_ssm_cache_dtype"], arguments["enable_prefix_caching"]) == ("float32", False)


@pytest.mark.parametrize(
    ("device", "tensor_parallel", "bound", "executor"),
    [
        ("cpu", 1, None, "vllm.v1.executor.uniproc_executor.UniProcExecutor"),
        ("cpu", 1, "0-3", None),
        ("cpu", 2, None, "mp"),
        ("cuda", 1, None, None),
    ],
)
def test_on_a_processor_the_model_runs_in_the_core_unless_somebody_binds_its_threads(
    monkeypatch: pytest.MonkeyPatch, device: str, tensor_parallel: int, bound: str | None, executor: str | None
) -> None:
    monkeypatch.delenv("VLLM_CPU_OMP_THREADS_BIND", raising=False)
    if bound is not None:
        monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", bound)
    arguments = engine_arguments(EnginePlan(model="m", tensor_parallel=tensor_parallel), device, hybrid=False)
    assert arguments.get("distributed_executor_backend") == executor


@pytest.mark.parametrize("of_this_process", [None, "1"])
def test_the_cores_process_inherits_its_threads_and_this_one_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch, of_this_process: str | None
) -> None:
    monkeypatch.delenv("VLLM_CPU_OMP_THREADS_BIND", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if of_this_process is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", of_this_process)
    plan = EnginePlan(model="m", threads=6)
    with inherited_threads(plan, engine_arguments(plan, "cpu", hybrid=False)):
        assert os.environ["OMP_NUM_THREADS"] == "6"
    assert os.environ.get("OMP_NUM_THREADS") == of_this_process
    with inherited_threads(plan, engine_arguments(plan, "cuda", hybrid=False)):
        assert os.environ.get("OMP_NUM_THREADS") == of_this_process
