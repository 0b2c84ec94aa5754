"""Watches the camera folders and makes a row of every upload that is complete.

When it dies nothing is lost: the files themselves are the journal, and its successor scans the folders. The same
scan follows when the database was away, and every minute for folders that changed unnoticed.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from watchfiles import Change, awatch

from actors.camera_folders import CameraFolders
from actors.intake import Intake, look_at, modified_ns
from actors.metrics import MEDIA
from actors.work_loop import WorkLoop
from domain.clock import Clock
from domain.file_stability import Observed, Settled, SettlingFiles, kind
from schemas.media import NewMedia
from schemas.service import Health
from storage.cameras import Cameras
from storage.doorbells import Doorbells
from storage.errors import StoreError, StoreUnavailable
from storage.live_bus import LiveBus
from storage.log_context import about_camera
from storage.media import MediaQueue

logger = logging.getLogger(__name__)

SCAN_EVERY_SECONDS = 60.0
FILES_AN_INTAKE = 256
LISTENING_AFTER_MS = 500
MOST_WAITING = 10_000
"""Settled files kept in memory while the database is away; beyond that a scan finds them again."""


@dataclass(frozen=True)
class WatcherTools:
    """What the watcher works with, opened in its own process."""

    media: MediaQueue
    cameras: Cameras
    doorbells: Doorbells
    live: LiveBus
    clock: Clock


class FileWatcher:
    """`camera folder ─▶ [media: queued]`."""

    def __init__(self, root: Path, polling: bool, connect: Callable[[], Awaitable[WatcherTools]]) -> None:
        self._root = root
        self._polling = polling
        self._connect = connect
        self._tools: WatcherTools | None = None
        self._folders: CameraFolders | None = None
        self._settling = SettlingFiles()
        self._settled: list[Settled] = []
        self._scan_at = 0.0
        self._scan_whole = True
        self._changed = asyncio.Event()
        self._loop = WorkLoop("file_watcher", self._work, self._wait)
        self._watching: asyncio.Task[None] | None = None
        self._stop_watching = asyncio.Event()
        self._listening = False

    async def start(self) -> None:
        self._loop.start()
        if self._watching is None or self._watching.done():
            self._stop_watching = asyncio.Event()
            self._watching = asyncio.get_running_loop().create_task(self._watch())

    async def stop(self) -> None:
        self._stop_watching.set()
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
            self._watching = None
        await self._loop.stop()

    async def health(self) -> Health:
        health = self._loop.health()
        missing = None if self._root.is_dir() else f"the camera root {self._root} does not exist: create it"
        detail = {
            "camera_root": str(self._root),
            "pending_tasks": len(self._settling) + len(self._settled),
            "observer_type": "polling" if self._polling else "native",
            "waiting_for_database": len(self._settled),
            "conflicts": self._folders.conflicts() if self._folders else [],
        }
        return Health(healthy=health.healthy and missing is None, message=missing or health.message, detail=detail)

    async def _work(self) -> bool:
        """Takes in what has settled; scans when it is time to."""
        tools = await self._opened()
        now = tools.clock.monotonic()
        if now >= self._scan_at:
            await self._scan(tools)
        self._settled += self._settling.take_settled(tools.clock.monotonic())
        if len(self._settled) > MOST_WAITING:
            logger.warning("%d settled files wait for the database; a scan will find the rest", len(self._settled))
            del self._settled[MOST_WAITING:]
            self._scan_whole = True
        if not self._settled:
            return False
        batch = self._settled[:FILES_AN_INTAKE]
        try:
            await self._take_in(tools, batch)
        except StoreUnavailable:
            self._scan_at, self._scan_whole = 0.0, True
            raise
        del self._settled[: len(batch)]
        return bool(self._settled)

    async def _opened(self) -> WatcherTools:
        if self._tools is None:
            self._tools = await self._connect()
            self._folders = CameraFolders(self._root, self._tools.cameras, self._tools.live, self._tools.clock)
        return self._tools

    async def _take_in(self, tools: WatcherTools, batch: list[Settled]) -> None:
        """One transaction for the files of a batch, whatever each of them is."""
        assert self._folders is not None
        files: list[NewMedia] = []
        settled_at = tools.clock.now()
        looked_at = await asyncio.to_thread(lambda: [look_at(file, tools.clock.now()) for file in batch])
        for settled, seen in zip(batch, looked_at, strict=True):
            if isinstance(seen, Settled):  # it changed since: wait until it settles again
                self._observe(tools, seen.path, seen.size, seen.modified_ns)
                continue
            camera = await self._folders.camera_of(settled.path)
            if seen is not None and camera is not None:
                files.append(_new_media(camera.id, settled, seen, settled_at))
        if not files:
            return
        taken = await self._add(tools, files)
        await self._folders.seen({file.camera_id: file.captured_at for file in taken})
        if taken:
            await tools.doorbells.ring("media")
        for file in taken:
            MEDIA.labels("refused" if file.refused else "taken_in").inc()
            if file.refused:
                with about_camera(file.camera_id):
                    logger.warning("%r of %s is refused: %s", file.path, file.camera_id, file.refused)

    async def _add(self, tools: WatcherTools, files: list[NewMedia]) -> list[NewMedia]:
        """Those that could be taken in: one that cannot must not stop the others; a scan finds it again."""
        try:
            await tools.media.add(files)
        except StoreUnavailable:
            raise
        except StoreError as error:
            if len(files) == 1:
                logger.error("%r of %s cannot be taken in: %s", files[0].path, files[0].camera_id, error)
                self._scan_whole = True
                return []
            return [file for one in files for file in await self._add(tools, [one])]
        return files

    async def _scan(self, tools: WatcherTools) -> None:
        """Looks at every folder whose entries changed since the last scan, at all of them when `_scan_whole`."""
        assert self._folders is not None
        whole, self._scan_whole = self._scan_whole, False
        self._scan_at = tools.clock.monotonic() + SCAN_EVERY_SECONDS
        try:
            async for camera_id, found in self._folders.scan(whole):
                known = await tools.media.known(camera_id, [(file.path, file.modified_ns, file.size) for file in found])
                for file in found:
                    if file.path not in known:
                        self._observe(tools, file.path, file.size, file.modified_ns)
        except StoreUnavailable:
            self._scan_whole, self._scan_at = True, 0.0
            raise
        except Exception:
            self._scan_whole = True  # folders that were walked already would count as looked at
            raise

    def _observe(self, tools: WatcherTools, path: str, size: int, modified_ns: int) -> None:
        clock = tools.clock
        seen = self._settling.observe(path, size, modified_ns, clock.monotonic(), clock.now().timestamp())
        if seen is Observed.NO_ROOM:
            self._scan_whole = True

    async def _wait(self, seconds: float) -> None:
        if self._tools is None:
            await asyncio.sleep(seconds)
            return
        due = self._settling.next_due()
        if due is not None:
            seconds = min(seconds, max(due - self._tools.clock.monotonic(), 0.01))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        self._changed.clear()

    async def _watch(self) -> None:
        """Feeds what the operating system tells; ends never, since a folder that is away may come back."""
        while not self._stop_watching.is_set():
            self._listening = False
            try:
                self._root.mkdir(parents=True, exist_ok=True)
                await self._listen()
            except Exception as error:
                cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
                logger.warning("cannot watch %s, trying again: %s", self._root, cause)
            self._scan_whole, self._scan_at = True, 0.0
            self._changed.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop_watching.wait(), 2.0)

    async def _listen(self) -> None:
        """Hears what happens below the root, until another folder stands in its place (a disk that was mounted)."""
        root = _identity(self._root)
        feed = awatch(
            self._root,
            watch_filter=_may_be_upload,
            debounce=50,
            step=5,
            stop_event=self._stop_watching,
            force_polling=self._polling,
            ignore_permission_denied=True,
            rust_timeout=LISTENING_AFTER_MS,
            yield_on_timeout=True,
        )
        async with aclosing(feed):
            async for changes in feed:
                if not self._listening:  # what came between the first scan and now was heard by nobody
                    self._listening, self._scan_at = True, 0.0
                    self._changed.set()
                if changes:
                    self._heard(changes)
                if _identity(self._root) != root:
                    return

    def _heard(self, changes: set[tuple[Change, str]]) -> None:
        if self._tools is None:
            return  # the first scan has still to come, and finds these too
        for change, path in changes:
            try:
                status = os.lstat(path)
            except OSError:
                if change is Change.deleted:
                    self._settling.forget(path)
                continue
            if os.path.isdir(path):
                self._scan_at = 0.0  # a folder that came with its files: they may have been there before the watch
            else:
                self._observe(self._tools, path, status.st_size, modified_ns(status))
        self._changed.set()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _may_be_upload(_change: Change, path: str) -> bool:
    """Uploads by their name, and folders, which may have come with uploads in them."""
    return kind(path) is not None or os.path.isdir(path)


def _new_media(camera_id: str, settled: Settled, seen: Intake, settled_at: datetime) -> NewMedia:
    return NewMedia(
        camera_id=camera_id,
        path=settled.path,
        size_bytes=settled.size,
        modified_ns=settled.modified_ns,
        content_hash=seen.content_hash,
        media_type=settled.kind,
        captured_at=seen.captured_at,
        settled_at=settled_at,
        refused=seen.refused,
    )
