"""A file watcher over a real folder and a real database, whose time passes by hand."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

import redis.asyncio

from actors.file_watcher import FileWatcher, WatcherTools
from storage.cameras import Cameras
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus
from storage.media import MediaQueue
from storage.postgres import Pool
from tests.actors.fakes import FakeClock
from tests.eventually import eventually

NOBODY = 65_534


class Watching:
    """`root` holds the camera folders; `database` sees what the watcher made of them."""

    def __init__(self, root: Path, database: Pool, watcher: FileWatcher, clock: FakeClock) -> None:
        self.root = root
        self.database = database
        self.watcher = watcher
        self.clock = clock

    def put(self, name: str | bytes, content: bytes | None = None) -> Path:
        """A whole upload, below the camera root; of its own bytes unless they are given."""
        path = self.root / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(upload(path) if content is None else content)
        return path

    async def pending(self) -> int:
        """Uploads that are noticed and not taken in yet."""
        return int((await self.watcher.health()).detail["pending_tasks"])

    async def notices(self, count: int = 1) -> None:
        await eventually(lambda: self._is_pending(count))

    def wake(self) -> None:
        """The watcher looks at its clock now, not within a second."""
        self.watcher._changed.set()

    async def passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.wake()

    async def settles(self, count: int = 1) -> None:
        """So many uploads are noticed, settle, and are taken in."""
        await self.notices(count)
        await self.takes_in()

    async def takes_in(self, after_seconds: float = 2.5) -> None:
        """Nothing is left to take in, after so long; what is heard of again meanwhile settles once more."""
        await self.passes(after_seconds)
        await eventually(self._nothing_is_left)

    async def rescans(self, after_seconds: float = 61) -> None:
        """Looks through the changed folders, as it does once a minute; sooner where it has to."""
        looks = self.looks
        if after_seconds < 60:
            self.watcher._scan_at = 0.0
        await self.passes(after_seconds)
        await eventually(lambda: self.looks > looks)

    async def sees_as_it_is(self, path: Path) -> None:
        """The watcher knows the file as it is now."""
        await eventually(lambda: self.watcher._settling._files[str(path)].size == path.stat().st_size)

    async def rows(self) -> list[tuple[str, str]]:
        """Path below the root and state of every row, in the order in which they came."""
        found = await self.database.fetch("SELECT path, state FROM media ORDER BY id")
        return [(self.below(os.fsdecode(row["path"])), row["state"]) for row in found]

    def below(self, path: str | Path) -> str:
        return str(PurePath(path).relative_to(self.root))

    async def states(self) -> list[str]:
        return [state for _, state in await self.rows()]

    async def has_row(self, name: str) -> bool:
        """Whether that upload has a row, as time goes on."""
        await self.passes(0.5)
        return name in dict(await self.rows())

    async def has_rows(self, count: int) -> bool:
        await self.passes(0.5)
        return len(await self.rows()) == count

    async def has_conflicts(self) -> bool:
        return bool(await self.conflicts())

    async def camera(self, camera_id: str) -> dict[str, Any]:
        return dict(await self.database.fetchrow("SELECT * FROM cameras WHERE id = $1", camera_id) or {})

    async def conflicts(self) -> list[str]:
        found: list[str] = (await self.watcher.health()).detail["conflicts"]
        return found

    async def _nothing_is_left(self) -> bool:
        await self.passes(0.1)
        return await self._is_pending(0)

    async def _is_pending(self, count: int) -> bool:
        return await self.pending() == count

    looks = 0
    """How often the cameras' rows were listed: the last step of each scan."""


class CountingCameras(Cameras):
    """Tells when a scan has come to its end."""

    def __init__(self, pool: Pool, counted: Callable[[], None]) -> None:
        super().__init__(pool)
        self._counted = counted

    async def list(self, **page: Any) -> Any:
        found = await super().list(**page)
        self._counted()
        return found


@asynccontextmanager
async def watching(
    root: Path, database: Pool, client: redis.asyncio.Redis, *, polling: bool = False, through: Pool | None = None
) -> AsyncIterator[Watching]:
    """A running watcher that has made its first scan; `through`: the pool that it uses, if another."""
    clock = FakeClock(datetime.now(UTC))
    pool = through or database

    def counted() -> None:
        house.looks += 1

    async def connect() -> WatcherTools:
        cameras = CountingCameras(pool, counted)
        return WatcherTools(MediaQueue(pool), cameras, Doorbells(client), LiveBus(client), clock)

    watcher = FileWatcher(root, polling, connect)
    house = Watching(root, database, watcher, clock)
    await watcher.start()
    try:
        await eventually(lambda: watcher._listening and house.looks > 0)
        await house.rescans(after_seconds=0)
        yield house
    finally:
        await watcher.stop()


def upload(path: Path, size: int = 12_000) -> bytes:
    """Bytes that no other path's upload has, enough for a picture."""
    return os.fsencode(path).ljust(size, b"\xff")


@contextmanager
def without_privileges() -> Iterator[None]:
    """Rights of files hold for this process too: as root it is nobody meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
