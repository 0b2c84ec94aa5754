"""The event's own transaction: batch assessed, event, alerts and outbox rows written together or not at all."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from schemas.assessment import Assessment, Evidence
from schemas.batch import ClaimedBatch
from schemas.frame_types import EventCreated, LegacyEvent, frame
from schemas.reassessment import ClaimedReassessment
from schemas.severity import Severity
from schemas.why import Why
from storage.alerting_transaction import AlertingTransaction
from storage.errors import LeaseLost
from storage.postgres import Pool, transaction
from storage.revision import Revision, take_up
from storage.whys import storable, storable_text


class Assessments:
    """Opens the transactions in which a batch becomes an event, and in which a provisional event becomes final."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def begin(self, batch: ClaimedBatch) -> AsyncIterator["EventTransaction"]:
        """Raises LeaseLost when the batch is no longer this worker's: whoever has it stores the event."""
        async with transaction(self._pool) as connection:
            mine = await connection.fetchval(
                """
                UPDATE batches SET state = 'assessed', reason = NULL, lease = NULL, lease_until = NULL
                WHERE id = $1 AND lease = $2 AND state = 'assessing' RETURNING id
                """,
                UUID(batch.id),
                batch.lease,
            )
            if mine is None:
                raise LeaseLost(f"batch {batch.id} is no longer held under this lease")
            yield EventTransaction(connection)

    @asynccontextmanager
    async def begin_revision(self, claimed: ClaimedReassessment) -> AsyncIterator[Revision | None]:
        """None when there is nothing left to revise: the event has been deleted meanwhile, or is final already.

        Raises LeaseLost when the reassessment is no longer this worker's: whoever has it revises the event.
        """
        async with transaction(self._pool) as connection:
            yield await take_up(connection, claimed)


class EventTransaction(AlertingTransaction):
    """What may be written with a new event; news are sent after the commit."""

    async def store_event(self, evidence: Evidence, assessment: Assessment, level: Severity, why: Why) -> int:
        batch = evidence.batch
        types = sorted({detection.object_type for detection in evidence.detections})
        summary, reasoning = storable_text(assessment.summary), storable_text(assessment.reasoning)
        event_id: int = await self._connection.fetchval(
            """
            INSERT INTO events (batch_id, camera_id, started_at, ended_at, risk_score, risk_level, summary, reasoning,
                                assessment, assessed_by, why, object_types, detection_count)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id
            """,
            UUID(batch.id),
            batch.camera_id,
            batch.started_at,
            batch.ended_at,
            assessment.risk_score,
            level.value,
            summary,
            reasoning,
            assessment.standing.value,
            storable_text(assessment.assessed_by),
            storable(why),
            types,
            len(evidence.detections),
        )
        self.news += [
            frame(
                payload(
                    id=event_id,
                    batch_id=batch.id,
                    camera_id=batch.camera_id,
                    risk_score=assessment.risk_score,
                    risk_level=level,
                    summary=summary,
                    reasoning=reasoning,
                    started_at=batch.started_at,
                    assessment=assessment.standing,
                )
            )
            for payload in (EventCreated, LegacyEvent)
        ]
        return event_id

    async def queue_reassessment(self, event_id: int, score: int) -> None:
        """The event is provisional: a language model is to assess it once it answers again."""
        await self._connection.execute("INSERT INTO reassessments (id, risk_score) VALUES ($1, $2)", event_id, score)

    async def count_appearances(
        self, camera_id: str, object_types: Sequence[str], weekday: int, hour: int, at: datetime, decay_per_day: float
    ) -> None:
        """Adds one appearance of each class to this hour of the week; what is on record has decayed since."""
        await self._connection.execute(
            """
            INSERT INTO baselines AS b (camera_id, object_type, weekday, hour, weight, samples, updated_at)
            SELECT $1, t, $3, $4, 1, 1, $5::timestamptz FROM unnest($2::text[]) AS t ORDER BY t
            ON CONFLICT (camera_id, object_type, weekday, hour) DO UPDATE SET
                weight = b.weight
                         * exp(-$6::float8 * greatest(extract(epoch FROM $5 - b.updated_at), 0)::float8 / 86400)
                         + exp(-$6::float8 * greatest(extract(epoch FROM b.updated_at - $5), 0)::float8 / 86400),
                samples = b.samples + 1,
                updated_at = greatest(b.updated_at, $5)
            """,
            camera_id,
            list(object_types),
            weekday,
            hour,
            at,
            decay_per_day,
        )
