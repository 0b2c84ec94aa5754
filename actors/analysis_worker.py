"""Turns closed batches into events: gathers the evidence, has it assessed, and stores the event with its alerts.

When it dies nothing is lost: the batch comes back when its lease ends or its successor starts, and an event is
written together with its batch's last step, so there is never a second one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from actors.alerting import Alerting
from actors.claim_scope import ClaimScope, settle_all
from actors.metrics import ALERTS, EVENTS
from actors.ports import AssessorPort
from actors.work_loop import WorkLoop
from domain import retry
from domain.baseline import unusualness
from domain.clock import Clock
from domain.severity import level
from schemas.assessment import Assessment, Evidence
from schemas.batch import ClaimedBatch
from schemas.runtime_config import RuntimeConfig
from schemas.service import Health
from storage.assessments import Assessments
from storage.baselines import Baselines
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.doorbells import Doorbells
from storage.errors import LeaseLost, StoreUnavailable
from storage.live_bus import LiveBus
from storage.log_context import camera_id

logger = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
BATCHES_A_CLAIM = 4


@dataclass(frozen=True)
class AnalysisTools:
    """What the worker works with, opened in its own process."""

    batches: Batches
    baselines: Baselines
    assessments: Assessments
    configs: RuntimeConfigs
    assessor: AssessorPort
    alerting: Alerting
    live: LiveBus
    doorbells: Doorbells
    wait: Callable[[float], Awaitable[object]]
    clock: Clock
    random: Callable[[], float]
    timezone: str


class AnalysisWorker:
    """`batch: closed → assessing → assessed`, and in the same commit the event, its alerts and their outbox rows."""

    def __init__(self, name: str, connect: Callable[[], Awaitable[AnalysisTools]]) -> None:
        self._name = name
        self._connect = connect
        self._tools: AnalysisTools | None = None
        self._loop = WorkLoop(name, self._work, self._wait)
        self._done = 0
        self._scope = ClaimScope(name)

    async def start(self) -> None:
        self._loop.start()

    async def stop(self) -> None:
        await self._loop.stop()

    async def health(self) -> Health:
        return self._loop.health().model_copy(update={"detail": {"events_stored": self._done}})

    async def _wait(self, seconds: float) -> None:
        await (self._tools.wait(seconds) if self._tools else asyncio.sleep(seconds))

    async def _work(self) -> bool:
        """One claim: each closed batch becomes an event. Answers whether there was any."""
        if self._tools is None:
            self._tools = await self._connect()
        tools = self._tools
        async with self._scope.claim(tools.batches.release):
            return await self._claim(tools)

    async def _claim(self, tools: AnalysisTools) -> bool:
        batches = await tools.batches.claim(self._name, BATCHES_A_CLAIM, LEASE_SECONDS, retry.BATCHES.tries)
        if not batches:
            await tools.batches.bury_exhausted(retry.BATCHES.tries)
            return False
        config = await tools.configs.current()
        await settle_all(self._settle(tools, batch, config) for batch in batches)
        return True

    async def _settle(self, tools: AnalysisTools, batch: ClaimedBatch, config: RuntimeConfig) -> None:
        camera_id.set(batch.camera_id)  # for the log; each batch is settled in a task of its own
        try:
            evidence = await self._evidence(tools, batch, config)
            assessment = await tools.assessor.assess(evidence, config)
            await self._store(tools, evidence, assessment, config)
            self._done += 1
        except LeaseLost as error:
            logger.warning("%s; whoever holds it stores the event", error)
        except StoreUnavailable:
            raise  # the batch is not to blame: it is let go of, and claimed again
        except Exception as error:
            decision = retry.next_try(retry.BATCHES, batch.attempts, tools.random())
            retry_in = decision.seconds if isinstance(decision, retry.RetryIn) else None
            logger.exception("batch %s of %s was not assessed", batch.id, batch.camera_id)
            await tools.batches.fail(batch, f"{type(error).__name__}: {error}", retry_in)

    async def _evidence(self, tools: AnalysisTools, batch: ClaimedBatch, config: RuntimeConfig) -> Evidence:
        """The batch's rows, and how unusual they are for this camera at this hour."""
        detections = await tools.batches.detections(batch.id)
        local = batch.started_at.astimezone(ZoneInfo(tools.timezone))
        hour_began = local.replace(minute=0, second=0, microsecond=0)
        baseline = await tools.baselines.slot(batch.camera_id, local.weekday(), local.hour, hour_began)
        return Evidence(
            batch=batch,
            detections=detections,
            unusual=unusualness(
                baseline, {d.object_type for d in detections}, batch.started_at, config, tools.timezone
            ),
            timezone=tools.timezone,
        )

    async def _store(
        self, tools: AnalysisTools, evidence: Evidence, assessment: Assessment, config: RuntimeConfig
    ) -> None:
        batch = evidence.batch
        severity = level(assessment.risk_score, config.severity)
        local = batch.started_at.astimezone(ZoneInfo(tools.timezone))
        async with tools.assessments.begin(batch) as transaction:
            event_id = await transaction.store_event(evidence, assessment, severity, why(evidence, assessment, config))
            await transaction.count_appearances(
                batch.camera_id,
                sorted({detection.object_type for detection in evidence.detections}),
                local.weekday(),
                local.hour,
                batch.started_at,
                config.anomaly_decay_factor,
            )
            alerts = await tools.alerting.raise_alerts(
                transaction, event_id, evidence, assessment, severity, tools.clock.now()
            )
        EVENTS.labels(severity.value, assessment.standing.value).inc()
        ALERTS.labels("raised").inc(alerts)
        if alerts:
            await tools.doorbells.ring("deliveries")
        await tools.live.publish(transaction.news, tools.clock.now())


def why(evidence: Evidence, assessment: Assessment, config: RuntimeConfig) -> dict[str, Any]:
    """What the score was made from, kept with the event."""
    return {
        "factors": [factor.model_dump() for factor in assessment.factors],
        "unusual": [fact.model_dump() for fact in evidence.unusual],
        "severity_bands": config.severity.model_dump(),
        "timezone": evidence.timezone,
    }
