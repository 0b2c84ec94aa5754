"""An engine that does not start says why in a sentence with the mend, and leaves no process behind."""

import asyncio
import json
import multiprocessing
import shutil
from pathlib import Path

import psutil
import pytest

from language.engine_faults import start_fault
from language.engine_plan import EnginePlan
from language.errors import ModelAway, ModelUnusable
from language.vllm_engine import VllmEngine
from tests.eventually import eventually
from tests.language.questions import question


def cores() -> list[int]:
    return [child.pid or 0 for child in multiprocessing.active_children() if child.name.startswith("EngineCore")]


@pytest.fixture
def folder(llama_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(llama_folder, tmp_path / "model"))


async def refused(plan: EnginePlan) -> str:
    engine = VllmEngine(plan)
    with pytest.raises(ModelUnusable) as caught:
        await engine.start()
    assert engine.fault() is not None
    assert cores() == []
    await engine.stop()
    return caught.value.reason


async def test_a_damaged_folder_is_told_before_anything_is_loaded(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "holds no weights" in await refused(EnginePlan(model=str(folder)))


async def test_an_architecture_that_vllm_does_not_know_is_told(folder: Path) -> None:
    settings = json.loads((folder / "config.json").read_text()) | {"architectures": ["NoSuchForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(settings))
    assert "none that the installed vLLM knows" in await refused(EnginePlan(model=str(folder)))


async def test_more_tokens_than_the_model_takes_names_the_setting_and_the_most(llama_folder: Path) -> None:
    reason = await refused(EnginePlan(model=str(llama_folder), max_model_len=1_000_000))
    assert reason.startswith("NEMOTRON_MAX_MODEL_LEN is 1000000")
    assert reason.endswith("set NEMOTRON_MAX_MODEL_LEN to 32768 or less")


async def test_a_card_that_the_installed_build_cannot_use_is_told(llama_folder: Path) -> None:
    assert "NEMOTRON_DEVICE is cuda" in await refused(EnginePlan(model=str(llama_folder), device="cuda"))


async def test_too_little_memory_at_the_start_names_the_setting(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "100000")
    assert "lower VLLM_CPU_KVCACHE_SPACE" in await refused(EnginePlan(model=str(llama_folder)))


async def test_weights_of_another_shape_than_config_json_says_are_told(folder: Path) -> None:
    settings = json.loads((folder / "config.json").read_text()) | {"intermediate_size": 512}
    (folder / "config.json").write_text(json.dumps(settings))
    assert "do not fit its config.json" in await refused(EnginePlan(model=str(folder)))


async def test_a_start_that_is_broken_off_leaves_no_process(llama_folder: Path) -> None:
    engine = VllmEngine(EnginePlan(model=str(llama_folder)))
    starting = asyncio.create_task(engine.start())
    await eventually(lambda: cores() != [], 300)
    born = cores()
    with pytest.raises(ModelAway, match="the engine loads"):
        await engine.ask(question())
    assert engine.fault() is None
    starting.cancel()
    await engine.stop()
    assert not any(psutil.pid_exists(pid) for pid in born)
    assert engine.fault() == "the engine is not running"


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB",
            ModelUnusable,
            "GPU_MEMORY_FRACTION (0.8)",
        ),
        (
            "ValueError: Free memory on device cuda:0 (3.1/23.6 GiB) on startup is less than desired GPU memory",
            ModelUnusable,
            "lower NEMOTRON_GPU_MEMORY_FRACTION",
        ),
        (
            "ValueError: To serve at least one request (1 GiB KV cache is needed, which is larger than the available",
            ModelUnusable,
            "lower NEMOTRON_MAX_MODEL_LEN",
        ),
        ("OSError: We couldn't connect to 'https://huggingface.co' to load", ModelAway, "hub does not answer"),
        ("GatedRepoError: 403 Client Error", ModelUnusable, "HF_TOKEN"),
        ("ValueError: Please pass the argument `trust_remote_code=True`", ModelUnusable, "program code of its own"),
        (
            "ValueError: World size (4) is larger than the number of available GPUs",
            ModelUnusable,
            "TENSOR_PARALLEL is 4",
        ),
        ("Engine core initialization failed. Failed core proc(s): {'EngineCore': -9}", ModelAway, "was killed"),
        ("RuntimeError: something new", ModelAway, "vLLM could not load m: RuntimeError: something new"),
    ],
)
def test_what_vllm_says_becomes_a_sentence_in_words_of_the_settings(
    said: str, kind: type[ModelAway], words: str
) -> None:
    plan = EnginePlan(model="m", gpu_memory_fraction=0.8, tensor_parallel=4)
    fault = start_fault(plan, "cuda", RuntimeError("Engine core initialization failed. See root cause above."), said)
    assert type(fault) is kind
    assert words in fault.reason


@pytest.mark.parametrize(
    "wrong",
    [
        {"tensor_parallel": 0},
        {"max_in_flight": 0},
        {"max_model_len": -1},
        {"gpu_memory_fraction": 0.0},
        {"gpu_memory_fraction": 1.1},
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_by_the_fields_name(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        EnginePlan(model="m", **wrong)  # type: ignore[arg-type]
