"""A dead letter: a row that was tried and failed for good, until a person has it tried again or puts it aside.

dead ──requeue──▶ queued, untried, due now ──▶ …as any other row
  │      └── a file whose bytes came again meanwhile ──▶ duplicate
  └──clear──▶ dead and put aside: kept as history, never tried again
"""

from enum import StrEnum

from schemas.alert_rule import Channel
from schemas.frozen import Frozen, UtcTime
from schemas.media import MediaType


class DeadQueue(StrEnum):
    DETECTION = "detection_queue"
    """Files that could not be looked at."""
    ANALYSIS = "analysis_queue"
    """Batches that could not be assessed."""
    NOTIFICATION = "notification_queue"
    """Deliveries that could not be sent."""


class DeadLetter(Frozen):
    id: str
    """The row's own id: a media, batch or delivery."""
    queue: DeadQueue
    reason: str | None
    """Why it died."""
    attempts: int
    queued_at: UtcTime
    """When it first came into its queue."""
    failed_at: UtcTime | None
    """When it died; null for one that died before that was written down."""
    camera_id: str
    file_path: str | None = None
    """Of a file."""
    media_type: MediaType | None = None
    """Of a file."""
    started_at: UtcTime | None = None
    """Of a batch: when its first picture was taken."""
    detection_count: int | None = None
    """Of a batch."""
    alert_id: str | None = None
    """Of a delivery."""
    channel: Channel | None = None
    """Of a delivery."""
    recipient: str | None = None
    """Of a delivery, as its alert's list of deliveries shows it."""


class DeadLetterCounts(Frozen):
    detection_queue_count: int
    analysis_queue_count: int
    notification_queue_count: int
    total_count: int


class Requeued(Frozen):
    """What a requeue did."""

    queue: DeadQueue
    requeued: int
    """How many are tried again."""
    duplicates: int
    """Files that left the queue because the same bytes are looked at, or were, as another file."""
    ids: tuple[str, ...]
    """Of those that are tried again, the first 1,000."""


class Cleared(Frozen):
    queue: DeadQueue
    cleared: int
    """How many were put aside."""
