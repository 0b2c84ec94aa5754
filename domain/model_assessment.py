"""What a model's checked answer becomes: an assessment that no answer can bring below the floors."""

from domain.answer import Answer
from domain.floors import floor
from domain.plain_text import plain
from schemas.assessment import Assessment, AssessmentStanding, Evidence, Factor, ModelTrace
from schemas.runtime_config import RuntimeConfig

_MOST_NAME = 200


def final_assessment(answer: Answer, evidence: Evidence, config: RuntimeConfig, trace: ModelTrace) -> Assessment:
    """The model's score, or the floor where that is higher; the factors add up to the score exactly."""
    factors = [Factor(name="model", points=answer.risk_score, because="the model's own score")]
    score, reasoning = answer.risk_score, answer.reasoning
    least = floor(evidence, answer.signs, config)
    if least is not None and least.score > score:
        factors.append(Factor(name="floor", points=least.score - score, because=least.because))
        reasoning = f"{reasoning} Raised from {score} to {least.score}: {least.because}."
        score = least.score
    return Assessment(
        risk_score=score,
        summary=answer.summary,
        reasoning=reasoning,
        assessed_by=plain(trace.model or "", _MOST_NAME) or "a model without a name",
        standing=AssessmentStanding.FINAL,
        factors=tuple(factors),
        trace=trace,
    )
