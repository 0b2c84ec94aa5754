"""Provisional events on their way to the language model."""

import logging
from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from schemas.batch import ClaimedBatch
from schemas.detection import Detection
from schemas.reassessment import ClaimedReassessment
from storage.batch_detections import detections_of
from storage.errors import StoreError
from storage.leases import bury_exhausted, claim_rows, fail_row, give_back_rows, release_leases
from storage.postgres import Pool, store_errors, transaction
from storage.whys import read_why, storable_text

logger = logging.getLogger(__name__)

_EVENT = "e.risk_score, e.risk_level, e.summary, e.reasoning, e.assessed_by"
_BATCH = """b.id AS batch_id, b.camera_id, b.started_at, b.ended_at, b.detection_count,
    coalesce(b.closed_at, b.last_activity_at) AS closed_at,
    b.close_reason IS NOT DISTINCT FROM 'urgent' AS urgent"""


class Reassessments:
    """The table `reassessments`. A row is written and ends in the event's own transaction (storage/assessments.py)."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def claim(self, owner: str, limit: int, lease_seconds: float, tries: int) -> list[ClaimedReassessment]:
        """The gravest first. One whose event was deleted meanwhile is gone with it."""
        leased = await claim_rows(
            self._pool, "reassessments", owner, limit, lease_seconds, tries, "id", "risk_score DESC, id"
        )
        if not leased:
            return []
        events = await self._pool.fetch(
            f"""
            SELECT e.id, {_EVENT}, e.why, {_BATCH}, c.name AS camera_name
            FROM events e JOIN batches b ON b.id = e.batch_id JOIN cameras c ON c.id = b.camera_id
            JOIN reassessments r ON r.id = e.id WHERE e.id = ANY($1) ORDER BY r.risk_score DESC, e.id
            """,
            [row["id"] for row in leased],
        )
        detections = await detections_of(self._pool, [row["batch_id"] for row in events])
        by_id = {row["id"]: row for row in leased}
        found = [await self._claimed(row, by_id[row["id"]], detections) for row in events]
        return [claimed for claimed in found if claimed is not None]

    async def _claimed(
        self, event: asyncpg.Record, leased: asyncpg.Record, detections: Mapping[str, tuple[Detection, ...]]
    ) -> ClaimedReassessment | None:
        """None for one whose why-chain cannot be read: it dies with the reason, and the others are not kept waiting."""
        try:
            return _claimed(event, leased, detections)
        except StoreError as error:
            logger.error("event %s stays provisional: %s", event["id"], error)
            await fail_row(self._pool, "reassessments", event["id"], leased["lease"], str(error), None)
            return None

    @store_errors()
    async def give_back(self, claimed: Sequence[ClaimedReassessment], retry_in: float) -> None:
        """Those that were not tried, because the model is away: they wait, and no try is counted."""
        rows: list[tuple[int | UUID, str]] = [(one.event_id, one.lease) for one in claimed]
        await give_back_rows(self._pool, "reassessments", rows, retry_in)

    @store_errors()
    async def fail(self, claimed: ClaimedReassessment, reason: str, retry_in: float | None) -> bool:
        """One tried and failed: waits, or dies with its reason when `retry_in` is None. False: the lease is lost."""
        return await fail_row(self._pool, "reassessments", claimed.event_id, claimed.lease, reason, retry_in)

    @store_errors()
    async def give_up(self, claimed: ClaimedReassessment, reason: str, by: str) -> bool:
        """The last try has failed: it dies with its reason, and its event says why it stays provisional.

        `by` names the model and the prompt that could not assess it, see `revive`.
        False when the lease is lost. The event's row is locked first, as by a revision.
        """
        async with transaction(self._pool) as connection:
            await connection.execute("SELECT id FROM events WHERE id = $1 FOR UPDATE", claimed.event_id)
            if not await fail_row(connection, "reassessments", claimed.event_id, claimed.lease, reason, None):
                return False
            await connection.execute("UPDATE reassessments SET given_up_by = $2 WHERE id = $1", claimed.event_id, by)
            await connection.execute(
                """
                UPDATE events SET why = jsonb_set(why, '{because}', $2), updated_at = now()
                WHERE id = $1 AND assessment = 'provisional'
                """,
                claimed.event_id,
                storable_text(f"it stays provisional after {claimed.attempts} tries: {reason}"),
            )
            return True

    @store_errors()
    async def bury_exhausted(self, tries: int, by: str) -> int:
        """`by` as in `give_up`: an event at which workers die is not tried again by what they died with."""
        async with transaction(self._pool) as connection:
            reason = f"{tries} tries ended without an answer"
            buried = await bury_exhausted(connection, "reassessments", tries, reason)
            if buried:
                just_now = "state = 'dead' AND reason = $2 AND died_at = now()"
                await connection.execute(f"UPDATE reassessments SET given_up_by = $1 WHERE {just_now}", by, reason)
        return buried

    @store_errors()
    async def revive(self, by: str) -> int:
        """Those given up by another model or prompt than this one wait again, as if they had never been tried."""
        done = await self._pool.execute(
            """
            UPDATE reassessments SET state = 'waiting', attempts = 0, claimable_at = now(), died_at = NULL,
                   given_up_by = NULL
            WHERE state = 'dead' AND given_up_by IS DISTINCT FROM $1
            """,
            by,
        )
        return int(done.split()[-1])

    @store_errors()
    async def release(self, owner: str, tried: bool = True) -> int:
        """Frees what a claim of this owner that was broken off still holds; see storage/leases.py."""
        return await release_leases(self._pool, "reassessments", owner, tried)

    @store_errors()
    async def waiting(self) -> int:
        """Provisional events that wait for the model or are with it."""
        count: int = await self._pool.fetchval(
            "SELECT count(*) FROM reassessments WHERE state IN ('waiting', 'assessing')"
        )
        return count


def _claimed(
    event: asyncpg.Record, leased: asyncpg.Record, detections: Mapping[str, tuple[Detection, ...]]
) -> ClaimedReassessment:
    values = dict(event)
    event_id, batch_id = values.pop("id"), str(values.pop("batch_id"))
    why = read_why(event_id, values.pop("why"))
    assessed = {name.removeprefix("e."): values.pop(name.removeprefix("e.")) for name in _EVENT.split(", ")}
    holding = {"attempts": leased["attempts"], "lease": leased["lease"]}
    return ClaimedReassessment(
        **{"event_id": event_id, "why": why, "detections": detections.get(batch_id, ())} | assessed | holding,
        batch=ClaimedBatch(**{"id": batch_id} | values | holding),
    )
