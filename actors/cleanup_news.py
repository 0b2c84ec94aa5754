"""What the live views hear of a clean-up: that it began, how far it is, which events are gone, how it ended."""

from collections.abc import Sequence
from typing import Any

from actors.job_frames import job_completed, job_failed, job_progress, job_started
from domain.clock import Clock
from schemas.frame import NewFrame
from schemas.frame_types import EventDeleted, frame
from storage.cleanup_runs import Run
from storage.live_bus import LiveBus

MOST_EVENTS_TOLD = 500
"""Half of what the channel keeps: more would push out what a client that was away still has to hear."""
_PROGRESS_EVERY_SECONDS = 1.0


class CleanupNews:
    """Of one run. Redis being away costs the frames and nothing else."""

    def __init__(self, live: LiveBus, clock: Clock, run: Run) -> None:
        self._live = live
        self._clock = clock
        self._id = str(run.id)
        self._told_events = 0
        self._told_at = float("-inf")
        self._progress = -1
        self.expected_rows = 0
        """How many rows the run will go through, roughly; 0 when nobody has counted."""
        self._run = run

    async def started(self) -> None:
        await self._send(job_started(self._id, self._run.job.value, self._run.started_at))

    async def passed(self, rows: int, event_ids: Sequence[int]) -> None:
        """`rows` in all so far; these events are gone since the last call."""
        told = event_ids[: MOST_EVENTS_TOLD - self._told_events]
        self._told_events += len(told)
        await self._send(*(_event_deleted(event_id) for event_id in told), *self._how_far(rows))

    async def completed(self, result: dict[str, Any]) -> None:
        await self._send(job_completed(self._id, self._clock.now(), result))

    async def failed(self, error: str, retryable: bool) -> None:
        await self._send(job_failed(self._id, self._clock.now(), error, retryable))

    def _how_far(self, rows: int) -> tuple[NewFrame, ...]:
        """At most one frame a second, none that says what the one before said, and 100 only at the end."""
        now = self._clock.monotonic()
        progress = min(rows * 100 // self.expected_rows, 99) if self.expected_rows else 0
        if progress == self._progress or now - self._told_at < _PROGRESS_EVERY_SECONDS:
            return ()
        self._progress, self._told_at = progress, now
        return (job_progress(self._id, progress, f"{rows} rows gone through"),)

    async def _send(self, *frames: NewFrame) -> None:
        await self._live.publish(frames, self._clock.now())


def _event_deleted(event_id: int) -> NewFrame:
    return frame(EventDeleted(id=event_id, reason="retention"))
