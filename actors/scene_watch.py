"""Watches each camera's view beside detection: never waited for, never failing it.

    look(pictures) ──one a second and camera──▶ at most 128 waiting ──▶ compared in a thread ──▶ row, frame

When its process dies, at most the pictures of the last minute are forgotten: a change is noticed by the next ones.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from domain.clock import Clock
from domain.scene_change import Look, SceneDecision, ScenePolicy, SceneState, judge
from schemas.scene_change import NewSceneChange, SceneReference
from storage.live_bus import LiveBus
from storage.scene_changes import SceneChanges
from vision.scene import Thumbnail, View, from_bytes, is_blind, learn, similarity, thumbnail, to_bytes

logger = logging.getLogger(__name__)

MOST_WAITING = 128
LEAST_APART = timedelta(seconds=1)
"""Pictures of one camera that come faster tell nothing new of its view."""
SAVE_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture of a camera."""

    camera_id: str
    media_id: int
    at: datetime
    pixels: npt.NDArray[np.uint8]
    """H×W×3 uint8 BGR."""


@dataclass(slots=True)
class _Memory:
    """What is known of one camera."""

    state: SceneState
    view: View | None
    version: int
    saved_at: float
    doubted: Thumbnail | None = None
    """The picture with which the doubt began."""
    unsaved: bool = False


class SceneWatch:
    """One a detection worker; several agree through the rows."""

    def __init__(self, rows: SceneChanges, live: LiveBus, clock: Clock, policy: ScenePolicy | None = None) -> None:
        self.failures = 0
        """Rounds that ended with an error; detection does not notice."""
        self.dropped = 0
        """Pictures that were not compared, because too many waited."""
        self._rows = rows
        self._live = live
        self._clock = clock
        self._policy = policy or ScenePolicy()
        self._cameras: dict[str, _Memory] = {}
        self._taken: dict[str, datetime] = {}
        self._waiting: deque[Seen] = deque()
        self._working: asyncio.Task[None] | None = None

    def look(self, pictures: Sequence[Seen]) -> None:
        """Takes note and returns at once."""
        for seen in sorted(pictures, key=lambda seen: seen.at):
            before = self._taken.get(seen.camera_id)
            if before is not None and seen.at - before < LEAST_APART:
                continue
            if len(self._waiting) >= MOST_WAITING:
                self.dropped += 1
                continue
            self._taken[seen.camera_id] = seen.at
            self._waiting.append(seen)
        if self._waiting and (self._working is None or self._working.done()):
            self._working = asyncio.create_task(self._work(), name="scene-watch")

    async def finished(self) -> None:
        """Returns once nothing waits any more."""
        while self._working is not None and not self._working.done():
            await asyncio.wait([self._working])

    async def stop(self) -> None:
        """What still waits is let go."""
        self._waiting.clear()
        if self._working is not None:
            self._working.cancel()
            with suppress(asyncio.CancelledError):
                await self._working

    async def _work(self) -> None:
        while self._waiting:
            pictures = [self._waiting.popleft() for _ in range(len(self._waiting))]
            try:
                await self._round(pictures)
            except Exception as error:  # whatever it is, the next pictures are looked at, from what the rows say
                self.failures += 1
                self._forget({seen.camera_id for seen in pictures})
                logger.warning("the views of %d picture(s) were not compared: %s", len(pictures), error)

    async def _round(self, pictures: Sequence[Seen]) -> None:
        await self._recall({seen.camera_id for seen in pictures})
        changes = await asyncio.to_thread(self._compare, sorted(pictures, key=lambda seen: seen.at))
        for change, reference in changes:
            told = await self._rows.record(change, reference)
            if told is None:
                self._forget({change.camera_id})
                continue
            logger.warning(
                "camera %s: %s (similarity %.2f)", change.camera_id, change.change_type, change.similarity_score
            )
            await self._live.publish([told], self._clock.now())
        await self._save()

    async def _recall(self, camera_ids: set[str]) -> None:
        unknown = camera_ids - self._cameras.keys()
        if not unknown:
            return
        stored = await self._rows.references(unknown)
        now = self._clock.monotonic()
        for camera_id in unknown:
            self._cameras[camera_id] = _remembered(stored.get(camera_id), now)

    def _forget(self, camera_ids: set[str]) -> None:
        for camera_id in camera_ids:
            self._cameras.pop(camera_id, None)

    def _compare(self, pictures: Sequence[Seen]) -> list[tuple[NewSceneChange, SceneReference]]:
        """The changes, oldest first, each with the usual view from then on."""
        changes: list[tuple[NewSceneChange, SceneReference]] = []
        for seen in pictures:
            memory = self._cameras[seen.camera_id]
            small = thumbnail(seen.pixels)
            likeness = 0.0 if memory.view is None else similarity(memory.view, small)
            decision = self._judged(memory, seen.at, small, likeness)
            self._remember(memory, small, decision)
            if decision.change is not None:
                change = NewSceneChange(
                    camera_id=seen.camera_id,
                    detected_at=seen.at,
                    change_type=decision.change,
                    similarity_score=round(likeness, 4),
                    media_id=seen.media_id,
                )
                changes.append((change, self._next_version(seen.camera_id, memory)))
        return changes

    def _judged(self, memory: _Memory, at: datetime, small: Thumbnail, likeness: float) -> SceneDecision:
        steadiness = 0.0
        if memory.doubted is not None and likeness < self._policy.unlike_below:
            steadiness = similarity(memory.doubted, small)
        return judge(memory.state, Look(at, is_blind(small), likeness, steadiness), self._policy)

    def _remember(self, memory: _Memory, small: Thumbnail, decision: SceneDecision) -> None:
        memory.state = decision.state
        if decision.doubt_begins:
            memory.doubted = small
        elif decision.state.doubt is None:
            memory.doubted = None
        if decision.learn:
            before = np.asarray(small, np.float32) if memory.view is None else memory.view
            memory.view = learn(before, small, decision.learn)
            memory.unsaved = True

    async def _save(self) -> None:
        """Stores what was learnt, a camera once a minute at most; the first view of a camera at once."""
        now = self._clock.monotonic()
        due = [
            self._next_version(camera_id, memory)
            for camera_id, memory in self._cameras.items()
            if memory.unsaved and (memory.version == 0 or now - memory.saved_at >= SAVE_EVERY_SECONDS)
        ]
        if due:
            stored = await self._rows.save(due)
            self._forget({reference.camera_id for reference in due} - stored)

    def _next_version(self, camera_id: str, memory: _Memory) -> SceneReference:
        """What is known now, to be stored as the version that follows."""
        state = memory.state
        assert memory.view is not None
        assert state.last_at is not None
        memory.version += 1
        memory.saved_at, memory.unsaved = self._clock.monotonic(), False
        return SceneReference(
            camera_id=camera_id,
            view=to_bytes(memory.view),
            frames=state.frames,
            covered=state.covered,
            learnt_at=state.learnt_at or state.last_at,
            last_at=state.last_at,
            version=memory.version,
        )


def _remembered(stored: SceneReference | None, now: float) -> _Memory:
    view = None if stored is None else from_bytes(stored.view)
    if stored is None or view is None:
        return _Memory(SceneState(), None, 0 if stored is None else stored.version, now)
    state = SceneState(stored.frames, stored.covered, stored.learnt_at, stored.last_at)
    return _Memory(state, view, stored.version, now)
