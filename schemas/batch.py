"""A batch: one camera's detections that belong together, and become one event.

open ──window, idle, size, gap, urgent──▶ closed ──claim──▶ assessing ──commit──▶ assessed
                                                                └──after the last try──▶ dead
"""

from enum import StrEnum

from schemas.frozen import Frozen, UtcTime


class BatchState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    ASSESSING = "assessing"
    ASSESSED = "assessed"
    DEAD = "dead"


class CloseReason(StrEnum):
    WINDOW = "window"
    """Its window is over."""
    IDLE = "idle"
    """Nothing new came for the idle time."""
    SIZE = "size"
    """It holds as many detections as a batch may."""
    GAP = "gap"
    """The next picture was taken too long after (or before) it to belong to it."""
    URGENT = "urgent"
    """It holds a class that must not wait."""


class OpenBatch(Frozen):
    """An open batch as the aggregator keeps it."""

    id: str
    camera_id: str
    started_at: UtcTime
    """When its first picture was taken."""
    ended_at: UtcTime
    """When its newest picture was taken."""
    opened_at: UtcTime
    """When it was opened, by our clock."""
    last_activity_at: UtcTime
    """When it was last added to, by our clock."""
    detection_count: int


class ClaimedBatch(Frozen):
    """A closed batch leased to one analysis worker."""

    id: str
    camera_id: str
    camera_name: str
    started_at: UtcTime
    ended_at: UtcTime
    closed_at: UtcTime
    detection_count: int
    attempts: int
    lease: str
    urgent: bool = False
    """Whether it was closed early, for a class that must not wait."""
