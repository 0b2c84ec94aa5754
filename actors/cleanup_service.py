"""Deletes what is older than it is to be kept: every day at its time, and when it is asked to.

When it dies in the middle of a run nothing is half deleted: each step is one transaction, the run counts as failed,
and its successor runs again a quarter of an hour later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, TypeVar

from actors.cleanup_news import CleanupNews
from actors.cleanup_run import CleanupRun, ExpiredFiles, look
from actors.orphan_search import OrphanSearch, OwnFolders
from actors.ports import CleanupRunning
from actors.work_loop import WorkLoop
from domain.clock import Clock
from domain.retention import Cutoffs, cutoffs, due
from schemas.audit import Caller
from schemas.cleanup import CleanupCounts, CleanupJob, CleanupReport, CleanupTrigger, OrphanReport
from schemas.frozen import utc_text
from schemas.service import Health
from storage.cleanup_runs import CleanupRuns, Run
from storage.config import RuntimeConfigs
from storage.errors import StoreUnavailable
from storage.live_bus import LiveBus
from storage.orphans import References
from storage.postgres import PooledConnection
from storage.retention import Retention

logger = logging.getLogger(__name__)

T = TypeVar("T")
SCHEDULE = Caller(actor="cleanup_service", ip_address=None)
_FAREWELL_SECONDS = 5.0


@dataclass(frozen=True)
class CleanupPolicy:
    """What an operator has set for as long as the system runs; `retention_days` is read live."""

    at: time
    timezone: str
    log_retention_days: int


@dataclass(frozen=True)
class CleanupTools:
    """What the service works with, opened in its own process."""

    runs: CleanupRuns
    references: References
    configs: RuntimeConfigs
    files: ExpiredFiles
    folders: OwnFolders
    live: LiveBus
    clock: Clock
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep


class CleanupService:
    """One job at a time in the whole system, whoever asks for it."""

    def __init__(
        self, policy: CleanupPolicy, seconds_between: float, connect: Callable[[], Awaitable[CleanupTools]]
    ) -> None:
        """It looks so often whether the next run is due."""
        self._policy = policy
        self._seconds_between = seconds_between
        self._connect = connect
        self._opening = asyncio.Lock()
        self._tools: CleanupTools | None = None
        self._job: asyncio.Task[Any] | None = None
        self._under_way: str | None = None
        self._loop = WorkLoop("cleanup_service", self._work, self._wait)

    async def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        """A run in hand is broken off after its step; the next one goes on where it was."""
        if self._job is not None:
            self._job.cancel()
            await asyncio.wait({self._job}, timeout=_FAREWELL_SECONDS)
        await self._loop.stop()

    async def health(self) -> Health:
        return self._loop.health().model_copy(update={"detail": {"under_way": self._under_way}})

    async def run(self, dry_run: bool, caller: Caller) -> CleanupReport:
        """Deletes what has expired, or says what would be. Goes on to its end if the caller goes away.

        Raises CleanupRunning while another job is under way.
        """
        tools = await self._opened()
        if dry_run:
            return await self._alone("a dry run of a clean-up", self._look(tools))
        return await self._alone("a clean-up", self._clean_up(tools, CleanupTrigger.REQUEST, caller))

    async def orphans(self, dry_run: bool, caller: Caller) -> OrphanReport:
        """Files of ours that no row refers to: deletes them, or only lists them. Raises CleanupRunning."""
        tools = await self._opened()
        if dry_run:
            return await self._alone("a search for orphaned files", self._list_orphans(tools))
        return await self._alone("a deletion of orphaned files", self._delete_orphans(tools, caller))

    async def _work(self) -> bool:
        tools = await self._opened()
        moment = due(await tools.runs.past(), self._policy.at, self._policy.timezone)
        if moment <= tools.clock.now() and self._job is None:
            with suppress(CleanupRunning):  # of another process: what it does need not be done again
                report = await self._alone("a clean-up", self._clean_up(tools, CleanupTrigger.SCHEDULE, SCHEDULE))
                logger.info("the daily clean-up deleted %s", report.model_dump(include=set(CleanupCounts.model_fields)))
        return False

    async def _wait(self, _seconds: float) -> None:
        await asyncio.sleep(self._seconds_between)

    async def _opened(self) -> CleanupTools:
        async with self._opening:
            if self._tools is None:
                self._tools = await self._connect()
            return self._tools

    async def _alone(self, words: str, job: Coroutine[Any, Any, T]) -> T:
        """A task of its own, so that whoever asked may go away; no await between the look and the start."""
        if self._job is not None:
            job.close()
            raise CleanupRunning(self._under_way or "another job")
        task = asyncio.get_running_loop().create_task(job)
        self._job, self._under_way = task, words
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._job = self._under_way = None
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("%s: %s", type(error).__name__, error)

    async def _cut(self, tools: CleanupTools, now: datetime) -> tuple[int, Cutoffs]:
        days = (await tools.configs.current()).retention_days
        return days, cutoffs(now, days, self._policy.log_retention_days)

    async def _look(self, tools: CleanupTools) -> CleanupReport:
        now = tools.clock.now()
        days, cut = await self._cut(tools, now)
        async with tools.runs.exclusively() as connection:
            counts = await look(Retention(await _mine(tools, connection)), tools.files, cut)
        return self._report(counts, days, cut, now, None)

    async def _clean_up(self, tools: CleanupTools, trigger: CleanupTrigger, caller: Caller) -> CleanupReport:
        now = tools.clock.now()
        days, cut = await self._cut(tools, now)
        async with tools.runs.exclusively() as held:
            rows = Retention(await _mine(tools, held))
            run = await tools.runs.begin(CleanupJob.CLEANUP, trigger, caller, now)
            news = CleanupNews(tools.live, tools.clock, run)
            deleting = CleanupRun(rows, tools.files, cut, tools.clock, tools.pause, news.passed)

            async def work() -> CleanupReport:
                news.expected_rows = await rows.expected_steps(cut.rows, cut.logs)
                await deleting.everything()
                return self._report(deleting.counts, days, cut, now, run)

            return await _told(tools, run, news, work, lambda: deleting.counts.model_dump())

    def _report(self, counts: CleanupCounts, days: int, cut: Cutoffs, now: datetime, run: Run | None) -> CleanupReport:
        return CleanupReport(
            **counts.model_dump(),
            retention_days=days,
            log_retention_days=self._policy.log_retention_days,
            deleted_before=cut.rows,
            dry_run=run is None,
            job_id=None if run is None else str(run.id),
            timestamp=now,
        )

    async def _list_orphans(self, tools: CleanupTools) -> OrphanReport:
        now = tools.clock.now()
        return await _found(OrphanSearch(tools.folders, tools.references, now, really=False), now, None)

    async def _delete_orphans(self, tools: CleanupTools, caller: Caller) -> OrphanReport:
        now = tools.clock.now()
        async with tools.runs.exclusively() as held:
            await _mine(tools, held)
            run = await tools.runs.begin(CleanupJob.ORPHANED_FILES, CleanupTrigger.REQUEST, caller, now)
            search = OrphanSearch(tools.folders, tools.references, now, really=True)
            news = CleanupNews(tools.live, tools.clock, run)
            return await _told(tools, run, news, lambda: _found(search, now, run), dict)


async def _mine(tools: CleanupTools, held: PooledConnection | None) -> PooledConnection:
    """Raises CleanupRunning when another process has the lock."""
    if held is not None:
        return held
    running = await tools.runs.running()
    raise CleanupRunning(
        f"{running[1].value} job {running[0]}, begun {utc_text(running[2])}," if running else "a job of another process"
    )


async def _found(search: OrphanSearch, now: datetime, run: Run | None) -> OrphanReport:
    thumbnails, clips = await search.thumbnails(), await search.clips()
    return OrphanReport(
        thumbnails=thumbnails,
        clips=clips,
        total_orphaned_files=thumbnails.orphaned_count + clips.orphaned_count,
        total_size_bytes=thumbnails.orphaned_size_bytes + clips.orphaned_size_bytes,
        dry_run=run is None,
        job_id=None if run is None else str(run.id),
        timestamp=now,
    )


Report = TypeVar("Report", CleanupReport, OrphanReport)


async def _told(
    tools: CleanupTools,
    run: Run,
    news: CleanupNews,
    work: Callable[[], Awaitable[Report]],
    so_far: Callable[[], dict[str, Any]],
) -> Report:
    """Does the work between the job's frames, and writes down what came of it, whatever that is."""
    await news.started()
    try:
        report = await work()
    except BaseException as error:
        await _broken_off(tools, run, news, error, so_far())
        raise
    result = report.model_dump(mode="json", exclude={"dry_run", "job_id", "timestamp"})
    await tools.runs.end(run, result, tools.clock.now())
    await news.completed(result)
    return report


async def _broken_off(
    tools: CleanupTools, run: Run, news: CleanupNews, error: BaseException, so_far: dict[str, Any]
) -> None:
    """Best effort: while the database is away the row goes on saying `running`, until the next run mends it."""
    stopped = isinstance(error, asyncio.CancelledError)
    away = isinstance(error, StoreUnavailable)
    words = "it was stopped" if stopped else "the database was away" if away else f"{type(error).__name__}; see the log"
    try:
        await tools.runs.end(run, so_far, tools.clock.now(), words)
    except StoreUnavailable as unwritten:
        logger.warning("that a clean-up failed could not be written down: %s", unwritten)
    await news.failed(words, retryable=stopped or away or isinstance(error, OSError))
