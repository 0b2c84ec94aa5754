"""What alerting reads and writes inside the transaction that stores or revises an event."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from domain.dedup import PastAlert
from schemas.alert import AlertStatus
from schemas.alert_rule import AlertRule
from schemas.delivery import DeliveryStatus, NewDelivery
from schemas.frame import NewFrame
from schemas.frame_types import AlertCreated, frame
from schemas.notification import (
    CameraNotificationSetting,
    NotificationPolicy,
    NotificationPreferences,
    QuietHours,
)
from schemas.severity import Severity
from schemas.why import RuleVerdict
from storage.postgres import PooledConnection
from storage.whys import storable

logger = logging.getLogger(__name__)


class AlertingTransaction:
    """Rules, preferences and earlier alerts as they are in this transaction; news are sent after the commit."""

    def __init__(self, connection: PooledConnection) -> None:
        self._connection = connection
        self.news: list[NewFrame] = []

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

    async def queue_suppressed(
        self, event_id: int, rule_id: UUID, deliveries: Sequence[NewDelivery], now: datetime
    ) -> int:
        """Of the alert that this rule raised for the event, those of these deliveries that were suppressed are sent
        after all, unless a person has dealt with the alert. Answers how many."""
        done = await self._connection.execute(
            """
            UPDATE deliveries d SET status = 'queued', suppressed_because = NULL, queued_at = $3, claimable_at = $3
            FROM alerts a, unnest($4::text[], $5::text[]) AS wanted (channel, recipient)
            WHERE a.event_id = $1 AND a.rule_id = $2 AND a.status = 'pending' AND d.alert_id = a.id
              AND d.status = 'suppressed' AND d.channel = wanted.channel AND d.recipient = wanted.recipient
            """,
            event_id,
            rule_id,
            now,
            [delivery.channel.value for delivery in deliveries],
            [delivery.recipient for delivery in deliveries],
        )
        return int(done.split()[-1])

    async def alerts_of(self, event_id: int) -> frozenset[UUID]:
        """The rules by which this event has an alert already; one whose rule was deleted belongs to none."""
        rows = await self._connection.fetch(
            "SELECT rule_id FROM alerts WHERE event_id = $1 AND rule_id IS NOT NULL", event_id
        )
        return frozenset(row["rule_id"] for row in rows)

    async def note_rules(self, event_id: int, verdicts: Sequence[RuleVerdict]) -> None:
        """Keeps with the event what each enabled rule said of it."""
        await self._connection.execute(
            "UPDATE events SET why = jsonb_set(why, '{rules}', $2) WHERE id = $1",
            event_id,
            [storable(verdict) for verdict in verdicts],
        )


def _valid_rule(row: dict[str, Any]) -> AlertRule | None:
    """One rule that no longer makes sense (its time zone was abolished) must not silence all the others."""
    try:
        return AlertRule.model_validate(row)
    except ValidationError as error:
        logger.error("alert rule %s (%r) is left out, mend it: %s", row["id"], row["name"], error.errors()[0]["msg"])
        return None
