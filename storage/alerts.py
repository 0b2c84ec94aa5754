"""Alerts: listed, read, acknowledged and dismissed; and what became of each of their deliveries."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from pydantic import Field

from domain.alert_status import AlertStep, after, allowed_from
from schemas.alert import Alert, AlertStatus
from schemas.delivery import Delivery
from schemas.frame import NewFrame
from schemas.frame_types import AlertAcknowledged, AlertDismissed, AlertResolved, AlertUpdated, frame
from schemas.frozen import Frozen, UtcTime
from schemas.severity import Severity
from storage.changed import Changed
from storage.errors import NotFound
from storage.filters import Filters
from storage.postgres import Pool, store_errors, transaction

_COLUMNS = """id, event_id, rule_id, severity, status, dedup_key, channels, created_at, delivered_at, acknowledged_at,
    dismissed_at, metadata"""
_DELIVERY_COLUMNS = """id, alert_id, channel, recipient, status, attempts, error, suppressed_because, receipt,
    queued_at, delivered_at"""


class AlertFilter(Frozen):
    """Which alerts are listed; conditions that are set must all hold."""

    status: AlertStatus | None = None
    severity: Severity | None = None
    event_id: int | None = Field(default=None, ge=1, le=2**53 - 1)
    rule_id: UUID | None = None
    camera_id: str | None = Field(default=None, max_length=200)
    start_date: UtcTime | None = None
    """Alerts raised then or later."""
    end_date: UtcTime | None = None
    """Alerts raised then or earlier."""


EVERYTHING = AlertFilter()


class Alerts:
    """The table `alerts`, newest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(
        self,
        wanted: AlertFilter = EVERYTHING,
        *,
        before: tuple[datetime, UUID] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Sequence[Alert]:
        """At most `limit`, from the one after (created_at, id) = `before` on."""
        filters = _filters(wanted).before(["created_at", "id"], before)
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM alerts {filters.where} ORDER BY created_at DESC, id DESC "
            f"LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}",
            *filters.arguments,
        )
        return [alert_of(row) for row in rows]

    @store_errors()
    async def get(self, alert_id: UUID) -> Alert:
        """Raises NotFound."""
        row = await self._pool.fetchrow(f"SELECT {_COLUMNS} FROM alerts WHERE id = $1", alert_id)
        if row is None:
            raise _no_alert(alert_id)
        return alert_of(row)

    @store_errors()
    async def deliveries(self, alert_id: UUID) -> Sequence[Delivery]:
        """Every delivery of an alert, each with its receipt or why it was not sent. Raises NotFound."""
        rows = await self._pool.fetch(
            f"SELECT {_DELIVERY_COLUMNS} FROM deliveries WHERE alert_id = $1 "
            "ORDER BY queued_at, channel, recipient, id",
            alert_id,
        )
        if not rows and not await self._pool.fetchval("SELECT true FROM alerts WHERE id = $1", alert_id):
            raise _no_alert(alert_id)
        return [Delivery(**row) for row in rows]

    async def acknowledge(self, alert_id: UUID) -> Changed[Alert]:
        """Raises NotFound, or IllegalAlertStep when its state does not allow it."""
        return await self._step(alert_id, AlertStep.ACKNOWLEDGE, None)

    async def dismiss(self, alert_id: UUID, reason: str | None = None) -> Changed[Alert]:
        """A reason given is kept as `dismissed_because` in the metadata. Raises NotFound or IllegalAlertStep."""
        return await self._step(alert_id, AlertStep.DISMISS, reason)

    @store_errors()
    async def _step(self, alert_id: UUID, step: AlertStep, reason: str | None) -> Changed[Alert]:
        """Compare-and-set under the row's lock: of many at once, one takes the step and the others are told why not."""
        async with transaction(self._pool) as connection:
            was = await connection.fetchval("SELECT status FROM alerts WHERE id = $1 FOR UPDATE", alert_id)
            if was is None:
                raise _no_alert(alert_id)
            status = after(AlertStatus(was), step)
            rows = await connection.fetch(
                f"""
                UPDATE alerts SET status = $2, updated_at = now(), {status.value}_at = now(),
                       metadata = CASE WHEN $3::text IS NULL THEN metadata
                                       ELSE metadata || jsonb_build_object('dismissed_because', $3::text) END
                WHERE id = $1 AND status = ANY($4) RETURNING {_COLUMNS}, updated_at
                """,
                alert_id,
                status.value,
                reason,
                [allowed.value for allowed in allowed_from(step)],
            )
        alert = alert_of(rows[0])
        return Changed(alert, _step_frames(alert, AlertStatus(was), reason, rows[0]["updated_at"]))


def alert_of(row: asyncpg.Record) -> Alert:
    return Alert(**{field: row[field] for field in Alert.model_fields})


def _filters(wanted: AlertFilter) -> Filters:
    filters = Filters().equal("status", wanted.status and wanted.status.value)
    filters.equal("severity", wanted.severity and wanted.severity.value)
    filters.equal("event_id", wanted.event_id).equal("rule_id", wanted.rule_id)
    filters.between("created_at", wanted.start_date, wanted.end_date)
    if wanted.camera_id is not None:
        filters.add("EXISTS (SELECT FROM events e WHERE e.id = event_id AND e.camera_id = {})", wanted.camera_id)
    return filters


def _step_frames(alert: Alert, was: AlertStatus, reason: str | None, at: datetime) -> tuple[NewFrame, ...]:
    """`alert.resolved` is a dismissal of an alert that somebody had taken on: the matter is closed."""
    updated = AlertUpdated(
        id=alert.id,
        event_id=alert.event_id,
        rule_id=alert.rule_id,
        severity=alert.severity,
        status=alert.status,
        updated_at=at,
    )
    frames = [frame(updated)]
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return (*frames, frame(AlertAcknowledged(id=alert.id, event_id=alert.event_id, acknowledged_at=at)))
    frames.append(frame(AlertDismissed(id=alert.id, event_id=alert.event_id, dismissed_at=at, reason=reason)))
    if was is AlertStatus.ACKNOWLEDGED:
        frames.append(frame(AlertResolved(id=alert.id, event_id=alert.event_id, resolved_at=at)))
    return tuple(frames)


def _no_alert(alert_id: UUID) -> NotFound:
    return NotFound(f"there is no alert {alert_id}")
