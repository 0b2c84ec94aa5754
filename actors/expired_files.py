"""The files of expired rows: thumbnails, and uploads where the operator wants them deleted. Blocks on the disk."""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.folder_files import OpenFolder, freed
from actors.intake import modified_ns
from domain.thumbnails import detection_called, thumbnail_name
from storage.retention import ExpiredMedia


@dataclass(frozen=True)
class Freed:
    files: int = 0
    size: int = 0

    def __add__(self, other: "Freed") -> "Freed":
        return Freed(self.files + other.files, self.size + other.size)


@dataclass(frozen=True)
class GoneUploads:
    """The rows whose files are gone, and what of it was deleted just now."""

    media_ids: Sequence[int] = ()
    deleted: Freed = Freed()


class ThumbnailFiles:
    """DATA_DIR/thumbnails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def delete(self, detections: Iterable[tuple[int, bytes]]) -> Freed:
        """Those of these detections that were ever looked at small."""
        try:
            with OpenFolder(self._folder) as folder:
                sizes = [folder.delete(thumbnail_name(*detection)) for detection in detections]
        except OSError:
            return Freed()  # there are none yet
        done = [size for size in sizes if size is not None]
        return Freed(len(done), sum(done))

    def detections(self) -> list[int]:
        """The ids of those that have one, whether they exist or not."""
        try:
            with OpenFolder(self._folder) as folder:
                ids = {detection_called(found.name) for found in folder.walk()}
        except OSError:
            return []
        return sorted(found for found in ids if found is not None)

    def size(self, detections: Iterable[tuple[int, bytes]]) -> Freed:
        """What `delete` would do."""
        done: list[int] = []
        try:
            with OpenFolder(self._folder) as folder:
                for detection in detections:
                    try:
                        status = folder.status(thumbnail_name(*detection))
                    except OSError:
                        continue
                    if stat.S_ISREG(status.st_mode):
                        done.append(freed(status))
        except OSError:
            return Freed()
        return Freed(len(done), sum(done))


class Uploads:
    """The files below the camera root.

    A row goes once its file is gone, and not before: it is what tells that a file in a folder has been looked at, and
    without it the watcher would take the file for new.
    """

    def __init__(self, camera_root: Path, delete_images: bool) -> None:
        self._root = camera_root
        self._delete_images = delete_images

    def settle(self, rows: Sequence[ExpiredMedia], *, really: bool) -> GoneUploads:
        """`really` deletes; without it, only looks."""
        try:
            with OpenFolder(self._root) as root:
                fates = [(row.id, self._fate(root, row, really)) for row in rows]
        except OSError:
            return GoneUploads()  # the disk is away: nothing is known of any file
        sizes = [size for _, (_, size) in fates if size is not None]
        return GoneUploads([row_id for row_id, (gone, _) in fates if gone], Freed(len(sizes), sum(sizes)))

    def _fate(self, root: OpenFolder, row: ExpiredMedia, really: bool) -> tuple[bool, int | None]:
        """Whether the file is gone, and the bytes that deleting it has given back."""
        name = self._below_root(row.path)
        if name is None or not root.has_folder(name.partition("/")[0]):
            return False, None  # elsewhere, or its camera's folder is away: it may come back
        try:
            status = root.status(name)
            if (status.st_size, modified_ns(status)) != (row.size_bytes, row.modified_ns):
                return True, None  # another file lies there, with a row of its own
            if not (self._delete_images and stat.S_ISREG(status.st_mode)):
                return False, None
            if really:
                root.unlink(name)
        except FileNotFoundError:
            return True, None
        except OSError:
            return False, None
        return True, freed(status)

    def _below_root(self, path: str) -> str | None:
        """`Front Door/1.jpg`; None for what does not lie in a folder below the root as it is written."""
        root = os.path.join(self._root, "")
        name = path[len(root) :] if path.startswith(root) else ""
        parts = name.split("/")
        return name if len(parts) > 1 and not {"", ".", ".."} & set(parts) else None
