"""One run of clean-up: deletes what has expired, a step at a time; and the look that says what it would delete."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from actors.expired_files import Freed, ThumbnailFiles, Uploads
from domain.clock import Clock
from domain.retention import Cutoffs, Pace, Step
from schemas.cleanup import CleanupCounts
from storage.retention import ExpiredMedia, Gone, Place, Retention

FIRST_STEP = Step(rows=25)
ROWS_A_LOOK = 1000


@dataclass(frozen=True)
class ExpiredFiles:
    thumbnails: ThumbnailFiles
    uploads: Uploads


class CleanupRun:
    """Deletes; `counts` holds what is gone so far, whatever becomes of the rest."""

    def __init__(
        self,
        rows: Retention,
        files: ExpiredFiles,
        cut: Cutoffs,
        clock: Clock,
        pause: Callable[[float], Awaitable[object]],
        tell: Callable[[int, Sequence[int]], Awaitable[None]],
    ) -> None:
        """`tell` hears after each step how many rows the run has gone through, and which events are gone."""
        self._rows = rows
        self._files = files
        self._cut = cut
        self._clock = clock
        self._pause = pause
        self._tell = tell
        self._pace = Pace()
        self._passed = 0
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> CleanupCounts:
        return CleanupCounts(**self._counts)

    async def everything(self) -> None:
        """Evidence goes with its event, and a file after everything that was seen in it."""
        for kind in (self._events, self._lone_batches, self._media, self._gpu_stats, self._logs):
            await self._step_by_step(kind)

    async def _step_by_step(self, take: Callable[[int, Place | None], Awaitable[Place | None]]) -> None:
        """`take` deletes about so many rows after a place, and says from where to go on; None when it is done."""
        step, place = FIRST_STEP, None
        while True:
            began = self._clock.monotonic()
            place = await take(step.rows, place)
            if place is None:
                return
            step = self._pace.next(step, self._clock.monotonic() - began)
            await self._pause(step.rest_seconds)

    async def _events(self, limit: int, after: Place | None) -> Place | None:
        gone = await self._rows.delete_events(self._cut.rows, after, limit)
        return await self._with_thumbnails(gone)

    async def _lone_batches(self, limit: int, _after: Place | None) -> Place | None:
        return await self._with_thumbnails(await self._rows.delete_lone_batches(self._cut.rows, limit))

    async def _with_thumbnails(self, gone: Gone) -> Place | None:
        self._count(
            events_deleted=len(gone.event_ids),
            detections_deleted=len(gone.detections),
            alerts_deleted=gone.alerts,
            batches_deleted=gone.batches,
        )
        thumbnails = await asyncio.to_thread(self._files.thumbnails.delete, gone.detections)
        self._count(thumbnails_deleted=thumbnails.files, space_reclaimed=thumbnails.size)
        await self._told(gone.batches, gone.event_ids)
        return gone.place

    async def _media(self, limit: int, after: Place | None) -> Place | None:
        found = await self._rows.free_media(self._cut.rows, after, limit)
        if not found:
            return None
        # Most files lie where they lay: only the rows of the others are locked, and looked at again.
        going = await asyncio.to_thread(self._files.uploads.settle, found, really=False)
        if going.media_ids:
            self._count(media_deleted=await self._rows.delete_media(self._cut.rows, going.media_ids, self._settle))
        await self._told(len(found))
        return found[-1].captured_at, found[-1].id

    async def _settle(self, rows: Sequence[ExpiredMedia]) -> Sequence[int]:
        settled = await asyncio.to_thread(self._files.uploads.settle, rows, really=True)
        # Files do not come back with a transaction that fails: they count at once.
        self._count(images_deleted=settled.deleted.files, space_reclaimed=settled.deleted.size)
        return settled.media_ids

    async def _gpu_stats(self, limit: int, _after: Place | None) -> Place | None:
        deleted = await self._rows.delete_gpu_stats(self._cut.rows, limit)
        self._count(gpu_stats_deleted=deleted)
        await self._told(deleted)
        return (self._cut.rows, 0) if deleted else None

    async def _logs(self, limit: int, _after: Place | None) -> Place | None:
        deleted = await self._rows.delete_logs(self._cut.logs, limit)
        self._count(logs_deleted=deleted)
        await self._told(deleted)
        return (self._cut.logs, 0) if deleted else None

    def _count(self, **gone: int) -> None:
        self._counts.update(gone)

    async def _told(self, passed: int, event_ids: Sequence[int] = ()) -> None:
        self._passed += passed
        await self._tell(self._passed, event_ids)


async def look(rows: Retention, files: ExpiredFiles, cut: Cutoffs) -> CleanupCounts:
    """What a run that began now would delete; everything is read in one moment of the database."""
    async with rows.looking():
        found = await rows.expired(cut.rows, cut.logs)
        thumbnails = await _expired_thumbnails(rows, files.thumbnails, cut)
        media, images = await _expired_uploads(rows, files.uploads, cut)
    return CleanupCounts(
        events_deleted=found.events,
        detections_deleted=found.detections,
        gpu_stats_deleted=found.gpu_stats,
        logs_deleted=found.logs,
        thumbnails_deleted=thumbnails.files,
        images_deleted=images.files,
        space_reclaimed=thumbnails.size + images.size,
        alerts_deleted=found.alerts,
        batches_deleted=found.batches,
        media_deleted=media,
    )


async def _expired_thumbnails(rows: Retention, thumbnails: ThumbnailFiles, cut: Cutoffs) -> Freed:
    """From the files that there are to their detections: few detections were ever looked at small."""
    ids = await asyncio.to_thread(thumbnails.detections)
    found = Freed()
    for start in range(0, len(ids), ROWS_A_LOOK):
        expired = await rows.expired_among(cut.rows, ids[start : start + ROWS_A_LOOK])
        found += await asyncio.to_thread(thumbnails.size, expired)
    return found


async def _expired_uploads(rows: Retention, uploads: Uploads, cut: Cutoffs) -> tuple[int, Freed]:
    """How many rows of files would go, and what of the files."""
    media, images, place = 0, Freed(), None
    while found := await rows.expired_media(cut.rows, place, ROWS_A_LOOK):
        settled = await asyncio.to_thread(uploads.settle, found, really=False)
        media, images = media + len(settled.media_ids), images + settled.deleted
        place = (found[-1].captured_at, found[-1].id)
    return media, images
