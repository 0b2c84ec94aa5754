"""Sends what stands in the outbox, keeps the receipts, tries again, buries what cannot be sent.

When it dies nothing is lost: its rows come back to its successor, and a message that had gone out already carries the
same idempotency key again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from actors.claim_scope import ClaimScope, settle_all
from actors.evidence_picture import drawn_picture
from actors.metrics import DELIVERIES
from actors.work_loop import WorkLoop
from domain import retry
from domain.clock import Clock
from notify.message import AlertMessage
from notify.outcome import Channel, Delivered, Failed
from schemas.alert_rule import Channel as Way
from schemas.delivery import ClaimedDelivery
from schemas.service import Health
from storage.deliveries import AlertContext, Deliveries
from storage.errors import StoreUnavailable
from storage.live_bus import LiveBus
from storage.log_context import camera_id

logger = logging.getLogger(__name__)

LEASE_SECONDS = 120.0
DELIVERIES_A_CLAIM = 16


@dataclass(frozen=True)
class DispatcherTools:
    """What the dispatcher works with, opened in its own process."""

    deliveries: Deliveries
    channels: dict[str, Channel]
    why_not: Callable[[str], str | None]
    live: LiveBus
    wait: Callable[[float], Awaitable[object]]
    clock: Clock
    random: Callable[[], float]
    timezone: str


class AlertDispatcher:
    """`delivery: queued → sending → delivered · dead`."""

    def __init__(self, name: str, connect: Callable[[], Awaitable[DispatcherTools]]) -> None:
        self._name = name
        self._connect = connect
        self._tools: DispatcherTools | None = None
        # A loop a channel: a mail server that hangs holds up no webhook.
        self._loops = [
            WorkLoop(f"{name}/{way}", partial(self._work, ClaimScope(f"{name}-{way}"), way), self._wait) for way in Way
        ]
        self._opening = asyncio.Lock()
        self._delivered = 0
        self._failed = 0

    async def start(self) -> None:
        for loop in self._loops:
            loop.start()

    async def stop(self) -> None:
        await asyncio.gather(*(loop.stop() for loop in self._loops))

    async def health(self) -> Health:
        detail = {"delivered": self._delivered, "failed_tries": self._failed}
        worst = min((loop.health() for loop in self._loops), key=lambda health: health.healthy)
        return worst.model_copy(update={"detail": detail})

    async def _wait(self, seconds: float) -> None:
        await (self._tools.wait(seconds) if self._tools else asyncio.sleep(seconds))

    async def _work(self, scope: ClaimScope, way: Way) -> bool:
        """One claim of one channel's deliveries, sent side by side."""
        async with self._opening:
            if self._tools is None:
                self._tools = await self._connect()
        async with scope.claim(self._tools.deliveries.release):
            return await self._claim(self._tools, scope.owner, way)

    async def _claim(self, tools: DispatcherTools, owner: str, way: Way) -> bool:
        claimed = await tools.deliveries.claim(owner, way, DELIVERIES_A_CLAIM, LEASE_SECONDS, retry.DELIVERIES.tries)
        if not claimed:
            await tools.deliveries.bury_exhausted(retry.DELIVERIES.tries)
            return False
        await settle_all(self._settle(tools, delivery) for delivery in claimed)
        return True

    async def _settle(self, tools: DispatcherTools, delivery: ClaimedDelivery) -> None:
        try:
            outcome = await self._send(tools, delivery)
        except StoreUnavailable:
            raise
        except Exception as error:
            logger.exception("delivery %s", delivery.id)
            outcome = Failed(f"{type(error).__name__} while it was sent", permanent=False)
        if isinstance(outcome, Delivered):
            self._delivered += 1
            DELIVERIES.labels(delivery.channel, "delivered").inc()
            news = await tools.deliveries.delivered(delivery, outcome.receipt, tools.clock.now())
            await tools.live.publish(news, tools.clock.now())
            return
        self._failed += 1
        retry_in = _retry_in(delivery, outcome, tools.random())
        DELIVERIES.labels(delivery.channel, "dead" if retry_in is None else "failed").inc()
        if retry_in is None:
            logger.error("delivery %s by %s is dead: %s", delivery.id, delivery.channel, outcome.reason)
        await tools.deliveries.fail(delivery, outcome.reason, retry_in)

    async def _send(self, tools: DispatcherTools, delivery: ClaimedDelivery) -> Delivered | Failed:
        channel = tools.channels.get(delivery.channel)
        if channel is None:
            return Failed(tools.why_not(delivery.channel) or "this channel does not exist", permanent=True)
        context = await tools.deliveries.context(delivery.alert_id)
        camera_id.set(context.event.camera_id)  # for the log; each delivery is a task of its own
        picture = None
        if context.picture is not None and delivery.channel != "webhook":
            picture = await asyncio.to_thread(drawn_picture, context.picture)
        return await channel.send(delivery.recipient, message(delivery, context, picture, tools.timezone))


def _retry_in(delivery: ClaimedDelivery, failed: Failed, random: float) -> float | None:
    """Seconds until the next try; None when there is none."""
    if failed.permanent:
        return None
    decision = retry.next_try(retry.DELIVERIES, delivery.attempts, random, failed.retry_after_seconds)
    return decision.seconds if isinstance(decision, retry.RetryIn) else None


def message(delivery: ClaimedDelivery, context: AlertContext, picture: bytes | None, timezone: str) -> AlertMessage:
    """What the channel is given."""
    alert, event = context.alert, context.event
    return AlertMessage(
        idempotency_key=delivery.idempotency_key,
        alert_id=alert.id,
        severity=alert.severity,
        status=alert.status,
        created_at=alert.created_at,
        event_id=event.id,
        started_at=event.started_at,
        risk_score=event.risk_score,
        risk_level=event.risk_level,
        summary=event.summary,
        reasoning=event.reasoning,
        object_types=event.object_types,
        assessment=event.assessment.value,
        assessed_by=event.assessed_by,
        camera_id=event.camera_id,
        camera_name=context.camera_name,
        rule_id=alert.rule_id,
        rule_name=alert.metadata.get("rule_name", ""),
        matched_conditions=alert.metadata.get("matched_conditions", {}),
        timezone=timezone,
        picture=picture,
    )
