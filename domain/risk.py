"""The deterministic assessor: how risky a batch is by fixed rules, each point of the score with its reason.

For each class: presence + number + night + dwell (domain/risk_weights.py), less what the detector was unsure of, more
when this camera rarely sees it at this hour of the week and less when it often does. The class that comes to the most
counts in full, the others a fifth each, to ten points. A weapon lifts the score into `high`; then 0 to 100 is kept.
Nothing but the evidence goes in, so the same batch always gets the same score.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from domain.baseline import is_unusual
from domain.labels import normalised
from domain.plain_text import plain
from domain.risk_weights import WEAPONS, night_share, weight_of
from domain.sightings import Sighting, sightings
from schemas.assessment import Assessment, AssessmentStanding, Evidence, Factor, Unusualness
from schemas.runtime_config import RuntimeConfig

ASSESSOR = "deterministic"

_MOST_FOR_NUMBER = 25.0
_MOST_FOR_OTHERS = 10.0
_SHARE_OF_OTHERS = 0.2
_DWELL_SECONDS = 45.0
"""After so long 63 % of the points for staying are given, after twice as long 86 %."""
_LEAST_CERTAINTY = 0.55
"""What is left of the points at confidence 0; all of them at 1."""
_UNUSUAL_SHARE, _USUAL_SHARE = 0.2, 0.35
"""Of the points for presence and night: added when it is unusual, taken off when it comes in every such hour."""


@dataclass(frozen=True, slots=True)
class _Term:
    name: str
    points: float
    because: str


@dataclass(frozen=True, slots=True)
class _Scored:
    sighting: Sighting
    terms: tuple[_Term, ...]
    unusual: bool

    @property
    def points(self) -> float:
        return sum(term.points for term in self.terms)


def assess(
    evidence: Evidence, config: RuntimeConfig, standing: AssessmentStanding = AssessmentStanding.FINAL
) -> Assessment:
    """Score, summary and reasons; `factors` are whole points that add up to the score exactly."""
    clock = evidence.batch.started_at.astimezone(ZoneInfo(evidence.timezone)).time()
    facts = {normalised(fact.object_type): fact for fact in evidence.unusual}
    scored = sorted(
        (_scored(seen, clock, facts, config) for seen in sightings(evidence.detections)),
        key=lambda one: (-one.points, one.sighting.object_type),
    )
    factors = _limited(_whole(_all_terms(scored)), [one.sighting for one in scored], config)
    score = int(sum(factor.points for factor in factors))
    return Assessment(
        risk_score=score,
        summary=_summary(evidence, scored, clock),
        reasoning=_reasoning(score, factors, evidence.unusual, config),
        assessed_by=ASSESSOR,
        standing=standing,
        factors=factors,
    )


def _scored(seen: Sighting, clock: time, facts: Mapping[str, Unusualness], config: RuntimeConfig) -> _Scored:
    weight, night = weight_of(seen.object_type), night_share(clock)
    hour = "it is night" if night == 1 else "it is getting dark or light, by the clock"
    staying = 1 - math.exp(-seen.seconds / _DWELL_SECONDS)
    gains = (
        _Term("presence", weight.presence, f"{seen} was seen"),
        _Term("number", min(_MOST_FOR_NUMBER, weight.number * math.log2(seen.number)), f"{seen.number} at once"),
        _Term("night", weight.night * night, f"{hour} ({clock:%H:%M})"),
        _Term("dwell", weight.dwell * staying * (0.5 + 0.5 * night), f"in view over {_duration(seen.seconds)}"),
    )
    certainty = _LEAST_CERTAINTY + (1 - _LEAST_CERTAINTY) * seen.confidence
    doubt = (certainty - 1) * sum(term.points for term in gains)
    confidence = _Term("confidence", doubt, f"the detector was {seen.confidence:.0%} sure")
    fact = facts.get(seen.object_type)
    baseline = _baseline_terms(fact, weight.presence + weight.night * night, config)
    return _Scored(seen, (*gains, confidence, *baseline), fact is not None and is_unusual(fact, config))


def _baseline_terms(fact: Unusualness | None, at_stake: float, config: RuntimeConfig) -> tuple[_Term, ...]:
    if fact is None or not fact.reliable:
        return ()
    known = f"{fact.expected_per_hour:.2g} are expected in this hour of the week, by {fact.sample_count} on record"
    if is_unusual(fact, config):
        threshold = config.anomaly_threshold_stdev
        degree = min(1.0, 0.5 + 0.5 * (fact.deviation - threshold) / max(threshold, 1.0))
        return (_Term("unusual", _UNUSUAL_SHARE * degree * at_stake, f"unusual for this hour: {known}"),)
    return (_Term("usual", -_USUAL_SHARE * fact.probability * at_stake, f"usual for this hour: {known}"),)


def _all_terms(scored: list[_Scored]) -> list[_Term]:
    """The first one's in full, and one for all others together."""
    if not scored:
        return []
    others = [one for one in scored[1:] if one.points > 0]
    also = min(_MOST_FOR_OTHERS, _SHARE_OF_OTHERS * sum(one.points for one in others))
    return [*scored[0].terms, _Term("others", also, f"also seen: {_listed(one.sighting for one in others)}")]


def _whole(terms: Iterable[_Term]) -> list[Factor]:
    """Whole points with the exact terms' rounded sum: each is the step between two rounded running totals."""
    factors, exact, given = [], 0.0, 0
    for term in terms:
        exact += term.points
        points = math.floor(round(exact, 6) + 0.5) - given
        given += points
        if points:
            factors.append(Factor(name=term.name, points=points, because=term.because))
    return factors


def _limited(factors: list[Factor], seen: list[Sighting], config: RuntimeConfig) -> tuple[Factor, ...]:
    score = sum(factor.points for factor in factors)
    floor = config.severity.medium_max + 1
    weapons = [one for one in seen if one.object_type in WEAPONS]
    if weapons and score < floor:
        factors = [
            *factors,
            Factor(name="weapon", points=floor - score, because=f"with {weapons[0]} it is high at least"),
        ]
        score = floor
    within = min(100, max(0, score))
    if within != score:
        factors = [*factors, Factor(name="limit", points=within - score, because="a score lies between 0 and 100")]
    return tuple(factors)


def _summary(evidence: Evidence, scored: list[_Scored], clock: time) -> str:
    """`A person at Front Door for 42 s at 02:13, unusual for this hour`."""
    batch = evidence.batch
    seen = _listed(one.sighting for one in scored) or "nothing recognised"
    camera = plain(batch.camera_name, 80) or plain(batch.camera_id, 80)
    stay = f" for {_duration(scored[0].sighting.seconds)}" if scored and scored[0].sighting.seconds >= 1 else ""
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


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
