"""The deterministic assessor: how risky a batch is by fixed rules, each point of the score with its reason.

For each class (domain/risk_terms.py): presence + number + night + dwell by its weights (domain/risk_weights.py), more
when this camera rarely sees it at this hour of the week and less when it often does, less for a person far off, more in
quiet hours and at night for one who was here or at other cameras just before, less what the detector was unsure of. The
class that comes to the most counts in full, the others a fifth each, to seven points; somebody beside something that
can be carried off adds a little. The floors hold (domain/floors.py); then 0 to 100 is kept.
Nothing but the evidence goes in, so the same batch always gets the same score.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from domain.baseline import is_unusual
from domain.floors import floor
from domain.labels import normalised
from domain.plain_text import plain
from domain.risk_terms import Circumstances, Term, beside_term, duration, terms
from domain.sightings import Sighting, sightings
from schemas.assessment import Assessment, AssessmentStanding, Evidence, Factor, Unusualness
from schemas.runtime_config import RuntimeConfig

ASSESSOR = "deterministic"

_MOST_FOR_OTHERS = 7.0
_SHARE_OF_OTHERS = 0.2


@dataclass(frozen=True, slots=True)
class _Scored:
    sighting: Sighting
    terms: tuple[Term, ...]
    unusual: bool

    @property
    def points(self) -> float:
        return sum(term.points for term in self.terms)


def assess(
    evidence: Evidence, config: RuntimeConfig, standing: AssessmentStanding = AssessmentStanding.FINAL
) -> Assessment:
    """Score, summary and reasons; `factors` are whole points that add up to the score exactly."""
    around = _circumstances(evidence)
    facts = {normalised(fact.object_type): fact for fact in evidence.unusual}
    scored = sorted(
        (_scored(seen, around, facts, config) for seen in sightings(evidence.detections)),
        key=lambda one: (-one.points, one.sighting.object_type),
    )
    factors = _limited(_whole(_all_terms(scored)), evidence, config)
    score = int(sum(factor.points for factor in factors))
    return Assessment(
        risk_score=score,
        summary=_summary(evidence, scored, around.clock),
        reasoning=_reasoning(score, factors, evidence.unusual, config),
        assessed_by=ASSESSOR,
        standing=standing,
        factors=factors,
    )


def _circumstances(evidence: Evidence) -> Circumstances:
    batch = evidence.batch
    clock = batch.started_at.astimezone(ZoneInfo(evidence.timezone)).time()
    return Circumstances(batch.started_at, clock, batch.camera_id, evidence.recent, evidence.quiet_hours)


def _scored(seen: Sighting, around: Circumstances, facts: Mapping[str, Unusualness], config: RuntimeConfig) -> _Scored:
    fact = facts.get(seen.object_type)
    return _Scored(seen, terms(seen, around, fact, config), fact is not None and is_unusual(fact, config))


def _all_terms(scored: list[_Scored]) -> list[Term]:
    """The first one's in full, and one for all others together."""
    if not scored:
        return []
    others = [one for one in scored[1:] if one.points > 0]
    also = min(_MOST_FOR_OTHERS, _SHARE_OF_OTHERS * sum(one.points for one in others))
    return [
        *scored[0].terms,
        Term("others", also, f"also seen: {_listed(one.sighting for one in others)}"),
        beside_term([one.sighting for one in scored]),
    ]


def _whole(terms: Iterable[Term]) -> list[Factor]:
    """Whole points with the exact terms' rounded sum: each is the step between two rounded running totals."""
    factors, exact, given = [], 0.0, 0
    for term in terms:
        exact += term.points
        points = math.floor(round(exact, 6) + 0.5) - given
        given += points
        if points:
            factors.append(Factor(name=term.name, points=points, because=term.because))
    return factors


def _limited(factors: list[Factor], evidence: Evidence, config: RuntimeConfig) -> tuple[Factor, ...]:
    score = sum(factor.points for factor in factors)
    least = floor(evidence, (), config)
    if least is not None and score < least.score:
        factors = [*factors, Factor(name="floor", points=least.score - score, because=least.because)]
        score = least.score
    within = min(100, max(0, score))
    if within != score:
        factors = [*factors, Factor(name="limit", points=within - score, because="a score lies between 0 and 100")]
    return tuple(factors)


def _summary(evidence: Evidence, scored: list[_Scored], clock: time) -> str:
    """`A person at Front Door for 42 s at 02:13, unusual for this hour`."""
    batch = evidence.batch
    seen = _listed(one.sighting for one in scored) or "nothing recognised"
    camera = plain(batch.camera_name, 80) or plain(batch.camera_id, 80)
    stay = f" for {duration(scored[0].sighting.seconds)}" if scored and scored[0].sighting.seconds >= 1 else ""
    unusual = ", unusual for this hour" if scored and scored[0].unusual else ""
    return f"{seen[0].upper()}{seen[1:]} at {camera}{stay} at {clock:%H:%M}{unusual}"


def _reasoning(score: int, factors: tuple[Factor, ...], facts: tuple[Unusualness, ...], config: RuntimeConfig) -> str:
    listed = "; ".join(f"{factor.points:+.0f} {factor.because}" for factor in factors)
    text = f"{score} of 100 by fixed rules" + (f": {listed}." if listed else ".")
    if any(not fact.reliable for fact in facts):
        known = facts[0].sample_count
        text += f" What is usual here at this hour is not known yet ({known} appearances on record"
        text += f" of {config.anomaly_min_samples} needed)." if known < config.anomaly_min_samples else ")."
    return text


def _listed(seen: Iterable[Sighting], most: int = 4) -> str:
    """`a person, 2 cars and a dog`."""
    names = [str(one) for one in seen]
    if len(names) > most:
        names[most - 1 :] = [f"{len(names) - most + 1} other kinds of object"]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
