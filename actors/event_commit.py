"""One transaction for each event: a batch becomes one with its alerts, or a provisional one gets the model's answer."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from actors.alerting import Alerting, Before, RaisedAlerts
from actors.metrics import ALERTS, EVENTS
from domain.clock import Clock
from domain.severity import level
from schemas.assessment import Assessment, AssessmentStanding, Evidence
from schemas.frame import NewFrame
from schemas.reassessment import ClaimedReassessment
from schemas.runtime_config import RuntimeConfig
from schemas.why import Why
from storage.assessments import Assessments
from storage.doorbells import Doorbells
from storage.live_bus import LiveBus


@dataclass(frozen=True)
class EventCommit:
    """Writes it, then tells whoever watches and rings for the alerts."""

    assessments: Assessments
    alerting: Alerting
    live: LiveBus
    doorbells: Doorbells
    clock: Clock
    timezone: str

    async def store(self, evidence: Evidence, assessment: Assessment, config: RuntimeConfig) -> None:
        """The batch's event; of a provisional one also the row by which it is assessed again. Raises LeaseLost."""
        batch = evidence.batch
        severity = level(assessment.risk_score, config.severity)
        local = batch.started_at.astimezone(ZoneInfo(self.timezone))
        async with self.assessments.begin(batch) as transaction:
            event_id = await transaction.store_event(evidence, assessment, severity, why(evidence, assessment, config))
            if assessment.standing is AssessmentStanding.PROVISIONAL:
                await transaction.queue_reassessment(event_id, assessment.risk_score)
            await transaction.count_appearances(
                batch.camera_id,
                sorted({detection.object_type for detection in evidence.detections}),
                local.weekday(),
                local.hour,
                batch.started_at,
                config.anomaly_decay_factor,
            )
            alerts = await self.alerting.raise_alerts(
                transaction, event_id, evidence, assessment, severity, self.clock.now()
            )
            await transaction.note_rules(event_id, alerts.verdicts)
        EVENTS.labels(severity.value, assessment.standing.value).inc()
        await self._tell(alerts, transaction.news)

    async def revise(
        self, claimed: ClaimedReassessment, evidence: Evidence, assessment: Assessment, config: RuntimeConfig
    ) -> bool:
        """The model's assessment in the provisional one's place; False when there is nothing left to revise.

        Rules are evaluated again, and one that has raised an alert for this event raises no second one.
        Raises LeaseLost.
        """
        severity = level(assessment.risk_score, config.severity)
        async with self.assessments.begin_revision(claimed) as revision:
            if revision is None:
                return False
            now = self.clock.now()
            await revision.revise_event(assessment, severity, why(evidence, assessment, config), now)
            alerts = await self.alerting.raise_alerts(
                revision,
                claimed.event_id,
                evidence,
                assessment,
                severity,
                now,
                Before(revision.stored_at, claimed.risk_level, claimed.risk_score),
            )
            await revision.note_rules(claimed.event_id, alerts.verdicts)
        await self._tell(alerts, revision.news)
        return True

    async def _tell(self, alerts: RaisedAlerts, news: list[NewFrame]) -> None:
        ALERTS.labels("raised").inc(alerts.count)
        if alerts.count or alerts.sent_after_all:
            await self.doorbells.ring("deliveries")
        await self.live.publish(news, self.clock.now())


def why(evidence: Evidence, assessment: Assessment, config: RuntimeConfig) -> Why:
    """What the score was made from, kept with the event."""
    return Why(
        factors=assessment.factors,
        unusual=evidence.unusual,
        severity_bands=config.severity,
        timezone=evidence.timezone,
        because=assessment.because,
        model=assessment.trace,
    )
