"""The detector's known question: the picture of vision/self_check_picture.py, and what the model finds in it.

first load ──shipped weights: known from the start; others: asked twice, agreed, kept──▶ known
every 30 s ──asked again──▶ the same: healthy · something else, or no answer: unhealthy, with the difference
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.clock import Clock
from domain.known_answer import difference
from schemas.detection import BoundingBox, DetectedObject

ASK_EVERY_SECONDS = 30.0
LONGEST_SECONDS = 60.0
"""A question that has no answer after so long counts as a wrong one."""
SHIPPED = {
    "012ce1979f75": (
        DetectedObject(
            object_type="person", confidence=0.77, bbox=BoundingBox(x=854.2, y=335.3, width=78.6, height=301.3)
        ),
    )
}
"""By the beginning of the weights' SHA-256."""

Ask = Callable[[], Sequence[DetectedObject]]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What the last question brought."""

    fault: str | None
    ended: float
    milliseconds: float
    objects: tuple[DetectedObject, ...]


class SelfCheck:
    """One question under way at most; a thread of its own asks it, so that nobody waits."""

    def __init__(self, clock: Clock, folder: Callable[[], Path]) -> None:
        self._clock = clock
        self._folder = folder
        self._outcome: Outcome | None = None
        self._asked_at: float | None = None
        self._asking = threading.Lock()

    def run(self, fingerprint: str, ask: Ask) -> None:
        """Asks now, and waits for the answer. Never raises."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            self._asked_at = self._clock.monotonic()
            self._outcome = self._ask(fingerprint, ask, self._asked_at)
        finally:
            self._asked_at = None
            self._asking.release()
        if self._outcome.fault:
            _log.warning("the self-check of %s failed: %s", fingerprint, self._outcome.fault)

    def run_if_due(self, fingerprint: str, ask: Ask) -> None:
        """Asks in a thread, when the last answer is 30 s old."""
        outcome = self._outcome
        if outcome is not None and self._clock.monotonic() - outcome.ended < ASK_EVERY_SECONDS:
            return
        if not self._asking.locked():
            threading.Thread(target=self.run, args=(fingerprint, ask), name="self-check", daemon=True).start()

    def fault(self) -> str | None:
        """What is wrong with the model as far as is known."""
        asked_at, outcome = self._asked_at, self._outcome
        if asked_at is not None and self._clock.monotonic() - asked_at > LONGEST_SECONDS:
            return f"it has not answered the known question for {self._clock.monotonic() - asked_at:.0f} s"
        return outcome.fault if outcome is not None else None

    def describe(self) -> dict[str, Any] | None:
        """The last outcome with its age; None before the first."""
        outcome = self._outcome
        if outcome is None:
            return None
        return {
            "healthy": self.fault() is None,
            "message": self.fault(),
            "checked_seconds_ago": round(max(0.0, self._clock.monotonic() - outcome.ended), 1),
            "milliseconds": outcome.milliseconds,
            "objects": [one.model_dump() for one in outcome.objects],
        }

    def _ask(self, fingerprint: str, ask: Ask, began: float) -> Outcome:
        found: tuple[DetectedObject, ...] = ()
        try:
            found = tuple(ask())
            ended = self._clock.monotonic()
            fault = self._compare(fingerprint, ask, found)
        except Exception as error:  # whatever a runtime raises is an answer too: a wrong one
            ended = self._clock.monotonic()
            fault = f"it cannot answer the known question: {error}"
        return Outcome(fault, ended, round((ended - began) * 1e3, 1), found)

    def _compare(self, fingerprint: str, ask: Ask, found: Sequence[DetectedObject]) -> str | None:
        known = self._known(fingerprint)
        if known is not None:
            return difference(known, found)
        fault = difference(found, ask())
        if fault is not None:
            return f"asked twice it answers differently: {fault}"
        self._keep(fingerprint, found)
        return None

    def _known(self, fingerprint: str) -> Sequence[DetectedObject] | None:
        shipped = SHIPPED.get(fingerprint.partition("-")[0])
        if shipped is not None:
            return shipped
        try:
            kept = json.loads(self._file(fingerprint).read_text())
            return [DetectedObject.model_validate(one) for one in kept]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, ValidationError) as error:
            _log.warning("the known answer of %s cannot be read and is made anew: %s", fingerprint, error)
            return None

    def _keep(self, fingerprint: str, found: Sequence[DetectedObject]) -> None:
        """Written beside and renamed, so that a replica that reads meanwhile sees all of it or nothing."""
        file = self._file(fingerprint)
        beside = file.with_suffix(f".{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_text(json.dumps([one.model_dump() for one in found]))
            beside.replace(file)
        except OSError as error:
            _log.warning("the known answer of %s cannot be kept: %s", fingerprint, error)

    def _file(self, fingerprint: str) -> Path:
        return self._folder() / "known-answers" / f"{fingerprint}.json"
