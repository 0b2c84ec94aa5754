"""A detection worker over a real queue and real files, with a detector and an aggregator that do as they are told."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.circuit_breakers import CircuitBreakers
from actors.detection_worker import DetectionTools, DetectionWorker
from schemas.breaker import BreakerState
from schemas.media import MediaType, NewMedia
from schemas.runtime_config import RuntimeConfig
from storage.config import RuntimeConfigs
from storage.media import MediaQueue
from storage.postgres import Pool
from tests.actors.fakes import FakeAggregator, FakeClock, FakeDetector
from tests.eventually import eventually
from tests.vision.pictures import jpeg, scene


class Bench:
    """A worker with fakes around it, a real queue and real files; it works only between `start` and `stop`."""

    def __init__(self, pool: Pool, database: Pool, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.clock = FakeClock(datetime.now(UTC))
        self.queue = MediaQueue(pool)
        self.detector = FakeDetector()
        self.aggregator = FakeAggregator()
        self.breakers = CircuitBreakers(self.clock, ("yolo26",))
        self.rung = asyncio.Event()
        self.tools = DetectionTools(
            queue=self.queue,
            configs=RuntimeConfigs(pool, RuntimeConfig(detection_confidence_threshold=0.5)),
            detector=self.detector,
            aggregator=self.aggregator,
            breakers=self.breakers,
            wait=self.wait,
            random=lambda: 0.5,
        )
        self.worker = DetectionWorker("detection_worker", self.connect)

    async def connect(self) -> DetectionTools:
        return self.tools

    async def wait(self, _seconds: float) -> None:
        """Returns soon, so that a test need not ring."""
        await asyncio.sleep(0.01)

    async def queued(self, *names: str, content: bytes | None = None) -> None:
        """Real pictures, as rows that wait."""
        for name in names:
            path = self.folder / name
            if not path.exists():
                path.write_bytes(jpeg(scene(180, 320)) + name.encode() if content is None else content)
            await self.queue.add([new_row(path)])

    async def states(self) -> dict[str, str]:
        found = await self.database.fetch("SELECT path, state FROM media")
        return {Path(row["path"].decode()).name: row["state"] for row in found}

    async def row(self, name: str) -> dict[str, Any]:
        path = str(self.folder / name).encode()
        return dict(await self.database.fetchrow("SELECT * FROM media WHERE path = $1", path) or {})

    async def commit(self) -> None:
        """What the aggregator was given, committed as the real one would."""
        ids = [result.media_id for result in self.aggregator.added]
        await self.database.execute("UPDATE media SET state = 'detected', lease = NULL WHERE id = ANY($1)", ids)

    async def hands_over(self, count: int) -> None:
        await eventually(lambda: len(self.aggregator.added) == count)

    def names(self) -> list[int]:
        return [result.media_id for result in self.aggregator.added]

    async def breaker(self) -> BreakerState:
        (status,) = await self.breakers.status()
        return status.state

    async def states_are(self, expected: dict[str, str]) -> bool:
        return expected.items() <= (await self.states()).items()

    async def reason_is(self, name: str, reason: str) -> bool:
        return bool((await self.row(name))["reason"] == reason)

    async def waits_untried(self, name: str) -> bool:
        row = await self.row(name)
        return (row["state"], row["attempts"]) == ("queued", 0)

    async def change_config(self, **values: Any) -> None:
        await self.database.execute(
            "INSERT INTO runtime_config (id, value) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET value = $1", values
        )


def new_row(path: Path) -> NewMedia:
    status = path.stat()
    return NewMedia(
        camera_id="front_door",
        path=str(path),
        size_bytes=status.st_size,
        modified_ns=status.st_mtime_ns,
        content_hash=path.name.encode().rjust(32),
        media_type=MediaType.VIDEO if path.suffix == ".mp4" else MediaType.IMAGE,
        captured_at=datetime(2025, 12, 23, 12, 0, tzinfo=UTC),
    )
