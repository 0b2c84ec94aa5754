"""A delivery: one alert on its way to one recipient through one channel; the outbox's row.

queued ──claim──▶ sending ──receipt──▶ delivered
  ▲                 │ temporary failure, back-off
  └─────────────────┤
                    └──permanent, or the last try──▶ dead
suppressed: decided when the event was stored, with the reason
"""

from enum import StrEnum
from uuid import UUID

from schemas.alert_rule import Channel
from schemas.frozen import Frozen, UtcTime


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    SUPPRESSED = "suppressed"
    DEAD = "dead"


class NewDelivery(Frozen):
    """Written in the event's own transaction."""

    channel: Channel
    recipient: str
    suppressed_because: str | None = None


class ClaimedDelivery(Frozen):
    id: UUID
    alert_id: UUID
    channel: Channel
    recipient: str
    attempts: int
    lease: str
    idempotency_key: str


class Delivery(Frozen):
    id: UUID
    alert_id: UUID
    channel: Channel
    recipient: str
    status: DeliveryStatus
    attempts: int
    error: str | None
    """The last failure, without credentials."""
    suppressed_because: str | None
    receipt: str | None
    """What the receiving server answered."""
    queued_at: UtcTime
    delivered_at: UtcTime | None
