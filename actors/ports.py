"""What actors need of each other: the shape that a remote actor, a Serve deployment and a test's plain object share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from domain.circuit_breaker import Admitted, Rejected
from schemas.assessment import Assessment, Evidence
from schemas.audit import Caller
from schemas.breaker import Breaker, BreakerReset
from schemas.cleanup import CleanupReport, OrphanReport
from schemas.detection import DetectedObject, MediaDetections
from schemas.language import Question, Reply
from schemas.model import ZooModel
from schemas.runtime_config import RuntimeConfig
from schemas.service import Health, ServiceAction, ServiceActionDone
from vision.given_picture import GivenPicture

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


class LanguageModelPort(Protocol):
    """A language model, in this process or behind a Serve deployment."""

    async def ask(self, question: Question) -> Reply:
        """Raises ModelAway, ModelTooSlow, QuestionRefused."""
        ...

    async def describe(self) -> dict[str, Any]:
        """The model, its backend, whether it is loaded or why not, how many questions it takes at once."""
        ...


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

    async def reset(self, name: str) -> BreakerReset:
        """Closes it by hand. Raises NotFound."""
        ...


class Watched(Protocol):
    """What the supervisor asks of every actor."""

    async def start(self) -> None:
        """Arms the actor's loop; harmless when it runs already."""
        ...

    async def stop(self) -> None:
        """Ends the loop after what is in hand."""
        ...

    async def health(self) -> Health: ...


class ServiceRefused(Exception):
    """What a person asked of a service cannot be done; the reason is for that person."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)

    def __str__(self) -> str:
        return str(self.args[1])


class SupervisorPort(Protocol):
    """Services by hand."""

    async def act(self, action: ServiceAction, name: str, caller: Caller) -> ServiceActionDone:
        """Answers within seconds with the service as it is then. Raises NotFound, ServiceRefused, Conflict."""
        ...


class CleanupRunning(Exception):
    """Another job of the clean-up service is under way: there is one at a time."""

    def __init__(self, job: str) -> None:
        super().__init__(job)

    def __str__(self) -> str:
        return f"{self.args[0]} is running; try again when it has ended"


class CleanupPort(Protocol):
    """The clean-up service, which alone deletes."""

    async def run(self, dry_run: bool, caller: Caller) -> CleanupReport:
        """Deletes what has expired, or says what would be. Raises CleanupRunning."""
        ...

    async def orphans(self, dry_run: bool, caller: Caller) -> OrphanReport:
        """Deletes files that no row refers to, or lists them. Raises CleanupRunning."""
        ...


class ModelZooPort(Protocol):
    """The registry of models and the ledger of the memory they hold."""

    async def run(self, name: str, image: GivenPicture, confidence: float | None = None) -> list[DetectedObject]:
        """What the model finds, in the picture's own pixels; loads it on first use.

        Raises UnknownModel, ModelUnavailable, ModelBusy, InferenceFailed, UnreadablePicture, ValueError.
        """
        ...

    async def load(self, name: str) -> ZooModel: ...

    async def unload(self, name: str) -> ZooModel:
        """Raises ModelBusy while it is in use."""
        ...

    async def status(self) -> list[ZooModel]: ...


@dataclass(frozen=True)
class SystemActors:
    """The actors that the API asks; everything else it reads from rows."""

    supervisor: SupervisorPort
    breakers: BreakersPort
    cleanup: CleanupPort


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
)
