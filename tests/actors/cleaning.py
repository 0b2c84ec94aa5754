"""A house to be cleaned: the real service over real stores and files, a clock that stands still, no rests."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import redis.asyncio

from actors.cleanup_run import ExpiredFiles
from actors.cleanup_service import CleanupPolicy, CleanupService, CleanupTools
from actors.expired_files import ThumbnailFiles, Uploads
from actors.orphan_search import OwnFolders
from domain.thumbnails import thumbnail_name
from schemas.audit import Caller
from schemas.frame import Frame, LiveChannel
from schemas.runtime_config import RuntimeConfig
from storage.cleanup_runs import CleanupRuns
from storage.config import RuntimeConfigs
from storage.live_bus import LiveBus
from storage.orphans import References
from storage.postgres import Pool
from tests.actors.fakes import FakeClock
from tests.storage.rows import Rows

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=31)
FRESH = NOW - timedelta(days=29)
SOMEBODY = Caller(actor="tester", ip_address="127.0.0.1")
TABLES = ("events", "detections", "alerts", "deliveries", "batches", "media", "gpu_stats", "logs", "baselines")


@dataclass
class Seen:
    """One event and all that belongs to it."""

    event: int
    batch: UUID
    media: int
    detection: int
    upload: Path
    thumbnail: Path


@dataclass
class House:
    """Each method makes rows and files as the system would."""

    folder: Path
    pool: Pool
    redis: redis.asyncio.Redis
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    delete_images: bool = False
    pauses: list[float] = field(default_factory=list)
    pauses_by: Callable[[float], Awaitable[None]] | None = None
    opened: int = 0

    @property
    def root(self) -> Path:
        return self.folder / "cameras"

    @property
    def thumbnails(self) -> Path:
        return self.folder / "data" / "thumbnails"

    @property
    def clips(self) -> Path:
        return self.folder / "data" / "clips"

    @property
    def rows(self) -> Rows:
        return Rows(self.pool)

    @property
    def live(self) -> LiveBus:
        return LiveBus(self.redis, self.clock)

    def service(self, pool: Pool | None = None, at: time = time(3), seconds_between: float = 0.01) -> CleanupService:
        policy = CleanupPolicy(at, "Europe/Berlin", log_retention_days=7)
        return CleanupService(policy, seconds_between, lambda: self.tools(pool or self.pool))

    async def tools(self, pool: Pool) -> CleanupTools:
        self.opened += 1
        return CleanupTools(
            runs=CleanupRuns(pool),
            references=References(pool),
            configs=RuntimeConfigs(pool, RuntimeConfig()),
            files=ExpiredFiles(ThumbnailFiles(self.thumbnails), Uploads(self.root, self.delete_images)),
            folders=OwnFolders(self.thumbnails, self.clips, self.root),
            live=self.live,
            clock=self.clock,
            pause=self.pause,
        )

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if self.pauses_by is not None:
            await self.pauses_by(seconds)

    async def seen(self, at: datetime, **values: Any) -> Seen:
        """An event of one detection in one picture, with a thumbnail of it."""
        number = int(await self.pool.fetchval("SELECT count(*) FROM media"))
        upload = self.upload(f"front_door/{number}.jpg")
        media = await self.rows.media(file=upload, captured_at=at, content_hash=os.urandom(32))
        batch = await self.rows.batch(started_at=at, ended_at=at)
        detection = await self.rows.detection(batch, media, detected_at=at)
        event = await self.rows.event(batch_id=batch, started_at=at, ended_at=at, detection_count=1, **values)
        return Seen(event, batch, media, detection, upload, await self.thumbnail(detection))

    def upload(self, name: str, size: int = 1000) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
        return path

    async def thumbnail(self, detection: int, size: int = 300) -> Path:
        content_hash = await self.pool.fetchval(
            "SELECT m.content_hash FROM detections d JOIN media m ON m.id = d.media_id WHERE d.id = $1", detection
        )
        path = self.thumbnails / thumbnail_name(detection, content_hash)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"t" * size)
        return path

    async def log(self, at: datetime) -> None:
        await self.pool.execute(
            "INSERT INTO logs (timestamp, level, component, message, extra, source) "
            "VALUES ($1, 'INFO', 'api', 'a line', '{}', 'backend')",
            at,
        )

    async def gpu_sample(self, at: datetime, index: int = 0) -> None:
        await self.pool.execute(
            "INSERT INTO gpu_stats (recorded_at, node, gpu_index, gpu_name) VALUES ($1, 'head', $2, 'a card')",
            at,
            index,
        )

    async def counts(self) -> dict[str, int]:
        return {table: await self.pool.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}

    async def frames(self, channel: LiveChannel) -> tuple[Frame, ...]:
        return (await self.live.replay(channel, 0))[0]

    async def run_at(self, at: datetime, status: str = "completed") -> None:
        """A run of some time ago."""
        await self.pool.execute(
            "INSERT INTO cleanup_runs (id, job_type, trigger, status, started_at) "
            "VALUES (gen_random_uuid(), 'cleanup', 'schedule', $2, $1)",
            at,
            status,
        )

    async def says(self, statement: str, *arguments: Any) -> Any:
        return await self.pool.fetchval(statement, *arguments)
