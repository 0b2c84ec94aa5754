"""What vLLM is told of a model that is known to need it."""

import pytest

from language.engine_build import engine_arguments
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
