"""Which alerts an event raises and whom each goes to, decided and written inside the event's own transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from actors.metrics import ALERTS, DELIVERIES
from domain.alert_rules import EventFacts, Match, RuleDetection, match
from domain.dedup import dedup_key, in_cooldown, last_relevant
from domain.notification_filter import suppressed
from schemas.alert_rule import AlertRule, Channel
from schemas.assessment import Assessment, Evidence
from schemas.delivery import NewDelivery
from schemas.notification import NotificationPolicy
from schemas.severity import Severity
from storage.assessments import EventTransaction

NOBODY = "nobody"
"""The recipient of a delivery through a channel that has none; it is suppressed with that reason."""


@dataclass(frozen=True)
class Alerting:
    """The house's zone, and whom each channel reaches."""

    timezone: str
    recipients: Callable[[Channel], Sequence[str]]
    why_not: Callable[[Channel], str | None]
    """Why a channel reaches nobody, and how to mend that."""

    async def raise_alerts(
        self,
        transaction: EventTransaction,
        event_id: int,
        evidence: Evidence,
        assessment: Assessment,
        severity: Severity,
        now: datetime,
    ) -> int:
        """Evaluates every enabled rule; returns how many alerts were raised."""
        facts = EventFacts(
            event_id=event_id,
            camera_id=evidence.batch.camera_id,
            risk_score=assessment.risk_score,
            severity=severity,
            started_at=evidence.batch.started_at,
        )
        matches = _matches(await transaction.enabled_rules(), facts, evidence, self.timezone)
        if not matches:
            return 0
        keys = [dedup_key(rule, facts, found.object_type) for rule, found in matches]
        await transaction.lock_dedup_keys(keys)
        policy = await transaction.notification_policy(self.timezone)
        raised = 0
        for (rule, found), key in zip(matches, keys, strict=True):
            deliveries = self._deliveries(rule, facts, policy, now)
            if await _cools_down(transaction, rule, key, deliveries, now):
                ALERTS.labels("held_back").inc()
                continue
            await transaction.raise_alert(
                event_id,
                rule,
                key,
                {"rule_name": rule.name, "matched_conditions": found.matched_conditions},
                assessment.summary,
                deliveries,
                now,
            )
            raised += 1
            count_suppressed(deliveries)
        return raised

    def _deliveries(
        self, rule: AlertRule, facts: EventFacts, policy: NotificationPolicy, now: datetime
    ) -> list[NewDelivery]:
        """One row a channel and recipient, sent or not: a channel without anyone is told as such, never passed over."""
        because = suppressed(policy, facts, now, rule.severity)
        rows = []
        for channel in dict.fromkeys(rule.channels):
            recipients = self.recipients(channel)
            rows += [NewDelivery(channel=channel, recipient=to, suppressed_because=because) for to in recipients]
            if not recipients:
                rows.append(NewDelivery(channel=channel, recipient=NOBODY, suppressed_because=self.why_not(channel)))
        return rows


def count_suppressed(deliveries: Sequence[NewDelivery]) -> None:
    for delivery in deliveries:
        if delivery.suppressed_because is not None:
            DELIVERIES.labels(delivery.channel.value, "suppressed").inc()


def _matches(
    rules: Sequence[AlertRule], facts: EventFacts, evidence: Evidence, timezone: str
) -> list[tuple[AlertRule, Match]]:
    detections = [
        RuleDetection(
            object_type=detection.object_type,
            confidence=detection.confidence,
            bbox=detection.bbox,
            picture_width=detection.picture_width,
            picture_height=detection.picture_height,
        )
        for detection in evidence.detections
    ]
    verdicts = [(rule, match(rule, facts, detections, timezone)) for rule in rules]
    return [(rule, verdict) for rule, verdict in verdicts if isinstance(verdict, Match)]


async def _cools_down(
    transaction: EventTransaction, rule: AlertRule, key: str, deliveries: Sequence[NewDelivery], now: datetime
) -> bool:
    if rule.cooldown_seconds == 0:
        return False
    past = await transaction.past_alerts(key, now - timedelta(seconds=rule.cooldown_seconds))
    would_be_sent = any(delivery.suppressed_because is None for delivery in deliveries)
    return in_cooldown(last_relevant(past, rule.severity, would_be_sent), rule.cooldown_seconds, now)
