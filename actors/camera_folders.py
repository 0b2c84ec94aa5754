"""The folders below the camera root: which camera each belongs to, and what lies in them."""

import asyncio
import logging
import os
import re
import stat
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path, PurePath

from actors.intake import modified_ns
from domain.camera_id import camera_id
from domain.clock import Clock
from domain.file_stability import Settled, kind
from schemas.camera import Camera, CameraStatus
from schemas.frame_types import CameraStatusChanged, frame
from storage.cameras import Cameras
from storage.live_bus import LiveBus

logger = logging.getLogger(__name__)

_UNDECODABLE = re.compile(r"\\u(dc[89a-f][0-9a-f])")
SETTLED_FOLDER_NS = 2_000_000_000
"""A folder's time is believed once it lies this far back: some file systems tell it in whole seconds only."""
CAMERA_KEPT_SECONDS = 5.0
"""How long a looked-up camera is believed: a camera that is switched off is heeded within this."""


class CameraFolders:
    """Knows the cameras by their folder; tells their status; walks what changed."""

    def __init__(self, root: Path, cameras: Cameras, live: LiveBus, clock: Clock) -> None:
        self._root = root
        self._cameras = cameras
        self._live = live
        self._clock = clock
        self._known: dict[str, tuple[float, Camera | None]] = {}
        self._changed_ns: dict[str, int] = {}
        self._status: dict[str, tuple[CameraStatus, str | None]] = {}
        self._conflicts: dict[str, str] = {}
        self._told: set[str] = set()

    def conflicts(self) -> list[str]:
        """Folders that cannot be a camera, each with the reason."""
        return list(self._conflicts.values())

    async def camera_of(self, path: str) -> Camera | None:
        """The camera whose upload this is; None (said once in the log) when there is none that may be looked at."""
        below = PurePath(path).parts[len(self._root.parts) :]
        if any(part.startswith(".") for part in below):
            return None
        if len(below) >= 2 and await asyncio.to_thread(_leads_elsewhere, self._root, path):
            self._tell_once(path, "lies behind a symbolic link, which is not followed")
            return None
        if len(below) < 2:
            self._tell_once(path, "lies in no camera's folder: put it in a folder below the camera root")
            return None
        return await self._camera(below[0])

    async def _camera(self, folder: str) -> Camera | None:
        now = self._clock.monotonic()
        known = self._known.get(folder)
        if known is None or now - known[0] > CAMERA_KEPT_SECONDS:
            known = (now, await self._look_up(folder))
            self._known[folder] = known
            if known[1] is None:
                self._forget(folder)
        return known[1]

    def _forget(self, folder: str) -> None:
        """What lies in it is left alone for now, and must count as unseen once it may be looked at."""
        top = self._root / folder
        self._changed_ns = {
            path: ns for path, ns in self._changed_ns.items() if top not in (*PurePath(path).parents, PurePath(path))
        }

    async def _look_up(self, folder: str) -> Camera | None:
        """The folder's camera, made when there is none. Two folders that fall to one id are never mixed."""
        path = str(self._root / folder)
        shown = _shown(path)
        identity = camera_id(folder)
        if identity is None:
            self._conflict(path, f"the folder {shown!r} has no letter or digit in its name: rename it")
            return None
        camera = await self._cameras.see(identity, _printable(folder), shown)
        if camera is not None and camera.folder_path != shown:
            if await asyncio.to_thread(os.path.isdir, _on_disk(camera.folder_path)):
                self._conflict(
                    path, f"the folders {camera.folder_path!r} and {shown!r} are both camera {identity!r}: rename one"
                )
                return None
            await self._cameras.move(camera.id, shown)
        self._conflicts.pop(path, None)
        return camera if camera is not None and camera.enabled else None

    def _conflict(self, path: str, reason: str) -> None:
        self._conflicts[path] = reason
        self._tell_once(path, reason)

    def _tell_once(self, path: str, reason: str) -> None:
        if path not in self._told:
            self._told.add(path)
            logger.warning("%r %s", path, reason)

    async def seen(self, newest: Mapping[str, datetime]) -> None:
        """These cameras have just delivered."""
        await self._cameras.touch(newest)
        for camera in newest:
            await self._set_status(camera, CameraStatus.ONLINE, None)

    async def scan(self, whole: bool) -> AsyncIterator[tuple[str, list[Settled]]]:
        """Per camera, the uploads in folders whose entries changed since the last scan, or in all of them."""
        if whole:
            self._changed_ns.clear()
        try:
            folders, links = await asyncio.to_thread(_folders, self._root)
        except OSError as error:
            logger.warning("cannot list the camera root %s: %s", self._root, error.strerror)
            return
        there = {str(self._root / name) for name in (*folders, *links)}
        self._conflicts = {path: reason for path, reason in self._conflicts.items() if path in there}
        for link in links:
            self._conflict(str(self._root / link), f"the folder {_printable(link)!r} is a symbolic link: not followed")
        for folder in folders:
            camera = await self._camera(folder)
            if camera is None:
                continue
            found, reason = await asyncio.to_thread(self._walk, str(self._root / folder))
            if reason is not None:
                await self._set_status(camera.id, CameraStatus.ERROR, reason)
            elif self._status.get(camera.id, (camera.status, None))[0] in (CameraStatus.ERROR, CameraStatus.OFFLINE):
                online = CameraStatus.ONLINE if camera.last_seen_at else CameraStatus.UNKNOWN
                await self._set_status(camera.id, online, None)
            if found:
                yield camera.id, found
        await self._miss(set(folders))

    async def _miss(self, folders: set[str]) -> None:
        """Cameras whose folder has gone are offline; one that was never seen in a folder stays unknown."""
        for camera in await self._cameras.list():
            name = os.path.basename(_on_disk(camera.folder_path))
            if name in folders or camera.status is CameraStatus.OFFLINE:
                continue
            if not await asyncio.to_thread(os.path.isdir, _on_disk(camera.folder_path)):
                await self._set_status(camera.id, CameraStatus.OFFLINE, "its folder does not exist")

    def _walk(self, top: str) -> tuple[list[Settled], str | None]:
        """Uploads below `top` in changed folders, and why the camera's own folder cannot be read. Follows no links."""
        found: list[Settled] = []
        reason: str | None = None
        folders = [top]
        while folders:
            folder = folders.pop()
            try:
                changed = os.stat(folder).st_mtime_ns
                unchanged = self._changed_ns.get(folder) == changed
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
                        elif not unchanged and (media_type := kind(entry.name)) is not None:
                            status = entry.stat(follow_symlinks=False)
                            if not stat.S_ISDIR(status.st_mode):
                                found.append(Settled(entry.path, status.st_size, modified_ns(status), media_type))
                if self._clock.now().timestamp() * 1e9 - changed > SETTLED_FOLDER_NS:
                    self._changed_ns[folder] = changed
            except OSError as error:
                problem = f"the folder cannot be read: {error.strerror}; mend its rights"
                reason = problem if folder == top else reason
                self._tell_once(folder, problem)
        return found, reason

    async def _set_status(self, camera: str, status: CameraStatus, reason: str | None) -> None:
        if self._status.get(camera) == (status, reason):
            return
        previous = await self._cameras.set_status(camera, status, reason)
        self._status[camera] = (status, reason)
        if previous is None or previous is status:
            return
        now = self._clock.now()
        changed = CameraStatusChanged(
            camera_id=camera,
            camera_name=(await self._cameras.get(camera)).name,
            status=status,
            previous_status=previous,
            reason=reason,
            timestamp=now,
        )
        await self._live.publish([frame(changed)], now)


def _folders(root: Path) -> tuple[list[str], list[str]]:
    """The names of the camera folders, and of links to folders; hidden ones are not cameras."""
    folders: list[str] = []
    links: list[str] = []
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.is_dir() and not entry.name.startswith("."):
                (links if entry.is_symlink() else folders).append(entry.name)
    return sorted(folders), sorted(links)


def _leads_elsewhere(root: Path, path: str) -> bool:
    """Whether a folder between the root and the file is a symbolic link."""
    folder = os.path.dirname(path)
    return os.path.realpath(folder) != os.path.join(os.path.realpath(root), os.path.relpath(folder, root))


def _shown(path: str) -> str:
    r"""A path that a column can hold: bytes that are not UTF-8 as `\udcXX`, so that two paths stay two."""
    return path.encode("utf-8", "backslashreplace").decode()


def _on_disk(shown: str) -> str:
    return _UNDECODABLE.sub(lambda found: chr(int(found[1], 16)), shown)


def _printable(folder: str) -> str:
    """A folder's name as a camera's: without control characters or undecodable bytes, 200 characters at most."""
    shown = folder.encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() else " " for char in shown).strip()[:200] or "camera"
