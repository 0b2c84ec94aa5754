"""The runs of clean-up: one at a time in the whole system, and what came of each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.plain_text import plain
from domain.retention import PastRuns
from schemas.audit import AuditAction, AuditStatus, Caller, NewAuditEntry
from schemas.cleanup import CleanupJob, CleanupTrigger
from storage.audit import write_audit
from storage.postgres import Pool, PooledConnection, acquired, store_errors, transaction

_LOCK = 0x6873695F636C6E75  # "hsi_clnu"
_KEPT = timedelta(days=365)
_INTERRUPTED = "it was broken off: its process ended"


@dataclass(frozen=True)
class Run:
    """One run that is really to delete."""

    id: UUID
    job: CleanupJob
    trigger: CleanupTrigger
    caller: Caller
    started_at: datetime


class CleanupRuns:
    """The table `cleanup_runs`, and the lock that keeps two runs apart."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def exclusively(self) -> AsyncIterator[PooledConnection | None]:
        """The connection that holds the lock, None when another has it.

        Delete on this connection only: whoever loses it has lost the lock, and can delete nothing more.
        """
        async with acquired(self._pool) as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                yield None
                return
            try:
                yield connection
            finally:
                if not connection.is_closed():
                    await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK)

    @store_errors()
    async def begin(self, job: CleanupJob, trigger: CleanupTrigger, caller: Caller, now: datetime) -> Run:
        """Call it under the lock: whatever still counts as running then has been broken off."""
        run = Run(uuid4(), job, trigger, caller, now)
        async with transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE cleanup_runs SET status = 'failed', ended_at = $1, error = $2 WHERE status = 'running'",
                now,
                _INTERRUPTED,
            )
            await connection.execute("DELETE FROM cleanup_runs WHERE started_at < $1", now - _KEPT)
            await connection.execute(
                "INSERT INTO cleanup_runs (id, job_type, trigger, status, started_at) "
                "VALUES ($1, $2, $3, 'running', $4)",
                run.id,
                job.value,
                trigger.value,
                now,
            )
        return run

    @store_errors()
    async def end(self, run: Run, counts: dict[str, Any], now: datetime, error: str | None = None) -> None:
        """Writes down what came of it, here and in the audit trail; `error` is why it ended early."""
        async with transaction(self._pool) as connection:
            await connection.execute(
                "UPDATE cleanup_runs SET status = $2, ended_at = $3, counts = $4, error = $5 WHERE id = $1",
                run.id,
                "completed" if error is None else "failed",
                now,
                counts,
                error and plain(error, 1000),
            )
            details = {"job_type": run.job.value, "trigger": run.trigger.value, **counts}
            await write_audit(
                connection,
                NewAuditEntry(
                    action=AuditAction.CLEANUP_RUN,
                    resource_type=run.job.value,
                    resource_id=str(run.id),
                    caller=run.caller,
                    details=details if error is None else details | {"error": plain(error, 1000)},
                    status=AuditStatus.SUCCESS if error is None else AuditStatus.FAILURE,
                ),
            )

    @store_errors()
    async def past(self) -> PastRuns:
        """What the schedule goes by. A run that was broken off counts as failed as soon as it is clear that it was."""
        row = await self._pool.fetchrow(
            """
            SELECT (SELECT max(started_at) FROM cleanup_runs
                    WHERE job_type = 'cleanup' AND status = 'completed') AS completed,
                   (SELECT max(started_at) FROM cleanup_runs
                    WHERE job_type = 'cleanup' AND status <> 'completed') AS failed,
                   (SELECT max(applied_at) FROM schema_migrations) AS migrated
            """
        )
        assert row is not None
        served, failed = row["completed"] or row["migrated"], row["failed"]
        return PastRuns(served, failed if failed is not None and failed >= served else None)

    @store_errors()
    async def last_completed(self) -> datetime | None:
        moment: datetime | None = await self._pool.fetchval(
            "SELECT max(started_at) FROM cleanup_runs WHERE job_type = 'cleanup' AND status = 'completed'"
        )
        return moment

    @store_errors()
    async def running(self) -> tuple[UUID, CleanupJob, datetime] | None:
        """The run that somebody has under way."""
        row = await self._pool.fetchrow(
            "SELECT id, job_type, started_at FROM cleanup_runs WHERE status = 'running' "
            "ORDER BY started_at DESC LIMIT 1"
        )
        return None if row is None else (row["id"], CleanupJob(row["job_type"]), row["started_at"])
