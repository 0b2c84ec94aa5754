"""Dead letters: rows that failed for good, listed, tried again by hand, or put aside.

They are the dead rows of the pipeline's own tables. A requeued one is as new: no tries, due now, and under its old key,
so that a delivery keeps its `Idempotency-Key` and a batch makes its one event.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from schemas.audit import AuditAction, AuditStatus, Caller, NewAuditEntry
from schemas.dead_letter import Cleared, DeadLetter, DeadLetterCounts, DeadQueue, Requeued
from storage.audit import write_audit
from storage.dead_queues import QUEUES, take_dead
from storage.detections import shown_path
from storage.errors import NotFound
from storage.filters import Filters
from storage.postgres import Pool, PooledConnection, store_errors, transaction
from storage.revived_media import settle_duplicates

ROWS_A_TRANSACTION = 1000
_MOST_IDS = 1000


class DeadLetters:
    """The dead rows of `media`, `batches` and `deliveries` that nobody has put aside, newest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def counts(self) -> DeadLetterCounts:
        counts = {
            queue: int(await self._pool.fetchval(f"SELECT count(*) FROM {rows.table} WHERE {rows.dead}"))
            for queue, rows in QUEUES.items()
        }
        return DeadLetterCounts(
            detection_queue_count=counts[DeadQueue.DETECTION],
            analysis_queue_count=counts[DeadQueue.ANALYSIS],
            notification_queue_count=counts[DeadQueue.NOTIFICATION],
            total_count=sum(counts.values()),
        )

    @store_errors()
    async def list(
        self, queue: DeadQueue, *, before: tuple[datetime, Any] | None = None, limit: int = 50, offset: int = 0
    ) -> Sequence[tuple[DeadLetter, datetime]]:
        """At most `limit`, from the one after (moment, id) = `before` on; each with the moment that it is sorted by."""
        rows = QUEUES[queue]
        filters = Filters().add(rows.dead).before([rows.moment, "id"], before)
        found = await self._pool.fetch(
            f"{rows.shown} WHERE dead.id IN (SELECT id FROM {rows.table} {filters.where} "
            f"ORDER BY {rows.moment} DESC, id DESC LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}) "
            "ORDER BY moment DESC, dead.id DESC",
            *filters.arguments,
        )
        return [(_letter(queue, row), row["moment"]) for row in found]

    @store_errors()
    async def requeue(self, queue: DeadQueue, ids: Sequence[int | UUID] | None, caller: Caller) -> Requeued:
        """These, or the oldest one. Raises NotFound when none of those named is a dead letter (any more)."""
        rows = QUEUES[queue]
        async with transaction(self._pool) as connection:
            taken = await take_dead(connection, rows, None, 1 if ids is None else len(ids), ids)
            if ids and not taken:
                raise NotFound(f"there is no dead letter {', '.join(map(str, ids[:5]))} in {queue.value}")
            done = await _revive(connection, queue, taken)
            if taken:
                await write_audit(connection, _requeued_entry(AuditAction.DLQ_REQUEUE, done, caller))
        return done

    @store_errors()
    async def requeue_all(self, queue: DeadQueue, caller: Caller) -> Requeued:
        """Every one that is dead now, in transactions of 1,000; one that dies again meanwhile stays dead."""
        rows, done = QUEUES[queue], Requeued(queue=queue, requeued=0, duplicates=0, ids=())
        since = await self._pool.fetchval("SELECT now()")
        try:
            while True:
                async with transaction(self._pool) as connection:
                    taken = await take_dead(connection, rows, since, ROWS_A_TRANSACTION)
                    more = _sum(done, await _revive(connection, queue, taken))
                    last = len(taken) < ROWS_A_TRANSACTION
                    if last and (more.requeued or more.duplicates):
                        await write_audit(connection, _requeued_entry(AuditAction.DLQ_REQUEUE_ALL, more, caller))
                done = more
                if last:
                    return done
        except Exception:
            await self._tell_of_half(_requeued_entry(AuditAction.DLQ_REQUEUE_ALL, done, caller), done.requeued)
            raise

    @store_errors()
    async def clear(self, queue: DeadQueue, caller: Caller) -> Cleared:
        """Puts every one aside that is dead now, in transactions of 1,000."""
        rows, cleared = QUEUES[queue], 0
        since = await self._pool.fetchval("SELECT now()")
        try:
            while True:
                async with transaction(self._pool) as connection:
                    taken = await take_dead(connection, rows, since, ROWS_A_TRANSACTION)
                    await connection.execute(
                        f"UPDATE {rows.table} SET cleared_at = now() WHERE id = ANY($1)", [row["id"] for row in taken]
                    )
                    last, more = len(taken) < ROWS_A_TRANSACTION, cleared + len(taken)
                    if last and more:
                        await write_audit(connection, _cleared_entry(queue, more, caller))
                cleared = more
                if last:
                    return Cleared(queue=queue, cleared=cleared)
        except Exception:
            await self._tell_of_half(_cleared_entry(queue, cleared, caller), cleared)
            raise

    async def _tell_of_half(self, entry: NewAuditEntry, changed: int) -> None:
        """What was done before it broke off is in the audit trail too, as far as the database still takes anything."""
        if changed:
            await write_audit(self._pool, entry.model_copy(update={"status": AuditStatus.FAILURE}))


async def _revive(connection: PooledConnection, queue: DeadQueue, taken: Sequence[asyncpg.Record]) -> Requeued:
    rows = QUEUES[queue]
    ids = [row["id"] for row in taken]
    twins: set[int] = set()
    if queue is DeadQueue.DETECTION:
        twins = await settle_duplicates(connection, taken)
    revived = [one for one in ids if one not in twins]
    await connection.execute(
        f"UPDATE {rows.table} SET {rows.column} = '{rows.free}', attempts = 0, claimable_at = now(), died_at = NULL, "
        f"{rows.reason} = NULL, lease = NULL, lease_until = NULL WHERE id = ANY($1)",
        revived,
    )
    return Requeued(
        queue=queue, requeued=len(revived), duplicates=len(twins), ids=tuple(str(one) for one in revived[:_MOST_IDS])
    )


def _sum(before: Requeued, more: Requeued) -> Requeued:
    return Requeued(
        queue=before.queue,
        requeued=before.requeued + more.requeued,
        duplicates=before.duplicates + more.duplicates,
        ids=(before.ids + more.ids)[:_MOST_IDS],
    )


def _requeued_entry(action: AuditAction, done: Requeued, caller: Caller) -> NewAuditEntry:
    details: dict[str, Any] = {"requeued": done.requeued, "duplicates": done.duplicates}
    if action is AuditAction.DLQ_REQUEUE:
        details["ids"] = list(done.ids)
    return NewAuditEntry(
        action=action, resource_type="dead_letter_queue", resource_id=done.queue.value, caller=caller, details=details
    )


def _cleared_entry(queue: DeadQueue, cleared: int, caller: Caller) -> NewAuditEntry:
    return NewAuditEntry(
        action=AuditAction.DLQ_CLEAR,
        resource_type="dead_letter_queue",
        resource_id=queue.value,
        caller=caller,
        details={"cleared": cleared},
    )


def _letter(queue: DeadQueue, row: asyncpg.Record) -> DeadLetter:
    values = {name: value for name, value in row.items() if name != "moment"}
    if "path" in values:
        values["file_path"] = shown_path(values.pop("path"))
    for name in ("id", "alert_id"):
        if name in values:
            values[name] = str(values[name])
    return DeadLetter(queue=queue, **values)
