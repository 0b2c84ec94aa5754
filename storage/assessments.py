"""The event's own transaction: batch assessed, event, alerts and outbox rows written together or not at all."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from domain.dedup import PastAlert
from schemas.alert import AlertStatus
from schemas.alert_rule import AlertRule
from schemas.assessment import Assessment, Evidence
from schemas.batch import ClaimedBatch
from schemas.delivery import DeliveryStatus, NewDelivery
from schemas.frame import NewFrame
from schemas.frame_types import AlertCreated, EventCreated, LegacyEvent, frame
from schemas.notification import (
    CameraNotificationSetting,
    NotificationPolicy,
    NotificationPreferences,
    QuietHours,
)
from schemas.severity import Severity
from storage.errors import LeaseLost
from storage.postgres import Pool, PooledConnection, transaction

logger = logging.getLogger(__name__)


class Assessments:
    """Opens the transaction in which a batch becomes an event."""

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


class EventTransaction:
    """What may be written with an event; news are sent after the commit."""

    def __init__(self, connection: PooledConnection) -> None:
        self._connection = connection
        self.news: list[NewFrame] = []

    async def store_event(
        self, evidence: Evidence, assessment: Assessment, level: Severity, why: dict[str, Any]
    ) -> int:
        batch = evidence.batch
        types = sorted({detection.object_type for detection in evidence.detections})
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
            assessment.summary,
            assessment.reasoning,
            assessment.standing.value,
            assessment.assessed_by,
            why,
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
                    summary=assessment.summary,
                    reasoning=assessment.reasoning,
                    started_at=batch.started_at,
                    assessment=assessment.standing,
                )
            )
            for payload in (EventCreated, LegacyEvent)
        ]
        return event_id

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

    async def enabled_rules(self) -> list[AlertRule]:
        rows = await self._connection.fetch(
            """
            SELECT id, name, description, enabled, severity, risk_threshold, object_types, camera_ids, min_confidence,
                   zones, schedule, cooldown_seconds, dedup_key_template, channels, created_at, updated_at
            FROM alert_rules WHERE enabled ORDER BY created_at, id
            """
        )
        return [rule for row in rows if (rule := _valid_rule(dict(row))) is not None]

    async def notification_policy(self, timezone: str) -> NotificationPolicy:
        preferences = await self._connection.fetchrow(
            "SELECT id, enabled, sound, risk_filters, critical_passes_quiet_hours FROM notification_preferences"
        )
        cameras = await self._connection.fetch(
            "SELECT id, camera_id, enabled, risk_threshold FROM camera_notification_settings"
        )
        periods = await self._connection.fetch("SELECT id, label, start_time, end_time, days FROM quiet_hours")
        return NotificationPolicy(
            preferences=NotificationPreferences.model_validate(dict(preferences or {})),
            cameras={row["camera_id"]: CameraNotificationSetting(**row) for row in cameras},
            quiet_hours=tuple(QuietHours.model_validate(dict(row)) for row in periods),
            timezone=timezone,
        )

    async def lock_dedup_keys(self, keys: Sequence[str]) -> None:
        """Until the commit, no other event decides about these keys. Sorted, so that two events cannot deadlock."""
        for key in sorted(set(keys)):
            await self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", "dedup:" + key)

    async def past_alerts(self, dedup_key: str, since: datetime) -> list[PastAlert]:
        """The alerts under this key since then, with what became of their deliveries; ask under the key's lock."""
        rows = await self._connection.fetch(
            """
            SELECT a.created_at, a.severity,
                   ARRAY(SELECT d.status FROM deliveries d WHERE d.alert_id = a.id) AS deliveries
            FROM alerts a WHERE a.dedup_key = $1 AND a.created_at > $2 ORDER BY a.created_at DESC
            """,
            dedup_key,
            since,
        )
        return [
            PastAlert(
                created_at=row["created_at"],
                severity=Severity(row["severity"]),
                deliveries=tuple(DeliveryStatus(status) for status in row["deliveries"]),
            )
            for row in rows
        ]

    async def raise_alert(
        self,
        event_id: int,
        rule: AlertRule,
        dedup_key: str,
        metadata: dict[str, Any],
        message: str,
        deliveries: Sequence[NewDelivery],
        now: datetime,
    ) -> UUID:
        """Writes the alert and its outbox rows; suppressed ones too, with the reason."""
        alert_id: UUID = await self._connection.fetchval(
            """
            INSERT INTO alerts (event_id, rule_id, severity, dedup_key, channels, metadata, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id
            """,
            event_id,
            rule.id,
            rule.severity.value,
            dedup_key,
            [channel.value for channel in rule.channels],
            metadata,
            now,
        )
        await self._connection.executemany(
            """
            INSERT INTO deliveries (alert_id, channel, recipient, status, suppressed_because, queued_at, claimable_at)
            VALUES ($1, $2, $3, $4, $5, $6, $6)
            """,
            [
                (
                    alert_id,
                    delivery.channel.value,
                    delivery.recipient,
                    (DeliveryStatus.SUPPRESSED if delivery.suppressed_because else DeliveryStatus.QUEUED).value,
                    delivery.suppressed_because,
                    now,
                )
                for delivery in deliveries
            ],
        )
        self.news.append(
            frame(
                AlertCreated(
                    id=alert_id,
                    event_id=event_id,
                    rule_id=rule.id,
                    severity=rule.severity,
                    status=AlertStatus.PENDING,
                    dedup_key=dedup_key,
                    message=message,
                    created_at=now,
                )
            )
        )
        return alert_id


def _valid_rule(row: dict[str, Any]) -> AlertRule | None:
    """One rule that no longer makes sense (its time zone was abolished) must not silence all the others."""
    try:
        return AlertRule.model_validate(row)
    except ValidationError as error:
        logger.error("alert rule %s (%r) is left out, mend it: %s", row["id"], row["name"], error.errors()[0]["msg"])
        return None
