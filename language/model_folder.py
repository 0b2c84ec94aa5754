"""What is wrong with a model's folder, said before an engine is loaded from it, and what tells one model from another.

NEMOTRON_MODEL ── a folder that is there ──▶ config, tokenizer, weights are looked at
               ├─ org/name ────────────────▶ the hub's, for vLLM to fetch
               └─ anything else ───────────▶ a fault
"""

import re
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from language.weight_files import BadFile, read_json_object, require_small, weight_files

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_TOKENIZERS = (("tokenizer.json",), ("tokenizer.model",), ("vocab.json", "merges.txt"))
_RUNNING_STATE = ("mamba", "ssm", "linear_attention", "recurrent", "gated_delta", "rwkv", "conv")
_TEXTS = (".json", ".jinja", ".txt")
_HEAD, _TAIL = 1024 * 1024, 64 * 1024
_AGAIN = "download the model again"


def is_hub_name(model: str) -> bool:
    """`org/name`, which also a relative path may look like: one that exists is a folder."""
    return _HUB_NAME.fullmatch(model) is not None and ".." not in model and "--" not in model


def shown_name(model: str) -> str:
    """What events say assessed them: of a folder its own name, since where it lies is nobody's business."""
    return model if is_hub_name(model) else Path(model).name or model


def model_fault(model: str) -> str | None:
    """One sentence with the file and the mend; None for a folder that can be loaded and for a name on the hub."""
    folder = Path(model)
    try:
        if model and folder.is_dir():
            _check(folder)
        elif model and folder.exists():
            return f"NEMOTRON_MODEL is {model}, a file; name the folder that it lies in"
        elif not is_hub_name(model):
            return f"NEMOTRON_MODEL is {model!r}: there is no such folder, and a name on the hub reads org/name"
    except BadFile as error:
        return error.reason
    except (OSError, ValueError) as error:  # a name too long, with a zero in it, or in a folder nobody may enter
        return f"NEMOTRON_MODEL is {model!r}, which cannot be opened ({error}); name a folder that this user may read"
    return None


def architecture_fault(config: dict[str, Any]) -> str | None:
    """Whether the vLLM that is installed runs it and it writes text; None too where there is no vLLM to say so.

    The first call imports vLLM, which takes seconds.
    """
    names = _architectures(config)
    if find_spec("vllm") is None:
        return None
    from vllm.model_executor.models import ModelRegistry, registry

    known = ModelRegistry.get_supported_archs()
    if not any(name in known for name in names):
        return (
            f"the architecture {', '.join(names)} in config.json is none that the installed vLLM knows; "
            "take another model or a newer vLLM"
        )
    writers = {**getattr(registry, "_TEXT_GENERATION_MODELS", {}), **getattr(registry, "_MULTIMODAL_MODELS", {})}
    if writers and not any(name in writers for name in names):
        return f"the architecture {', '.join(names)} in config.json writes no text; take a model that chats"
    return None


def read_config(model: str) -> dict[str, Any] | None:
    """A folder's config.json; None for a name on the hub. Raises BadFile."""
    folder = Path(model)
    return read_json_object(folder / "config.json") if folder.is_dir() else None


def fingerprint(folder: Path) -> str:
    """The same for the same model, without reading all of it: settings, sizes, and both ends of every weight file.

    Raises BadFile.
    """
    digest = sha256()
    texts = [folder / "config.json", *folder.glob("tokenizer*"), *folder.glob("chat_template*")]
    for path in sorted(one for one in texts if one.is_file()):
        require_small(path)
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    for path in weight_files(folder):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_HEAD))
            file.seek(max(0, size - _TAIL))
            digest.update(file.read(_TAIL))
    return f"sha256:{digest.hexdigest()[:32]}"


def is_hybrid(config: dict[str, Any]) -> bool:
    """Whether some layers keep a running state (Mamba and its like), which a cache of prefixes serves badly or not."""
    inner = [config.get(name) for name in ("text_config", "llm_config", "language_config")]
    return _keeps_state(config) or any(_keeps_state(one) for one in inner if isinstance(one, dict))


def _keeps_state(config: dict[str, Any]) -> bool:
    pattern = config.get("hybrid_override_pattern")
    if isinstance(pattern, str) and "M" in pattern:
        return True
    if any(name.startswith(("mamba_", "ssm_")) and config[name] is not None for name in config):
        return True
    layers = [config.get(name) for name in ("layers_block_type", "layer_types", "block_types", "layer_type_list")]
    named = [str(layer).lower() for one in layers if isinstance(one, list) for layer in one]
    return any(word in layer for layer in named for word in _RUNNING_STATE)


def _check(folder: Path) -> None:
    config = read_json_object(folder / "config.json")
    if not _architectures(config):
        raise BadFile(f"{folder / 'config.json'} names no `architectures`; take a folder in Hugging Face's layout")
    _check_texts(folder)
    _check_tokenizer(folder)
    weight_files(folder)


def _architectures(config: dict[str, Any]) -> list[str]:
    found = config.get("architectures")
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _check_texts(folder: Path) -> None:
    """Whoever loads the model reads all of these, unasked and wholly: a pipe among them would hold it for ever."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _TEXTS:
            require_small(path)


def _check_tokenizer(folder: Path) -> None:
    kinds = [kind for kind in _TOKENIZERS if all((folder / name).exists() for name in kind)]
    if not kinds:
        raise BadFile(f"{folder / 'tokenizer.json'} is missing, and no other tokenizer lies beside it; {_AGAIN}")
    for name in kinds[0]:
        if name.endswith(".json"):
            read_json_object(folder / name)
        else:
            require_small(folder / name)
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return
    settings = folder / "tokenizer_config.json"
    if not settings.exists() or not read_json_object(settings).get("chat_template"):
        raise BadFile(
            f"{folder} has no chat template (chat_template.jinja): "
            "take the model's instruct variant, not its base, or download it again"
        )
