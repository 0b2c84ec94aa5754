"""Hand-written stand-ins for what an actor talks to, and a clock that stands still until it is told otherwise."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from actors.ports import FoundBox
from domain.circuit_breaker import Admitted, Rejected
from domain.risk import assess
from notify.message import AlertMessage
from notify.outcome import Delivered, Failed
from schemas.assessment import Assessment, Evidence
from schemas.breaker import Breaker, BreakerReset
from schemas.detection import MediaDetections
from schemas.runtime_config import RuntimeConfig

START = datetime(2025, 12, 23, 12, 0, tzinfo=UTC)


class FakeClock:
    """Both clocks move together, by `advance` only."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


class FakeDetector:
    """Finds in every frame what `found` says; `raises` are the next calls' errors, in this order."""

    def __init__(self, found: Sequence[FoundBox] = (("person", 0.9, 10.0, 20.0, 30.0, 40.0),)) -> None:
        self.found = list(found)
        self.raises: deque[Exception] = deque()
        self.loaded: bool | Exception = True
        self.long_side = 320
        self.stacks: list[tuple[int, ...]] = []
        self.confidences: list[float] = []
        self.described = 0

    async def detect_stack(
        self, stack: npt.NDArray[np.uint8], sizes: Sequence[tuple[int, int]], confidence: float
    ) -> list[list[FoundBox]]:
        if self.raises:
            raise self.raises.popleft()
        self.stacks.append(stack.shape)
        self.confidences.append(confidence)
        return [[box for box in self.found if box[1] >= confidence] for _ in sizes]

    async def describe(self) -> dict[str, Any]:
        self.described += 1
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return {
            "loaded": self.loaded,
            "reason": None if self.loaded else "there are no weights at this path",
            "input_spec": {"long_side": self.long_side, "stride": 32, "static": None} if self.loaded else None,
        }


class FakeAggregator:
    """Keeps what it is given; `raises` are the next calls' errors."""

    def __init__(self) -> None:
        self.added: list[MediaDetections] = []
        self.raises: deque[Exception] = deque()

    async def add(self, results: Sequence[MediaDetections]) -> None:
        if self.raises:
            raise self.raises.popleft()
        self.added += results


class AwayBreakers:
    """The circuit breakers' actor while it is dead."""

    async def admit(self, name: str) -> Admitted | Rejected:
        raise ConnectionError("away")

    async def succeeded(self, name: str, admitted: Admitted) -> None:
        raise ConnectionError("away")

    async def failed(self, name: str, admitted: Admitted) -> None:
        raise ConnectionError("away")

    async def released(self, name: str, admitted: Admitted) -> None:
        raise ConnectionError("away")

    async def status(self) -> list[Breaker]:
        raise ConnectionError("away")

    async def reset(self, name: str) -> BreakerReset:
        raise ConnectionError("away")


class FakeAssessor:
    """Scores by the rules, or raises what `raises` holds next; `meanwhile` runs before it answers."""

    def __init__(self) -> None:
        self.raises: deque[Exception] = deque()
        self.risk_score: int | None = None
        self.asked: list[Evidence] = []
        self.meanwhile: Callable[[], Any] | None = None

    async def assess(self, evidence: Evidence, config: RuntimeConfig) -> Assessment:
        self.asked.append(evidence)
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.raises:
            raise self.raises.popleft()
        made = assess(evidence, config)
        return made if self.risk_score is None else made.model_copy(update={"risk_score": self.risk_score})


class FakeChannel:
    """Answers what `answers` holds next, and takes everything once that is empty."""

    def __init__(self, *answers: Delivered | Failed | Exception) -> None:
        self.answers = deque(answers)
        self.sent: list[tuple[str, AlertMessage]] = []

    async def send(self, recipient: str, message: AlertMessage) -> Delivered | Failed:
        self.sent.append((recipient, message))
        answer = self.answers.popleft() if self.answers else Delivered("250 OK")
        if isinstance(answer, Exception):
            raise answer
        return answer
