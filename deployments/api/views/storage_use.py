"""What the system keeps on disk: the disk itself, and the files below the camera root and among the thumbnails.

Folders are counted in a thread, at most as often as a twentieth of the time that it takes, so that a tree of millions
of files costs the API little; the answer says how old the count is.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deployments.api.views.kept import Kept
from domain.clock import Clock
from domain.file_stability import kind
from schemas.frozen import Frozen, UtcTime
from schemas.media import MediaType
from storage.disk import disk_use
from storage.stats import RowCounts

PATIENCE_SECONDS = 2.0
SHARE_OF_TIME = 20
_BREATH_EVERY = 500
_BREATH_SECONDS = 0.002


class FileUse(Frozen):
    """Null until a tree so large has been counted for the first time."""

    file_count: int | None
    size_bytes: int | None


class StorageUse(Frozen):
    disk_used_bytes: int
    disk_total_bytes: int
    disk_free_bytes: int
    disk_usage_percent: float
    thumbnails: FileUse
    images: FileUse
    """Pictures below the camera root, taken in or not."""
    clips: FileUse
    """Clips below the camera root, taken in or not."""
    events_count: int
    detections_count: int
    gpu_stats_count: int
    logs_count: int
    files_counted_at: UtcTime | None
    """When the files were counted."""
    timestamp: UtcTime


@dataclass
class _Tally:
    files: int = 0
    size: int = 0


@dataclass(frozen=True)
class _Files:
    thumbnails: _Tally | None = None
    images: _Tally | None = None
    clips: _Tally | None = None
    counted_at: datetime | None = None


class StorageView:
    """Of one replica; the disk is looked at at each call, rows and files are up to about a second old."""

    def __init__(self, data_dir: Path, cameras: Path, rows: Kept[RowCounts], clock: Clock) -> None:
        self._data_dir = data_dir
        self._cameras = cameras
        self._rows = rows
        self._clock = clock
        self._files = _Files()
        self._next_count = float("-inf")
        self._counting: asyncio.Task[None] | None = None

    async def __call__(self) -> StorageUse:
        rows = await self._rows()
        await self._count_files()
        disk = await asyncio.to_thread(disk_use, self._data_dir)
        files = self._files
        return StorageUse(
            disk_used_bytes=disk.used,
            disk_total_bytes=disk.total,
            disk_free_bytes=disk.free,
            disk_usage_percent=disk.percent,
            thumbnails=_use(files.thumbnails),
            images=_use(files.images),
            clips=_use(files.clips),
            events_count=rows.events,
            detections_count=rows.detections,
            gpu_stats_count=rows.gpu_stats,
            logs_count=rows.logs,
            files_counted_at=files.counted_at,
            timestamp=self._clock.now(),
        )

    def close(self) -> None:
        self._rows.close()
        if self._counting is not None:
            self._counting.cancel()

    async def _count_files(self) -> None:
        """Waits for a count that is under way, but not for long."""
        if self._counting is None or self._counting.done():
            if self._clock.monotonic() < self._next_count:
                return
            self._counting = asyncio.create_task(self._count())
        await asyncio.wait([self._counting], timeout=PATIENCE_SECONDS)

    async def _count(self) -> None:
        began = self._clock.monotonic()
        counted_at = self._clock.now()
        self._files = await asyncio.to_thread(count_files, self._data_dir / "thumbnails", self._cameras, counted_at)
        ended = self._clock.monotonic()
        self._next_count = began + max(1.0, SHARE_OF_TIME * (ended - began))


def count_files(thumbnails: Path, cameras: Path, now: datetime) -> _Files:
    """Blocks on the disk; what vanishes meanwhile is not counted, links are not followed."""
    drawn, images, clips = _Tally(), _Tally(), _Tally()
    breathe = _breathing()
    for entry in _walk(thumbnails, breathe):
        _add(drawn, entry)
    for entry in _walk(cameras, breathe):
        media_type = kind(entry.name)
        if media_type is not None:
            _add(clips if media_type is MediaType.VIDEO else images, entry)
    return _Files(drawn, images, clips, now)


def _walk(folder: Path, breathe: Callable[[], None]) -> Iterator[os.DirEntry[str]]:
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    breathe()
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry
        except OSError:
            continue


def _add(tally: _Tally, entry: os.DirEntry[str]) -> None:
    try:
        size = entry.stat(follow_symlinks=False).st_size
    except OSError:
        return
    tally.files += 1
    tally.size += size


def _breathing() -> Callable[[], None]:
    """Lets the loop that answers requests have the processor every so often."""
    seen = 0

    def breathe() -> None:
        nonlocal seen
        seen += 1
        if seen % _BREATH_EVERY == 0:
            time.sleep(_BREATH_SECONDS)

    return breathe


def _use(tally: _Tally | None) -> FileUse:
    return (
        FileUse(file_count=tally.files, size_bytes=tally.size) if tally else FileUse(file_count=None, size_bytes=None)
    )
