"""A model's folder is looked at before an engine is loaded from it: what is missing, cut off or hostile is named."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from language.model_folder import architecture_fault, fingerprint, is_hybrid, model_fault, read_config
from language.weight_files import LARGEST_HEADER, BadFile

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 7516192768\n"


@pytest.fixture
def folder(llama_folder: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(llama_folder, tmp_path / "model"))


def sharded(folder: Path, *names: str, mapped: object = None) -> None:
    """The one file as the first of several, and an index that lists them."""
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    places = mapped if mapped is not None else {f"tensor.{number}": name for number, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def with_header(folder: Path, header: bytes, length: int | None = None, rest: bytes = b"") -> None:
    size = len(header) if length is None else length
    (folder / "model.safetensors").write_bytes(size.to_bytes(8, "little") + header + rest)


def config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def cut(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def swapped(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def test_whole_folders_have_no_fault(llama_folder: Path, nemotron_folder: Path) -> None:
    assert [model_fault(str(one)) for one in (llama_folder, nemotron_folder)] == [None, None]


def test_a_folder_in_several_files_has_no_fault(folder: Path) -> None:
    sharded(folder, "model-00001-of-00002.safetensors", "model-00001-of-00002.safetensors")
    assert model_fault(str(folder)) is None


def test_a_folder_whose_files_are_links_into_a_cache_has_no_fault(llama_folder: Path, tmp_path: Path) -> None:
    linked = tmp_path / "snapshot"
    linked.mkdir()
    for path in llama_folder.iterdir():
        (linked / path.name).symlink_to(path)
    assert model_fault(str(linked)) is None


@pytest.mark.parametrize("name", ["nvidia/NVIDIA-Nemotron-3-Nano-4B-FP8", "a/b"])
def test_a_name_on_the_hub_passes(name: str) -> None:
    assert model_fault(name) is None


@pytest.mark.parametrize(
    "name",
    ["", "nemotron", "/no/such/folder", "./here", "a/b/c", "../up/there", "a b/c", "a/..", "a\0b", "x" * 5000, "ä/b"],
)
def test_a_name_that_is_neither_a_folder_nor_the_hubs_is_told_so(name: str) -> None:
    assert "NEMOTRON_MODEL is" in (model_fault(name) or "")


def test_a_file_in_place_of_the_folder_is_told_so(llama_folder: Path) -> None:
    assert "name the folder that it lies in" in (model_fault(str(llama_folder / "model.safetensors")) or "")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda one: shutil.rmtree(one) or one.mkdir(), "config.json is missing"),
        (lambda one: (one / "config.json").write_text("{"), "config.json is no valid JSON"),
        (lambda one: (one / "config.json").write_bytes(b"\xff\xfe\x00"), "config.json is no valid JSON"),
        (lambda one: (one / "config.json").write_text("[" * 100_000), "config.json is no valid JSON"),
        (lambda one: (one / "config.json").write_text("[]"), "config.json holds no JSON object"),
        (lambda one: (one / "config.json").write_text(POINTER), "config.json is a Git LFS pointer"),
        (lambda one: cut(one / "config.json", 2**30), "config.json is larger than 64 MB"),
        (lambda one: (one / "config.json").unlink() or os.mkfifo(one / "config.json"), "config.json is no file"),
        (lambda one: config(one, architectures=None), "names no `architectures`"),
        (lambda one: config(one, architectures=[]), "names no `architectures`"),
        (lambda one: config(one, architectures={"a": 1}), "names no `architectures`"),
        (lambda one: (one / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (lambda one: (one / "tokenizer.json").write_text(POINTER), "tokenizer.json is a Git LFS pointer"),
        (lambda one: cut(one / "tokenizer.json", 1000), "tokenizer.json is no valid JSON"),
        (lambda one: (one / "chat_template.jinja").unlink(), "has no chat template"),
        (lambda one: cut(one / "chat_template.jinja", 2**30), "chat_template.jinja is larger than 64 MB"),
        (lambda one: cut(one / "added_tokens.json", 2**30), "added_tokens.json is larger than 64 MB"),
        (lambda one: os.mkfifo(one / "special_tokens_map.json"), "special_tokens_map.json is no file"),
        (lambda one: (one / "preprocessor_config.json").symlink_to("/dev/zero"), "preprocessor_config.json is no file"),
        (lambda one: swapped(one / "tokenizer.json", "/etc"), "tokenizer.json is no file"),
        (lambda one: swapped(one / "tokenizer.json", "/etc/passwd"), "tokenizer.json is no valid JSON"),
        (lambda one: swapped(one / "model.safetensors", "/etc/passwd"), "model.safetensors is cut off"),
        (lambda one: (one / "model.safetensors").unlink(), "holds no weights"),
        (lambda one: (one / "model.safetensors").rename(one / "pytorch_model.bin"), "pytorch_model.bin is no safetens"),
        (lambda one: (one / "model.safetensors").write_text(POINTER), "model.safetensors is a Git LFS pointer"),
        (lambda one: (one / "model.safetensors").write_bytes(b""), "model.safetensors is cut off: it has 0 bytes"),
        (lambda one: cut(one / "model.safetensors", 5), "model.safetensors is cut off: it has 5 bytes"),
        (lambda one: cut(one / "model.safetensors", 500), "model.safetensors is cut off: it has 500 bytes"),
        (lambda one: cut(one / "model.safetensors", 100_000), "model.safetensors is cut off: 100000 of"),
        (lambda one: cut(one / "model.safetensors", 2**22), "model.safetensors is longer than its header says"),
        (lambda one: with_header(one, b"", 2**63), "model.safetensors is cut off"),
        (lambda one: with_header(one, b"", LARGEST_HEADER + 1) or cut(one / "model.safetensors", 2**27), "a header of"),
        (lambda one: with_header(one, b"\x00" * 64), "names no tensors"),
        (lambda one: with_header(one, b"[" * 200_000), "names no tensors"),
        (lambda one: with_header(one, b"[]"), "names no tensors"),
        (lambda one: with_header(one, b'{"a":{"data_offsets":[0,"9"]}}'), "names no tensors"),
        (lambda one: with_header(one, b'{"a":{"data_offsets":[-4,9]}}'), "names no tensors"),
        (lambda one: with_header(one, b'{"a":{"data_offsets":[9,4]}}'), "names no tensors"),
        (lambda one: with_header(one, b'{"a":7}'), "names no tensors"),
        (lambda one: with_header(one, b'{"a":{"data_offsets":[0,1' + b"0" * 5000 + b"]}}"), "names no tensors"),
        (lambda one: (one / "model.safetensors.incomplete").touch(), "model.safetensors.incomplete is left of a down"),
        (
            lambda one: (
                (one / ".cache/huggingface/download").mkdir(parents=True)
                or (one / ".cache/huggingface/download/x.abc.incomplete").touch()
            ),
            "x.abc.incomplete is left of a download",
        ),
        (
            lambda one: sharded(one, "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
            "model-00002-of-00002.safetensors, listed in model.safetensors.index.json, is missing",
        ),
        (
            lambda one: (one / "model.safetensors").rename(one / "model-00001-of-00003.safetensors"),
            "model-00002-of-00003.safetensors is missing",
        ),
        (
            lambda one: (one / "model.safetensors").rename(one / "model-00001-of-00001.safetensors"),
            "model.safetensors.index.json is missing",
        ),
        (lambda one: sharded(one, "../../etc/passwd"), "lies outside the folder"),
        (lambda one: sharded(one, "/etc/passwd"), "lies outside the folder"),
        (lambda one: sharded(one, "a\0b"), "lies outside the folder"),
        (lambda one: sharded(one, ".."), "lies outside the folder"),
        (lambda one: sharded(one, mapped=[]), "has no `weight_map`"),
        (lambda one: sharded(one, mapped={}), "has no `weight_map`"),
        (lambda one: sharded(one, mapped={"a": 7}), "has no `weight_map`"),
        (
            lambda one: (one / "model.safetensors.index.json").symlink_to(one / "nowhere"),
            "model.safetensors.index.json is missing",
        ),
        (
            lambda one: (one / "model.safetensors").unlink() or os.mkfifo(one / "model.safetensors"),
            "model.safetensors is no file",
        ),
    ],
)
def test_a_damaged_folder_is_told_by_the_file_and_the_mend(
    folder: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(folder)
    fault = model_fault(str(folder))
    assert fault is not None
    assert said in fault
    assert str(folder) in fault
    assert any(mend in fault for mend in ("download", "take ", "fetch it"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("LlamaForCausalLM", None),
        ("NemotronHForCausalLM", None),
        ("NoSuchForCausalLM", "none that the installed vLLM knows"),
        ("BertModel", "writes no text"),
    ],
)
def test_an_architecture_that_vllm_does_not_know_or_that_writes_no_text_is_told_so(name: str, said: str | None) -> None:
    fault = architecture_fault({"architectures": [name]})
    assert fault is None if said is None else said in (fault or "")


def test_hybrids_are_known_by_their_layers(llama_folder: Path, nemotron_folder: Path) -> None:
    assert not is_hybrid(read_config(str(llama_folder)) or {})
    assert is_hybrid(read_config(str(nemotron_folder)) or {})
    assert is_hybrid({"hybrid_override_pattern": "M-M*-M"})
    assert is_hybrid({"llm_config": {"layers_block_type": ["mamba", "attention"]}})
    assert is_hybrid({"text_config": {"layer_types": ["linear_attention", "full_attention"]}})
    assert not is_hybrid({"layer_types": ["full_attention", "sliding_attention"], "hybrid_override_pattern": None})


def test_the_fingerprint_is_the_same_for_a_copy_and_another_for_other_weights(
    llama_folder: Path, nemotron_folder: Path, folder: Path
) -> None:
    assert fingerprint(folder) == fingerprint(llama_folder) != fingerprint(nemotron_folder)
    weights = folder / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-100] ^= 1
    weights.write_bytes(raw)
    assert fingerprint(folder) != fingerprint(llama_folder)


def test_the_fingerprint_of_half_a_folder_is_refused(folder: Path) -> None:
    cut(folder / "model.safetensors", 100_000)
    with pytest.raises(BadFile, match="cut off"):
        fingerprint(folder)
