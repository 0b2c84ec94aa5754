"""How much is measured."""

from dataclasses import dataclass
from pathlib import Path

from bench.models import Model


@dataclass(frozen=True)
class Effort:
    """Everything a benchmark is told."""

    cache: Path
    """Keeps the drawn pictures and the random model from one run to the next."""
    models: tuple[Model, ...]
    pictures: int
    rounds: int
    single_pictures: int
    """Dropped one by one into an idle system."""
    starts: int
    cold_start: bool
    idle_seconds: float
    request_seconds: float = 10.0
    """How long each address is asked, each way."""
    many_detections: int = 1_000_000
    llm_cases: str = ""
    """Only those whose name holds this."""
