"""What the analysis worker works with, opened in its own process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from actors.event_commit import EventCommit
from actors.evidence import EvidenceRows
from actors.model_assessor import ModelAssessor
from actors.ports import AssessorPort, BreakersPort, LanguageModelPort
from domain.clock import Clock
from storage.batches import Batches
from storage.config import RuntimeConfigs
from storage.reassessments import Reassessments


@dataclass(frozen=True)
class LanguageModelTools:
    """What there is besides where a language model is configured."""

    assessor: ModelAssessor
    model: LanguageModelPort
    breakers: BreakersPort
    reassessments: Reassessments
    asked_by: str
    """Names this model and prompt; what others have given up is tried again by these."""
    lease_seconds: float
    """Longer than an assessment may take."""
    look_seconds: float = 2.0
    """How often a model that is away is looked at while provisional events wait for it."""
    away_pause_seconds: float = 60.0
    """An event over which the model went away lets others go first for so long, for it may be the reason. More than the
    breaker's recovery time: else it would be every trial."""
    idle_seconds: float = 10.0
    """How often events are looked for that somebody else queued, as a person who gives a dead one another try."""


@dataclass(frozen=True)
class AnalysisTools:
    batches: Batches
    evidence: EvidenceRows
    events: EventCommit
    configs: RuntimeConfigs
    assessor: AssessorPort
    """Scores the batches: the language model where there is one."""
    wait: Callable[[float], Awaitable[object]]
    clock: Clock
    random: Callable[[], float]
    language: LanguageModelTools | None = None
