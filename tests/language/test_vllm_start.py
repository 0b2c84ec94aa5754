"""An engine that does not start says why in a sentence with the mend, and leaves no process behind."""

import asyncio
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from language import engine_build, vllm_engine
from language.engine_build import Building
from language.engine_faults import death_cause, start_fault
from language.engine_plan import EnginePlan
from language.errors import ModelAway, ModelUnusable
from language.vllm_engine import VllmEngine
from tests.eventually import eventually
from tests.language.questions import question

pytestmark = pytest.mark.timeout(1200)  # a busy machine loads slowly
GRAMMAR = "ERROR vllm.v1.structured_output: Failed to compile grammar\nTraceback:\nValueError: of another day\n"
FATAL = "ERROR vllm.v1.engine.core: EngineCore encountered a fatal error.\nTraceback:\nRuntimeError: no more memory\n"
KILLED = "Worker proc W-0 died unexpectedly (exit code: -9)"


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
    await eventually(lambda: not any(psutil.pid_exists(pid) for pid in born))  # dead, and buried by the machine
    assert engine.fault() == "the engine is not running"


async def test_of_several_starts_at_once_the_last_holds_and_a_stop_tells_whoever_waits(llama_folder: Path) -> None:
    engine = VllmEngine(EnginePlan(model=str(llama_folder)))
    started = await asyncio.gather(*(engine.start() for _ in range(3)), return_exceptions=True)
    assert [str(end) for end in started if end is not None] == ["the engine was stopped while it loaded"] * 2
    born = engine.process_ids()
    assert cores() == born[:1]
    endless = {"type": "array", "minItems": 2000, "items": {"type": "integer"}}
    asked = [
        asyncio.create_task(engine.ask(question(id=name, answer_schema=endless, most_tokens=6000, within_seconds=600)))
        for name in ("one", "two")
    ]
    await eventually(lambda: engine.unfinished() == 2)
    await engine.stop()
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(end) for end in ends] == [ModelAway, ModelAway]
    await eventually(lambda: not any(psutil.pid_exists(pid) for pid in born))  # dead, and buried by the machine


def wait_for_ever(log: Path) -> None:
    """A core whose worker failed, and that does not end over it."""
    log.write_text("ERROR vllm.v1.executor: WorkerProc failed to start.\nRuntimeError: no more memory, out of memory\n")
    signal.pause()


async def test_a_core_that_wrote_that_it_failed_and_lives_on_is_ended(
    llama_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(_: Building) -> Any:
        log = json.loads(Path(os.environ["VLLM_LOGGING_CONFIG_PATH"]).read_text())["handlers"]["errors"]["filename"]
        core = multiprocessing.get_context("spawn").Process(
            target=wait_for_ever, args=(Path(log),), name="EngineCore_0"
        )
        core.start()
        core.join()
        raise RuntimeError(f"See root cause above. Failed core proc(s): {{'EngineCore': {core.exitcode}}}")

    monkeypatch.setattr(Building, "run", run)
    monkeypatch.setattr(vllm_engine, "_GRACE_SECONDS", 0)
    assert "there is not enough memory" in await refused(EnginePlan(model=str(llama_folder), device="cpu"))


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda one: (one / "config.json").write_text("{}"), ModelAway, "changed while it was loaded"),
        (lambda one: (one / "model.safetensors").write_bytes(b""), ModelUnusable, "is cut off"),
        (shutil.rmtree, ModelUnusable, "holds no weights"),
    ],
)
async def test_a_folder_that_changes_while_it_is_loaded_is_no_model(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], kind: type[ModelAway], words: str
) -> None:
    ended = []

    class Loaded:
        def shutdown(self) -> None:
            ended.append(True)

    def loaded(*_: object) -> Loaded:
        change(folder)
        return Loaded()

    monkeypatch.setattr(engine_build, "_llm", loaded)
    engine = VllmEngine(EnginePlan(model=str(folder)))
    with pytest.raises(ModelAway, match=words) as caught:
        await engine.start()
    assert (type(caught.value), ended) == (kind, [True])


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("", None),
        (GRAMMAR, None),
        (FATAL + GRAMMAR, "RuntimeError: no more memory"),
        (GRAMMAR + FATAL, "RuntimeError: no more memory"),
        (f"{GRAMMAR}ERROR vllm.v1.executor: {KILLED}\n{FATAL}", KILLED),
    ],
)
def test_a_death_is_told_by_what_was_written_of_it_and_by_nothing_else(log: str, cause: str | None) -> None:
    assert death_cause(log) == cause


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
        (
            "RuntimeError: something new\nEngine core initialization failed. Failed core proc(s): {'EngineCore': -9}",
            ModelAway,
            "RuntimeError: something new",
        ),
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
