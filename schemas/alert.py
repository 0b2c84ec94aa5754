"""An alert: a rule that matched an event.

pending ──▶ delivered ──▶ acknowledged ──▶ dismissed      (forward only; compare-and-set)
"""

from enum import StrEnum
from typing import Any
from uuid import UUID

from schemas.alert_rule import Channel
from schemas.frozen import Frozen, UtcTime
from schemas.severity import Severity


class AlertStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    ACKNOWLEDGED = "acknowledged"
    DISMISSED = "dismissed"


class Alert(Frozen):
    id: UUID
    event_id: int
    rule_id: UUID | None
    """Null once the rule has been deleted; its name stays in `metadata`."""
    severity: Severity
    status: AlertStatus
    dedup_key: str
    channels: tuple[Channel, ...]
    created_at: UtcTime
    delivered_at: UtcTime | None
    acknowledged_at: UtcTime | None
    dismissed_at: UtcTime | None
    metadata: dict[str, Any]
    """`rule_name` and `matched_conditions`."""
