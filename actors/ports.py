"""What actors need of each other: the shape that a remote actor, a Serve deployment and a test's plain object share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from domain.circuit_breaker import Admitted, Rejected
from schemas.assessment import Assessment, Evidence
from schemas.breaker import Breaker
from schemas.detection import MediaDetections
from schemas.runtime_config import RuntimeConfig
from schemas.service import Health

FoundBox = tuple[str, float, float, float, float, float]
"""Class, confidence, x, y, width, height in the picture's own pixels."""


class ActorAway(Exception):
    """The actor is dead, restarting or not there yet."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)

    def __str__(self) -> str:
        return f"{self.args[0]} is away: {self.args[1]}"


class ActorStarting(ActorAway):
    """It is registered and cannot answer yet: it is being started or started again."""


class DetectorPort(Protocol):
    """A YOLO26 model, in this process or behind a Serve deployment."""

    async def detect_stack(
        self, stack: npt.NDArray[np.uint8], sizes: Sequence[tuple[int, int]], confidence: float
    ) -> list[list[FoundBox]]:
        """`stack`: N×H×W×3 letterboxed BGR; `sizes`: each picture's own (width, height). Raises DetectorUnavailable."""
        ...

    async def describe(self) -> dict[str, Any]:
        """The model, its runtime, its device and the input it wants."""
        ...


class AggregatorPort(Protocol):
    """The one writer of batches."""

    async def add(self, results: Sequence[MediaDetections]) -> None:
        """Returns once the files are `detected` and their detections committed. Harmless when called twice."""
        ...


class AssessorPort(Protocol):
    """Whoever scores a batch: the deterministic assessor, or a language model behind the same question."""

    async def assess(self, evidence: Evidence, config: RuntimeConfig) -> Assessment: ...


class BreakersPort(Protocol):
    """Every circuit breaker's state, for all replicas."""

    async def admit(self, name: str) -> Admitted | Rejected:
        """May a call be made? What comes back goes with the call's result."""
        ...

    async def succeeded(self, name: str, admitted: Admitted) -> None: ...

    async def failed(self, name: str, admitted: Admitted) -> None: ...

    async def released(self, name: str, admitted: Admitted) -> None:
        """The call was not made after all, or said nothing about the service."""
        ...

    async def status(self) -> list[Breaker]: ...

    async def reset(self, name: str) -> Breaker: ...


class Watched(Protocol):
    """What the supervisor asks of every actor."""

    async def start(self) -> None:
        """Arms the actor's loop; harmless when it runs already."""
        ...

    async def stop(self) -> None:
        """Ends the loop after what is in hand."""
        ...

    async def health(self) -> Health: ...


class SupervisorPort(Protocol):
    """Services by hand: each answers with the service as it is afterwards."""


class CleanupPort(Protocol):
    """The clean-up service, which alone deletes."""


class ModelZooPort(Protocol):
    """The registry of models and the ledger of the memory they hold."""


@dataclass(frozen=True)
class SystemActors:
    """The actors that the API asks; everything else it reads from rows."""

    supervisor: SupervisorPort
    breakers: BreakersPort
    cleanup: CleanupPort
    model_zoo: ModelZooPort


class Nobody:
    """Stands where no actor is: every call raises ActorAway."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)

        async def call(*_: Any, **__: Any) -> Any:
            raise ActorAway(self._name, "this process is connected to no actors")

        return call


NOBODY: SystemActors = SystemActors(
    cast(SupervisorPort, Nobody("supervisor")),
    cast(BreakersPort, Nobody("circuit_breakers")),
    cast(CleanupPort, Nobody("cleanup_service")),
    cast(ModelZooPort, Nobody("model_zoo")),
)
