"""Which alerts an event raises and whom each goes to, decided and written inside the transaction that stores it.

An event that is assessed again is looked at by the same rules as they are then. What the household was told about
when it was stored silences a rule as much as what it was told about just now. Its alert of which nobody was told,
for the score that it had then, is sent when the new score is the reason that nothing suppresses it any more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from actors.metrics import ALERTS, DELIVERIES
from actors.rule_verdicts import held_back, no_match, raised, raised_before
from domain.alert_rules import EventFacts, Match, NoMatch, RuleDetection, match
from domain.dedup import dedup_key, in_cooldown, last_relevant
from domain.notification_filter import suppressed
from schemas.alert_rule import AlertRule, Channel
from schemas.assessment import Assessment, Evidence
from schemas.delivery import NewDelivery
from schemas.notification import NotificationPolicy
from schemas.severity import Severity
from schemas.why import RuleOutcome, RuleVerdict
from storage.alerting_transaction import AlertingTransaction

NOBODY = "nobody"
"""The recipient of a delivery through a channel that has none; it is suppressed with that reason."""


@dataclass(frozen=True)
class Before:
    """What an event that is assessed again was when it was stored."""

    stored_at: datetime
    severity: Severity
    risk_score: int


@dataclass(frozen=True)
class RaisedAlerts:
    """What came of an event's rules."""

    count: int
    """How many alerts were raised now."""
    verdicts: tuple[RuleVerdict, ...]
    """What each enabled rule said, in the order in which the rules were made."""
    sent_after_all: int = 0
    """Deliveries of earlier alerts that were suppressed and now wait to be sent."""


@dataclass(frozen=True)
class Alerting:
    """The house's zone, and whom each channel reaches."""

    timezone: str
    recipients: Callable[[Channel], Sequence[str]]
    why_not: Callable[[Channel], str | None]
    """Why a channel reaches nobody, and how to mend that."""

    async def raise_alerts(
        self,
        transaction: AlertingTransaction,
        event_id: int,
        evidence: Evidence,
        assessment: Assessment,
        severity: Severity,
        now: datetime,
        before: Before | None = None,
    ) -> RaisedAlerts:
        """Evaluates every enabled rule; of an event that is assessed again, a rule raises no second alert."""
        facts = EventFacts(
            event_id=event_id,
            camera_id=evidence.batch.camera_id,
            risk_score=assessment.risk_score,
            severity=severity,
            started_at=evidence.batch.started_at,
        )
        answers = _answers(await transaction.enabled_rules(), facts, evidence, self.timezone)
        verdicts = {rule.id: no_match(rule, answer) for rule, answer in answers if isinstance(answer, NoMatch)}
        matches = [(rule, answer) for rule, answer in answers if isinstance(answer, Match)]
        sent_after_all = 0
        if matches:
            as_stored = before or Before(now, severity, assessment.risk_score)
            decided, sent_after_all = await self._decide(
                transaction, facts, assessment.summary, now, as_stored, matches
            )
            verdicts |= decided
        told = tuple(verdicts[rule.id] for rule, _ in answers)
        return RaisedAlerts(sum(verdict.outcome is RuleOutcome.RAISED for verdict in told), told, sent_after_all)

    async def _decide(
        self,
        transaction: AlertingTransaction,
        facts: EventFacts,
        message: str,
        now: datetime,
        before: Before,
        matches: Sequence[tuple[AlertRule, Match]],
    ) -> tuple[dict[UUID, RuleVerdict], int]:
        """Of each rule that matched: whether its alert is raised, under the lock of its key; a cooldown counts from now
        and from when the event was stored. And how many deliveries are sent after all."""
        moments = (now, before.stored_at)
        sent_after_all = 0
        keys = [dedup_key(rule, facts, found.object_type) for rule, found in matches]
        await transaction.lock_dedup_keys(keys)
        policy = await transaction.notification_policy(self.timezone)
        has_alert = await transaction.alerts_of(facts.event_id)
        verdicts = {}
        for (rule, found), key in zip(matches, keys, strict=True):
            if rule.id in has_alert:
                verdicts[rule.id] = raised_before(rule, found)
                wanted = self._sent_after_all(rule, facts, before, policy, now)
                if wanted and await _silenced_by(transaction, rule, key, wanted, moments) is None:
                    sent_after_all += await transaction.queue_suppressed(facts.event_id, rule.id, wanted, now)
                continue
            deliveries = self._deliveries(rule, facts, policy, now)
            last = await _silenced_by(transaction, rule, key, deliveries, moments)
            if last is not None:
                ALERTS.labels("held_back").inc()
                verdicts[rule.id] = held_back(rule, key, last)
                continue
            metadata = {"rule_name": rule.name, "matched_conditions": found.matched_conditions}
            await transaction.raise_alert(facts.event_id, rule, key, metadata, message, deliveries, now)
            verdicts[rule.id] = raised(rule, found, deliveries)
            count_suppressed(deliveries)
        return verdicts, sent_after_all

    def _sent_after_all(
        self, rule: AlertRule, facts: EventFacts, before: Before, policy: NotificationPolicy, now: datetime
    ) -> list[NewDelivery]:
        """What would be sent now and, but for its score, would have been then; that quiet hours ended is no reason."""
        then = replace(facts, risk_score=before.risk_score, severity=before.severity)
        if not any(
            suppressed(policy, then, at, rule.severity) and not suppressed(policy, facts, at, rule.severity)
            for at in (now, before.stored_at)
        ):
            return []
        return [one for one in self._deliveries(rule, facts, policy, now) if one.suppressed_because is None]

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


def _answers(
    rules: Sequence[AlertRule], facts: EventFacts, evidence: Evidence, timezone: str
) -> list[tuple[AlertRule, Match | NoMatch]]:
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
    return [(rule, match(rule, facts, detections, timezone)) for rule in rules]


async def _silenced_by(
    transaction: AlertingTransaction,
    rule: AlertRule,
    key: str,
    deliveries: Sequence[NewDelivery],
    moments: tuple[datetime, datetime],
) -> datetime | None:
    """When the alert was made whose cooldown holds this one back."""
    if rule.cooldown_seconds == 0:
        return None
    past = await transaction.past_alerts(key, min(moments) - timedelta(seconds=rule.cooldown_seconds))
    near = [one for one in past if any(in_cooldown(one.created_at, rule.cooldown_seconds, at) for at in moments)]
    would_be_sent = any(delivery.suppressed_because is None for delivery in deliveries)
    return last_relevant(near, rule.severity, would_be_sent)
