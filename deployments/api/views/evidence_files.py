"""Opening the files that the API shows: only what a row names, only inside the camera root, only as it was then."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from storage.detections import PictureSource
from storage.errors import NotFound

_GONE = "the picture is no longer there, or no longer what was looked at"


@contextmanager
def opened(source: PictureSource, camera_root: Path) -> Iterator[BinaryIO]:
    """The file, open; NotFound when it is gone, was replaced, or leads out of the camera root.

    What was opened is what is checked: a link that is put in place between a check and the opening gains nothing.
    """
    try:
        descriptor = os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        raise NotFound(_GONE) from None
    try:
        status = os.fstat(descriptor)
        unchanged = status.st_size == source.size_bytes and status.st_mtime_ns == source.modified_ns
        if not (stat.S_ISREG(status.st_mode) and unchanged and _is_inside(source.path, status, camera_root)):
            raise NotFound(_GONE)
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def _is_inside(path: str, status: os.stat_result, camera_root: Path) -> bool:
    """Whether the opened file is the one at this place with every link resolved, and that place is in the root."""
    real, root = os.path.realpath(path), os.path.realpath(camera_root)
    try:
        same = os.path.samestat(os.stat(real, follow_symlinks=False), status)
        return same and os.path.commonpath([real, root]) == root and real != root
    except (OSError, ValueError):
        return False
