"""Which pictures of a camera belong together: when its batch is added to, closed, and a new one opened.

Two clocks decide. By ours, a batch is open for its window (90 s) at most and until nothing new came for the idle time
(30 s). By the camera's, a batch spans no more than its window and no pause longer than the idle time: so a backlog of
hours that is worked off in a minute still becomes the events that it was.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import Field

from domain.labels import expand, normalised
from schemas.batch import CloseReason, OpenBatch
from schemas.frozen import Frozen
from schemas.runtime_config import RuntimeConfig


class BatchPolicy(Frozen):
    window: timedelta = timedelta(seconds=90)
    idle: timedelta = timedelta(seconds=30)
    most_detections: int = Field(default=500, ge=1)
    urgent_classes: frozenset[str] = frozenset()
    """Normalised names; a batch that holds one of these closes at once."""

    @classmethod
    def of(cls, config: RuntimeConfig) -> "BatchPolicy":
        return cls(
            window=timedelta(seconds=config.batch_window_seconds),
            idle=timedelta(seconds=config.batch_idle_timeout_seconds),
            urgent_classes=expand(config.urgent_classes),
        )


class DueBatch(NamedTuple):
    """A batch to close, and why."""

    batch: OpenBatch
    reason: CloseReason


@dataclass(frozen=True, slots=True)
class Placement:
    """What one file's detections do to their camera's batch: three steps, of which the middle one always happens."""

    close_before: DueBatch | None
    """First close this batch: the file does not belong to it any more."""
    batch: OpenBatch
    """Then store this batch, the file's detections included ..."""
    opened: bool
    """... as a new one if true, else as the new state of the one that is open."""
    close_after: CloseReason | None
    """Last, close it again at once."""


class OpenBatches:
    """The aggregator's memory: the open batch of every camera.

    A placement or a due batch counts as carried out. When its transaction fails instead, `load` the rows again.
    """

    def __init__(self, policy: BatchPolicy, new_id: Callable[[], str], rows: Iterable[OpenBatch] = ()) -> None:
        self.policy = policy
        """May be replaced at any time; batches that are open follow the new one."""
        self._new_id = new_id
        self._open: dict[str, OpenBatch] = {}
        self.load(rows)

    def load(self, rows: Iterable[OpenBatch]) -> None:
        """Forget everything; these are the open batches."""
        self._open = {row.camera_id: row for row in rows}

    def __len__(self) -> int:
        return len(self._open)

    def all(self) -> tuple[OpenBatch, ...]:
        return tuple(self._open.values())

    def place(
        self,
        camera_id: str,
        captured_at: datetime,
        count: int,
        now: datetime,
        object_types: Collection[str] = (),
        captured_until: datetime | None = None,
    ) -> Placement:
        """Where the `count` detections of one picture belong, or of one clip that ends at `captured_until`.

        A file's detections stay together: a batch never holds more than the policy's most unless one file alone does.
        """
        if count < 1:
            raise ValueError("a file without detections belongs to no batch")
        until = max(captured_at, captured_until or captured_at)
        batch = self._open.get(camera_id)
        reason = batch and self._refusal(batch, captured_at, count, now)
        close_before = DueBatch(batch, reason) if batch and reason else None
        opened = batch is None or reason is not None
        if batch is None or reason is not None:
            batch = OpenBatch(
                id=self._new_id(),
                camera_id=camera_id,
                started_at=captured_at,
                ended_at=until,
                opened_at=now,
                last_activity_at=now,
                detection_count=count,
            )
        else:
            batch = batch.model_copy(
                update={
                    "started_at": min(batch.started_at, captured_at),
                    "ended_at": max(batch.ended_at, until),
                    "last_activity_at": now,
                    "detection_count": batch.detection_count + count,
                }
            )
        close_after = self._fullness(batch, object_types)
        if close_after is None:
            self._open[camera_id] = batch
        else:
            self._open.pop(camera_id, None)
        return Placement(close_before, batch, opened, close_after)

    def take_due(self, now: datetime) -> list[DueBatch]:
        """The batches whose time is over by our clock; no longer kept here."""
        due = [DueBatch(batch, reason) for batch in self._open.values() if (reason := self._overdue(batch, now))]
        for batch, _ in due:
            del self._open[batch.camera_id]
        return due

    def next_due(self) -> datetime | None:
        """When the next batch will be due by our clock if nothing more comes; None when none is open."""
        return min((self._due_at(batch)[0] for batch in self._open.values()), default=None)

    def _due_at(self, batch: OpenBatch) -> tuple[datetime, CloseReason]:
        window, idle = batch.opened_at + self.policy.window, batch.last_activity_at + self.policy.idle
        return (window, CloseReason.WINDOW) if window <= idle else (idle, CloseReason.IDLE)

    def _overdue(self, batch: OpenBatch, now: datetime) -> CloseReason | None:
        due, reason = self._due_at(batch)
        if now >= due:
            return reason
        if now < batch.last_activity_at - self.policy.idle:
            return CloseReason.IDLE  # our clock was set back: by the row's time it would stay open until then
        return None

    def _refusal(self, batch: OpenBatch, captured_at: datetime, count: int, now: datetime) -> CloseReason | None:
        """Why a file cannot join the batch."""
        if reason := self._overdue(batch, now):
            return reason
        window, idle = self.policy.window, self.policy.idle
        too_late = captured_at > batch.started_at + window or captured_at > batch.ended_at + idle
        # An older picture moves the start back, and must not stretch the batch beyond its window either.
        too_early = captured_at < batch.started_at - idle or captured_at < min(
            batch.started_at, batch.ended_at - window
        )
        if too_late or too_early:
            return CloseReason.GAP
        return CloseReason.SIZE if batch.detection_count + count > self.policy.most_detections else None

    def _fullness(self, batch: OpenBatch, object_types: Collection[str]) -> CloseReason | None:
        urgent = self.policy.urgent_classes
        if urgent and not urgent.isdisjoint(map(normalised, object_types)):
            return CloseReason.URGENT
        return CloseReason.SIZE if batch.detection_count >= self.policy.most_detections else None
