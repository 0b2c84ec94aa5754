"""Files that the system has written, and that no row refers to any more.

Only folders that are the system's own are searched, DATA_DIR/thumbnails and DATA_DIR/clips: never the cameras'.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from actors.folder_files import FoundFile, OpenFolder
from domain.retention import ORPHAN_AGE
from domain.thumbnails import detection_called, thumbnail_name
from schemas.cleanup import OrphanedFiles
from storage.orphans import References

MOST_NAMES = 100
_FILES_A_QUESTION = 1000


@dataclass(frozen=True)
class OwnFolders:
    thumbnails: Path
    clips: Path
    camera_root: Path


class OrphanSearch:
    """Finds, and deletes when it is told to; a file younger than 24 hours is left alone."""

    def __init__(self, folders: OwnFolders, references: References, now: datetime, *, really: bool) -> None:
        self._folders = folders
        self._references = references
        self._not_after = (now - ORPHAN_AGE).timestamp()
        self._really = really

    async def thumbnails(self) -> OrphanedFiles:
        return await self._search(self._folders.thumbnails, self._thumbnails_in_use)

    async def clips(self) -> OrphanedFiles:
        return await self._search(self._folders.clips, self._clips_in_use)

    async def _search(
        self, root: Path, in_use: Callable[[Sequence[FoundFile]], Coroutine[Any, Any, set[str]]]
    ) -> OrphanedFiles:
        count, size, names = 0, 0, list[str]()
        if _overlap(root, self._folders.camera_root):
            return OrphanedFiles(orphaned_count=0, orphaned_size_bytes=0, files=())  # uploads lie there
        old = iter(await asyncio.to_thread(self._old_files, root))
        while some := list(islice(old, _FILES_A_QUESTION)):
            used = await in_use(some)
            orphans = [file for file in some if file.name not in used]
            gone = await asyncio.to_thread(self._delete, root, orphans) if self._really else orphans
            count, size = count + len(gone), size + sum(file.size for file in gone)
            names += [_shown(file.name) for file in gone[: MOST_NAMES - len(names)]]
        return OrphanedFiles(orphaned_count=count, orphaned_size_bytes=size, files=tuple(names))

    def _old_files(self, root: Path) -> list[FoundFile]:
        """By name, so that a dry run and the run that follows list the same ones."""
        try:
            with OpenFolder(root) as folder:
                return sorted((f for f in folder.walk() if f.modified <= self._not_after), key=lambda f: f.name)
        except OSError:
            return []  # nothing was ever written there

    def _delete(self, root: Path, files: Sequence[FoundFile]) -> list[FoundFile]:
        """Those that could be deleted: still there, still the file that was looked at."""
        try:
            with OpenFolder(root) as folder:
                return [file for file in files if folder.delete(file.name, file.inode) is not None]
        except OSError:
            return []

    async def _thumbnails_in_use(self, files: Sequence[FoundFile]) -> set[str]:
        ids = {detection for file in files if (detection := detection_called(file.name)) is not None}
        hashes = await self._references.hashes(sorted(ids))
        return {thumbnail_name(detection, content_hash) for detection, content_hash in hashes.items()}

    async def _clips_in_use(self, files: Sequence[FoundFile]) -> set[str]:
        """A person may have set a camera's folder, or a link to it, in here: what a row names is not ours to delete."""
        paths = {os.path.join(self._folders.clips, file.name): file.name for file in files}
        return {paths[path] for path in await self._references.uploads(list(paths))}


def _overlap(one: Path, other: Path) -> bool:
    """Whether one lies in the other, all links resolved."""
    first, second = os.path.realpath(one), os.path.realpath(other)
    return os.path.commonpath([first, second]) in (first, second)


def _shown(name: str) -> str:
    """Bytes that are not UTF-8 are shown as `?`."""
    return name.encode("utf-8", "replace").decode()
