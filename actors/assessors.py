"""The deterministic assessor behind the question that a language model will answer too."""

from domain.risk import assess
from schemas.assessment import Assessment, Evidence
from schemas.runtime_config import RuntimeConfig


class DeterministicAssessor:
    """Scores by documented rules (domain/risk.py); computed in a moment, so it runs where it is asked."""

    async def assess(self, evidence: Evidence, config: RuntimeConfig) -> Assessment:
        return assess(evidence, config)
