"""The one writer of batches: gathers each camera's detections and closes a batch when it is complete.

When it dies nothing is lost: an add that was not committed is done again by its worker's successor, and the open
batches are read back from their rows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from actors.metrics import BATCHES_CLOSED
from actors.work_loop import WorkLoop
from domain.batching import BatchPolicy, OpenBatches
from domain.clock import Clock
from schemas.detection import MediaDetections
from schemas.frame import NewFrame
from schemas.service import Health
from storage.batches import BatchChange, Batches
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus


@dataclass(frozen=True)
class AggregatorTools:
    """What the aggregator works with, opened in its own process."""

    batches: Batches
    configs: RuntimeConfigs
    live: LiveBus
    doorbells: Doorbells
    clock: Clock


_Add = tuple[Sequence[MediaDetections], asyncio.Future[None]]


class BatchAggregator:
    """`[detections] → [media: detected] [batch: open ─▶ closed]`, many files a commit."""

    def __init__(self, connect: Callable[[], Awaitable[AggregatorTools]]) -> None:
        self._connect = connect
        self._tools: AggregatorTools | None = None
        self._open: OpenBatches | None = None
        self._waiting: list[_Add] = []
        self._called = asyncio.Event()
        self._loop = WorkLoop("batch_aggregator", self._work, self._wait)

    async def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def health(self) -> Health:
        health = self._loop.health()
        return health.model_copy(update={"detail": {"open_batches": len(self._open or ()), "policy": self._policy()}})

    async def add(self, results: Sequence[MediaDetections]) -> None:
        """Returns once the files are `detected` and their detections committed. Harmless when called twice."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((tuple(results), future))
        self._called.set()
        await future

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._called.wait(), seconds)
        self._called.clear()

    async def _work(self) -> bool:
        """Commits what has gathered and closes what is due. Answers whether more has gathered meanwhile."""
        tools, batches = await self._opened()
        batches.policy = BatchPolicy.of(await tools.configs.current())
        adds, self._waiting = self._waiting, []
        if adds:
            await self._commit(tools, batches, adds)
        await self._close_due(tools, batches)
        return bool(self._waiting)

    async def _opened(self) -> tuple[AggregatorTools, OpenBatches]:
        """The tools, and the memory of open batches, read back from their rows at start and after a failure."""
        if self._tools is None:
            self._tools = await self._connect()
        if self._open is None:
            rows = await self._tools.batches.open()
            self._open = OpenBatches(BatchPolicy(), lambda: str(uuid4()), rows)
        return self._tools, self._open

    async def _commit(self, tools: AggregatorTools, batches: OpenBatches, adds: Sequence[_Add]) -> None:
        results = sorted((result for some, _ in adds for result in some), key=lambda result: result.captured_at)
        try:
            now = tools.clock.now()
            news = await tools.batches.commit(results, lambda accepted: placed(batches, accepted, now))
        except Exception as error:
            self._open = None  # what was placed in memory was not stored: read the rows again
            for _, future in adds:
                if not future.done():
                    future.set_exception(error)
            raise
        for _, future in adds:
            if not future.done():
                future.set_result(None)
        await self._tell(tools, news)

    async def _close_due(self, tools: AggregatorTools, batches: OpenBatches) -> None:
        now = tools.clock.now()
        due = batches.take_due(now)
        if not due:
            return
        try:
            news = await tools.batches.close([(batch, reason) for batch, reason in due], now)
        except Exception:
            self._open = None
            raise
        await self._tell(tools, news)

    async def _tell(self, tools: AggregatorTools, news: Sequence[NewFrame]) -> None:
        closed = [frame for frame in news if frame.type == "detection.batch"]
        for frame in closed:
            BATCHES_CLOSED.labels(str(frame.data["close_reason"])).inc()
        if closed:
            await tools.doorbells.ring("batches")
        if news:
            await tools.live.publish(news, tools.clock.now())

    def _policy(self) -> dict[str, float]:
        policy = BatchPolicy() if self._open is None else self._open.policy
        return {"window_seconds": policy.window.total_seconds(), "idle_seconds": policy.idle.total_seconds()}


def placed(batches: OpenBatches, results: Sequence[MediaDetections], now: datetime) -> list[BatchChange]:
    """Puts each file into its camera's batch; what one commit does to a batch is told once, as its final state."""
    changes: dict[str, BatchChange] = {}
    for result in results:
        placement = batches.place(
            result.camera_id,
            result.began_at,
            len(result.detections),
            now,
            {detection.object_type for detection in result.detections},
            captured_until=result.captured_at,
        )
        if placement.close_before is not None:
            old, reason = placement.close_before
            before = changes.get(old.id, BatchChange(old, is_new=False, closed=None, media=()))
            changes[old.id] = replace(before, closed=reason)
        batch = placement.batch
        known = changes.get(batch.id, BatchChange(batch, is_new=placement.opened, closed=None, media=()))
        changes[batch.id] = replace(known, batch=batch, closed=placement.close_after, media=(*known.media, result))
    return list(changes.values())
