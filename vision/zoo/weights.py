"""Where a model's weights are: below one folder, and nowhere else, whatever the settings say."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from vision.zoo.errors import NoWeights

FileStamp = tuple[tuple[int, int, int], ...]
"""Modification time in ns, size and inode of every file: another stamp means other weights."""


@dataclass(frozen=True, slots=True)
class FoundWeights:
    path: Path
    stamp: FileStamp

    @property
    def size_mb(self) -> int:
        """Rounded up."""
        return -(-sum(size for _, size, _ in self.stamp) // 2**20)


def expected_path(folder: Path, names: Sequence[str], chosen: str | None = None) -> Path:
    """Where the weights are looked for first."""
    return folder / (chosen if chosen is not None and _stays_below(chosen) else names[0])


def find_weights(folder: Path, names: Sequence[str], chosen: str | None = None) -> FoundWeights:
    """The first of `names` that is there, or only what the settings chose. Raises NoWeights."""
    if chosen is not None and not _stays_below(chosen):
        raise NoWeights(f"MODEL_ZOO_FILES names {chosen!r}: give a path inside MODEL_ZOO_DIR, relative to it")
    for name in (chosen,) if chosen is not None else names:
        found = _look_at(folder, name)
        if found is not None:
            return found
    if chosen is not None:
        raise NoWeights(f"there is no {chosen} in MODEL_ZOO_DIR, which MODEL_ZOO_FILES names")
    raise NoWeights("its weights are not in MODEL_ZOO_DIR")


def _stays_below(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\x00" not in name


def _look_at(folder: Path, name: str) -> FoundWeights | None:
    """What lies there; None for nothing. A link that leads out of the folder is refused."""
    try:
        real = (folder / name).resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            raise NoWeights(f"{name} is a link that leads out of MODEL_ZOO_DIR: put the file itself there")
        return FoundWeights(folder / name, _stamp(real))
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise NoWeights(f"{name} cannot be looked at: {getattr(error, 'strerror', None) or error}") from None


def _stamp(path: Path) -> FileStamp:
    inside = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
    statuses = [os.stat(item) for item in inside]
    return tuple((status.st_mtime_ns, status.st_size, status.st_ino) for status in statuses)
