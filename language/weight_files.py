"""What is wrong with the weight files of a model's folder: absent, cut off, pointers, or made to do harm."""

import json
import re
import stat
from pathlib import Path
from typing import Any

LARGEST_TEXT = 64 * 1024 * 1024
"""Of a JSON or text file of a folder; real indexes and tokenizers have at most a few tens of MB."""
LARGEST_HEADER = 32 * 1024 * 1024
"""Of a safetensors file; real ones have at most a few MB."""
INDEX = "model.safetensors.index.json"
_POINTER = b"version https://git-lfs"
_NUMBERED = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.safetensors")
_AGAIN = "download the model again (`hf download ORG/NAME --local-dir FOLDER` goes on where it stopped)"


class BadFile(Exception):
    """A file of the folder is not what it should be; the reason names it and the mend."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)

    @property
    def reason(self) -> str:
        return str(self.args[0])


def read_json_object(path: Path) -> dict[str, Any]:
    """Raises BadFile."""
    require_small(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadFile(f"{path} cannot be read ({error.strerror}); let this process's user read it") from error
    if raw.startswith(_POINTER):
        raise BadFile(_is_pointer(path))
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path} is no valid JSON; {_AGAIN}") from error
    if not isinstance(found, dict):
        raise BadFile(f"{path} holds no JSON object; {_AGAIN}")
    return found


def require_regular(path: Path) -> None:
    """A file that can be opened without waiting: a pipe or a device would hold the reader for ever. Raises BadFile."""
    try:
        kind = path.stat().st_mode
    except OSError as error:
        raise BadFile(f"{path} is missing; {_AGAIN}") from error
    if not stat.S_ISREG(kind):
        raise BadFile(f"{path} is no file; {_AGAIN}")


def require_small(path: Path) -> None:
    """A file that may be read wholly. Raises BadFile."""
    require_regular(path)
    if path.stat().st_size > LARGEST_TEXT:
        raise BadFile(f"{path} is larger than {LARGEST_TEXT // 2**20} MB, which no file of this kind is; {_AGAIN}")


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that hold the model, every one of them looked at. Raises BadFile."""
    unfinished = [*folder.glob("*.incomplete"), *folder.glob(".cache/huggingface/download/**/*.incomplete")]
    if unfinished:
        raise BadFile(f"{unfinished[0]} is left of a download that was broken off; {_AGAIN}")
    index = folder / INDEX
    found = _listed(index) if index.exists() or index.is_symlink() else _lying_there(folder)
    for path in found:
        _check_safetensors(path)
    return found


def _listed(index: Path) -> list[Path]:
    places = read_json_object(index).get("weight_map")
    if not isinstance(places, dict) or not places or not all(isinstance(name, str) for name in places.values()):
        raise BadFile(f"{index} has no `weight_map` of tensors and files; {_AGAIN}")
    names = sorted(set(places.values()))
    for name in names:
        if name in ("", ".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise BadFile(f"{index} names {name!r}, which lies outside the folder; take the model from its publisher")
    absent = [name for name in names if not (index.parent / name).exists()]
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise BadFile(f"{index.parent / absent[0]}{more}, listed in {INDEX}, is missing; {_AGAIN}")
    return [index.parent / name for name in names]


def _lying_there(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        others = sorted([*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.gguf")])
        if others:
            raise BadFile(
                f"{others[0]} is no safetensors file, and nothing else is loaded; take the model's safetensors files"
            )
        raise BadFile(f"{folder} holds no weights (*.safetensors); {_AGAIN}")
    for path in found:
        numbered = _NUMBERED.fullmatch(path.name)
        if numbered and int(numbered[3]) <= 10_000:
            stem, parts = numbered[1], int(numbered[3])
            for part in range(1, parts + 1):
                other = folder / f"{stem}-{part:05d}-of-{parts:05d}.safetensors"
                if not other.exists():
                    raise BadFile(f"{other} is missing; {_AGAIN}")
            raise BadFile(f"{folder / INDEX} is missing; {_AGAIN}")
    return found


def _check_safetensors(path: Path) -> None:
    """8 bytes of the header's length, the header as JSON, the tensors: the file is as long as its header says."""
    require_regular(path)
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            start = file.read(len(_POINTER))
            if start == _POINTER:
                raise BadFile(_is_pointer(path))
            header_size = int.from_bytes(start[:8], "little")
            if size < 8 or header_size > size - 8:
                raise BadFile(f"{path} is cut off: it has {size} bytes; {_AGAIN}")
            if header_size > LARGEST_HEADER:
                raise BadFile(f"{path} is no safetensors file (a header of {header_size} bytes); {_AGAIN}")
            file.seek(8)
            raw = file.read(header_size)
    except OSError as error:
        raise BadFile(f"{path} cannot be read ({error.strerror}); let this process's user read it") from error
    needed = 8 + header_size + _tensor_bytes(path, raw)
    if size < needed:
        raise BadFile(f"{path} is cut off: {size} of {needed} bytes; {_AGAIN}")
    if size > needed:
        raise BadFile(f"{path} is longer than its header says: {size} bytes for {needed}; {_AGAIN}")


def _tensor_bytes(path: Path, header: bytes) -> int:
    broken = BadFile(f"{path} is no safetensors file, or is damaged: its header names no tensors; {_AGAIN}")
    try:
        tensors = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise broken from error
    if not isinstance(tensors, dict):
        raise broken
    end = 0
    for name, tensor in tensors.items():
        if name == "__metadata__":
            continue
        offsets: Any = tensor.get("data_offsets") if isinstance(tensor, dict) else None
        whole = isinstance(offsets, list) and len(offsets) == 2 and all(type(one) is int for one in offsets)
        if not whole or not 0 <= offsets[0] <= offsets[1]:
            raise broken
        end = max(end, offsets[1])
    if end == 0:
        raise broken
    return end


def _is_pointer(path: Path) -> str:
    return f"{path} is a Git LFS pointer and not the file itself; fetch it with `git lfs pull` or `hf download`"
