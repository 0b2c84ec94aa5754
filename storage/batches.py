"""Batches: the aggregator's group commit, and the closed ones on their way to an assessment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from schemas.batch import BatchState, ClaimedBatch, CloseReason, OpenBatch
from schemas.detection import BoundingBox, Detection, MediaDetections
from schemas.frame import NewFrame
from schemas.frame_types import DetectionBatch, DetectionNew, frame
from storage.batch_detections import detections_of
from storage.leases import bury_exhausted, claim_rows, fail_row, give_back_rows, release_leases
from storage.postgres import Pool, PooledConnection, store_errors, transaction

_URGENT = "(close_reason IS NOT DISTINCT FROM 'urgent')"
_CLAIMED = f"id, camera_id, started_at, ended_at, closed_at, detection_count, {_URGENT} AS urgent"
_ORDER = f"{_URGENT} DESC, closed_at"


@dataclass(frozen=True)
class BatchChange:
    """What one group commit does to one batch."""

    batch: OpenBatch
    is_new: bool
    closed: CloseReason | None
    media: tuple[MediaDetections, ...]
    """The files whose detections join it in this commit."""


class Batches:
    """The table `batches`, and the detections that are written with it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def open(self) -> list[OpenBatch]:
        """Every open batch: the aggregator's memory is rebuilt from these."""
        rows = await self._pool.fetch(
            """
            SELECT id, camera_id, started_at, ended_at, opened_at, last_activity_at, detection_count
            FROM batches WHERE state = 'open' ORDER BY opened_at
            """
        )
        return [OpenBatch(**{**row, "id": str(row["id"])}) for row in rows]

    @store_errors()
    async def commit(
        self, results: Sequence[MediaDetections], place: Callable[[Sequence[MediaDetections]], Sequence[BatchChange]]
    ) -> list[NewFrame]:
        """One transaction: the files become `detected`, their detections and batches are written. Returns the news.

        A file whose lease is no longer its worker's is left out before `place` decides, so that a result that comes
        twice counts once.
        """
        async with transaction(self._pool) as connection:
            by_lease = {(result.media_id, result.lease): result for result in results}
            mine = await _mark_detected(connection, [*by_lease.values()])
            accepted = [result for key, result in by_lease.items() if key in mine]
            changes = place([result for result in accepted if result.detections])
            await _write_batches(connection, changes)
            return await _write_detections(connection, changes) + closed_frames(changes)

    @store_errors()
    async def close(self, due: Sequence[tuple[OpenBatch, CloseReason]], now: datetime) -> list[NewFrame]:
        """Closes batches that are due. One that is closed already stays as it is."""
        rows = await self._pool.fetch(
            """
            UPDATE batches b SET state = 'closed', closed_at = $3, close_reason = d.reason, claimable_at = $3
            FROM unnest($1::uuid[], $2::text[]) AS d(id, reason) WHERE b.id = d.id AND b.state = 'open'
            RETURNING b.id
            """,
            [UUID(batch.id) for batch, _ in due],
            [reason.value for _, reason in due],
            now,
        )
        closed = {str(row["id"]) for row in rows}
        return [_closed_frame(batch, reason, now) for batch, reason in due if batch.id in closed]

    @store_errors()
    async def claim(
        self, owner: str, limit: int, lease_seconds: float, tries: int, closed_before: datetime | None = None
    ) -> list[ClaimedBatch]:
        """Urgent ones first, then the oldest; with `closed_before` only those that have waited that long."""
        rows = await claim_rows(
            self._pool, "batches", owner, limit, lease_seconds, tries, _CLAIMED, _ORDER, closed_before=closed_before
        )
        if not rows:
            return []
        cameras = await self._pool.fetch(
            "SELECT id, name FROM cameras WHERE id = ANY($1)", list({row["camera_id"] for row in rows})
        )
        names = {row["id"]: row["name"] for row in cameras}
        return [
            ClaimedBatch(**{**row, "id": str(row["id"])}, camera_name=names[row["camera_id"]])
            for row in sorted(rows, key=lambda row: (not row["urgent"], row["closed_at"]))
        ]

    @store_errors()
    async def give_back(self, batches: Sequence[ClaimedBatch], retry_in: float = 0.0) -> None:
        """Claimed ones that were not tried: they wait again, at least `retry_in` seconds, without a try counted."""
        rows: list[tuple[int | UUID, str]] = [(UUID(batch.id), batch.lease) for batch in batches]
        await give_back_rows(self._pool, "batches", rows, retry_in)

    @store_errors()
    async def release(self, owner: str, tried: bool = True) -> int:
        """Frees what a claim of this owner that was broken off still holds; see storage/leases.py."""
        return await release_leases(self._pool, "batches", owner, tried)

    @store_errors()
    async def bury_exhausted(self, tries: int) -> int:
        return await bury_exhausted(self._pool, "batches", tries, f"{tries} tries ended without an answer")

    @store_errors()
    async def fail(self, batch: ClaimedBatch, reason: str, retry_in: float | None) -> None:
        """One tried and failed batch: waits, or dies with its reason when `retry_in` is None."""
        await fail_row(self._pool, "batches", UUID(batch.id), batch.lease, reason, retry_in)

    @store_errors()
    async def detections(self, batch_id: str) -> tuple[Detection, ...]:
        """A batch's detections in the order in which their pictures were taken."""
        return (await detections_of(self._pool, [UUID(batch_id)])).get(batch_id, ())

    @store_errors()
    async def waiting(self) -> int:
        """Batches closed or in work."""
        return int(await self._pool.fetchval("SELECT count(*) FROM batches WHERE state IN ('closed', 'assessing')"))


async def _mark_detected(connection: PooledConnection, results: Sequence[MediaDetections]) -> set[tuple[int, str]]:
    rows = await connection.fetch(
        """
        UPDATE media m SET state = 'detected', detected_at = now(), width = r.width, height = r.height,
               frames = r.frames, found_at = r.found_at, lease = NULL, lease_until = NULL, reason = NULL
        FROM unnest($1::bigint[], $2::text[], $3::int[], $4::int[], $5::int[], $6::timestamptz[])
             AS r(id, lease, width, height, frames, found_at)
        WHERE m.id = r.id AND m.lease = r.lease AND m.state = 'detecting'
        RETURNING m.id, r.lease
        """,
        [r.media_id for r in results],
        [r.lease for r in results],
        [r.width for r in results],
        [r.height for r in results],
        [r.frames for r in results],
        [r.found_at for r in results],
    )
    return {(row["id"], row["lease"]) for row in rows}


async def _write_batches(connection: PooledConnection, changes: Sequence[BatchChange]) -> None:
    """Known batches first: a camera's old one must be closed before its next one may be open."""
    known = [change for change in changes if not change.is_new]
    if known:
        await connection.execute(
            """
            UPDATE batches b SET state = c.state, started_at = c.started_at, ended_at = c.ended_at,
                   last_activity_at = c.last_activity_at, detection_count = c.detection_count,
                   closed_at = CASE WHEN c.state = 'closed' THEN now() END,
                   close_reason = c.close_reason, claimable_at = now()
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                        $7::timestamptz[], $8::int[], $9::text[])
                 AS c(id, camera_id, state, started_at, ended_at, opened_at, last_activity_at, detection_count,
                      close_reason)
            WHERE b.id = c.id
            """,
            *_columns(known),
        )
    new = [change for change in changes if change.is_new]
    if new:
        await connection.execute(
            """
            INSERT INTO batches (id, camera_id, state, started_at, ended_at, opened_at, last_activity_at,
                                 detection_count, close_reason, closed_at)
            SELECT c.*, CASE WHEN c.state = 'closed' THEN now() END
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
                        $7::timestamptz[], $8::int[], $9::text[])
                 AS c(id, camera_id, state, started_at, ended_at, opened_at, last_activity_at, detection_count,
                      close_reason)
            """,
            *_columns(new),
        )


def _columns(changes: Sequence[BatchChange]) -> list[list[object]]:
    return [
        [UUID(c.batch.id) for c in changes],
        [c.batch.camera_id for c in changes],
        [(BatchState.CLOSED if c.closed else BatchState.OPEN).value for c in changes],
        [c.batch.started_at for c in changes],
        [c.batch.ended_at for c in changes],
        [c.batch.opened_at for c in changes],
        [c.batch.last_activity_at for c in changes],
        [c.batch.detection_count for c in changes],
        [c.closed.value if c.closed else None for c in changes],
    ]


async def _write_detections(connection: PooledConnection, changes: Sequence[BatchChange]) -> list[NewFrame]:
    found = [
        (change.batch.id, media, detection)
        for change in changes
        for media in change.media
        for detection in media.detections
    ]
    if not found:
        return []
    rows = await connection.fetch(
        """
        INSERT INTO detections (media_id, camera_id, batch_id, object_type, confidence, x, y, width, height,
                                frame_offset_seconds, detected_at)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::text[], $5::real[], $6::real[], $7::real[],
                             $8::real[], $9::real[], $10::real[], $11::timestamptz[])
        RETURNING id, camera_id, batch_id, object_type, confidence, x, y, width, height, detected_at
        """,
        [media.media_id for _, media, _ in found],
        [media.camera_id for _, media, _ in found],
        [UUID(batch_id) for batch_id, _, _ in found],
        [d.object_type for _, _, d in found],
        [d.confidence for _, _, d in found],
        [d.bbox.x for _, _, d in found],
        [d.bbox.y for _, _, d in found],
        [d.bbox.width for _, _, d in found],
        [d.bbox.height for _, _, d in found],
        [d.frame_offset_seconds for _, _, d in found],
        [media.seen_at(d) for _, media, d in found],
    )
    return [_detection_frame(row) for row in rows]


def _detection_frame(row: asyncpg.Record) -> NewFrame:
    return frame(
        DetectionNew(
            detection_id=row["id"],
            camera_id=row["camera_id"],
            batch_id=str(row["batch_id"]),
            label=row["object_type"],
            confidence=row["confidence"],
            bbox=BoundingBox(x=row["x"], y=row["y"], width=row["width"], height=row["height"]),
            timestamp=row["detected_at"],
        )
    )


def closed_frames(changes: Sequence[BatchChange]) -> list[NewFrame]:
    """`detection.batch` for every batch that a commit closed."""
    return [
        _closed_frame(change.batch, change.closed, change.batch.last_activity_at) for change in changes if change.closed
    ]


def _closed_frame(batch: OpenBatch, reason: CloseReason, at: datetime) -> NewFrame:
    return frame(
        DetectionBatch(
            batch_id=batch.id,
            camera_id=batch.camera_id,
            detection_count=batch.detection_count,
            started_at=batch.started_at,
            closed_at=at,
            close_reason=reason,
        )
    )
