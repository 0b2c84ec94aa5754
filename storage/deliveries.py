"""The outbox: deliveries claimed, sent, receipted, retried, buried."""

import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from schemas.alert import Alert
from schemas.alert_rule import Channel
from schemas.delivery import ClaimedDelivery
from schemas.detection import BoundingBox, DetectedObject
from schemas.event import Event
from schemas.frame import NewFrame
from schemas.frame_types import AlertUpdated, frame
from schemas.media import MediaType
from storage.errors import NotFound
from storage.leases import bury_exhausted, claim_rows, fail_row, release_leases
from storage.postgres import Pool, store_errors, transaction


@dataclass(frozen=True)
class EvidencePicture:
    """The file that shows most of an event, and what was found in it."""

    path: str
    size_bytes: int
    modified_ns: int
    media_type: MediaType
    frame_offset_seconds: float
    objects: tuple[DetectedObject, ...]


@dataclass(frozen=True)
class AlertContext:
    """What a message says: the alert, its event, its camera, and the picture that shows most."""

    alert: Alert
    event: Event
    camera_name: str
    picture: EvidencePicture | None


class Deliveries:
    """The table `deliveries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def claim(
        self, owner: str, channel: Channel, limit: int, lease_seconds: float, tries: int
    ) -> list[ClaimedDelivery]:
        """Leases what is due. A row whose sender died is sent again under the same key, so a receiver can tell."""
        columns = "id, alert_id, channel, recipient"
        rows = await claim_rows(
            self._pool, "deliveries", owner, limit, lease_seconds, tries, columns, "queued_at", channel.value
        )
        return [ClaimedDelivery(**row, idempotency_key=str(row["id"])) for row in rows]

    @store_errors()
    async def release(self, owner: str, tried: bool = True) -> int:
        """Frees what a claim of this owner that was broken off still holds; see storage/leases.py."""
        return await release_leases(self._pool, "deliveries", owner, tried)

    @store_errors()
    async def bury_exhausted(self, tries: int) -> int:
        return await bury_exhausted(self._pool, "deliveries", tries, f"{tries} tries ended without an answer")

    @store_errors()
    async def delivered(self, delivery: ClaimedDelivery, receipt: str, now: datetime) -> list[NewFrame]:
        """Stores the receipt; the first delivery of an alert makes the alert `delivered`."""
        async with transaction(self._pool) as connection:
            stored = await connection.fetchval(
                """
                UPDATE deliveries SET status = 'delivered', receipt = $3, delivered_at = $4, error = NULL,
                       lease = NULL, lease_until = NULL
                WHERE id = $1 AND lease = $2 AND status = 'sending' RETURNING id
                """,
                delivery.id,
                delivery.lease,
                receipt,
                now,
            )
            if stored is None:
                return []
            row = await connection.fetchrow(
                """
                UPDATE alerts SET status = 'delivered', delivered_at = $2, updated_at = $2
                WHERE id = $1 AND status = 'pending'
                RETURNING id, event_id, rule_id, severity, status, updated_at
                """,
                delivery.alert_id,
                now,
            )
        return [_alert_updated(row)] if row else []

    @store_errors()
    async def fail(self, delivery: ClaimedDelivery, error: str, retry_in: float | None) -> None:
        """One failed try: waits `retry_in` seconds, or dies with its reason when that is None."""
        await fail_row(self._pool, "deliveries", delivery.id, delivery.lease, error, retry_in)

    @store_errors()
    async def context(self, alert_id: UUID) -> AlertContext:
        row = await self._pool.fetchrow(
            """
            SELECT to_jsonb(a) AS alert, to_jsonb(e) AS event, c.name AS camera_name, e.batch_id
            FROM alerts a JOIN events e ON e.id = a.event_id JOIN cameras c ON c.id = e.camera_id
            WHERE a.id = $1
            """,
            alert_id,
        )
        if row is None:
            raise NotFound(f"alert {alert_id} is no longer there")
        return AlertContext(
            alert=Alert(**_known(Alert, row["alert"])),
            event=Event(**_known(Event, row["event"])),
            camera_name=row["camera_name"],
            picture=await self._picture(row["batch_id"]),
        )

    async def _picture(self, batch_id: UUID) -> EvidencePicture | None:
        """The frame with the most certain detection, people first."""
        rows = await self._pool.fetch(
            """
            WITH best AS (
                SELECT media_id, frame_offset_seconds FROM detections WHERE batch_id = $1
                ORDER BY object_type <> 'person', confidence DESC, id LIMIT 1
            )
            SELECT m.path, m.size_bytes, m.modified_ns,
                   m.media_type, d.frame_offset_seconds, d.object_type, d.confidence,
                   d.x, d.y, d.width, d.height
            FROM best JOIN detections d USING (media_id, frame_offset_seconds) JOIN media m ON m.id = d.media_id
            ORDER BY d.id
            """,
            batch_id,
        )
        if not rows:
            return None
        return EvidencePicture(
            path=os.fsdecode(rows[0]["path"]),
            size_bytes=rows[0]["size_bytes"],
            modified_ns=rows[0]["modified_ns"],
            media_type=MediaType(rows[0]["media_type"]),
            frame_offset_seconds=rows[0]["frame_offset_seconds"],
            objects=tuple(
                DetectedObject(
                    object_type=row["object_type"],
                    confidence=row["confidence"],
                    bbox=BoundingBox(x=row["x"], y=row["y"], width=row["width"], height=row["height"]),
                )
                for row in rows
            ),
        )


def _known(noun: type[Alert] | type[Event], row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in noun.model_fields}


def _alert_updated(row: asyncpg.Record) -> NewFrame:
    return frame(AlertUpdated(**row))
