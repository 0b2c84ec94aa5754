"""Files below one folder, reached without ever passing through a link: what is deleted lies where it seems to lie."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_INTO = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_OPEN = 64


@dataclass(frozen=True)
class FoundFile:
    """A regular file as it was seen; its name is relative to the folder."""

    name: str
    size: int
    modified: float
    inode: int


class OpenFolder:
    """A context manager; every call raises OSError as the operating system does, for a link in the way too."""

    def __init__(self, root: Path) -> None:
        """`root` itself may be a link: it is the operator's."""
        self._root = root
        self._folders: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._folders[""] = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(list(self._folders))

    def has_folder(self, name: str) -> bool:
        try:
            self._folder(name)
        except OSError:
            return False
        return True

    def status(self, name: str) -> os.stat_result:
        """Of the file itself, or of the link that lies there."""
        above, _, last = name.rpartition("/")
        return os.stat(last, dir_fd=self._folder(above), follow_symlinks=False)

    def unlink(self, name: str) -> None:
        above, _, last = name.rpartition("/")
        os.unlink(last, dir_fd=self._folder(above))

    def delete(self, name: str, inode: int | None = None) -> int | None:
        """Bytes that became free; None when there is no such regular file (any more), or it may not be deleted."""
        try:
            status = self.status(name)
            if not stat.S_ISREG(status.st_mode) or inode not in (None, status.st_ino):
                return None
            self.unlink(name)
        except OSError:
            return None
        return freed(status)

    def walk(self, below: str = "") -> Iterator[FoundFile]:
        """Every regular file, in no order; links, and what cannot be read, are left out."""
        folders = []
        try:
            with os.scandir(self._folder(below)) as entries:
                for entry in entries:
                    name = f"{below}/{entry.name}" if below else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif entry.is_file(follow_symlinks=False):
                        try:
                            status = entry.stat(follow_symlinks=False)
                        except OSError:
                            continue  # gone meanwhile
                        yield FoundFile(name, status.st_size, status.st_mtime, status.st_ino)
        except OSError:
            return
        for name in folders:
            yield from self.walk(name)

    def _folder(self, name: str) -> int:
        if name not in self._folders:
            if len(self._folders) >= _MOST_OPEN:
                self._close([folder for folder in self._folders if folder])
            above, _, last = name.rpartition("/")
            if last in ("", ".", ".."):
                raise NotADirectoryError(name)
            opened = os.open(last, _INTO, dir_fd=self._folder(above))
            self._folders[name] = opened
        return self._folders[name]

    def _close(self, names: list[str]) -> None:
        for name in names:
            os.close(self._folders.pop(name))


def freed(status: os.stat_result) -> int:
    """A file with another name elsewhere stays on the disk when this name goes."""
    return status.st_size if status.st_nlink <= 1 else 0
