"""What an assessor's scores come to: recall, false alarms and the area under the ROC curve, in all and by kind.

An alarm is the level `high` or `critical`. An incident is recalled when it reaches its own floor at least.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.judgement.assessors import Judged
from bench.judgement.kinds import Kind
from bench.judgement.scenes import CONFIG, Half
from bench.judgement.statistics import Area, Share, area, wilson
from bench.judgement.taxonomy import KINDS
from domain.severity import level
from schemas.severity import Severity

AIM_FALSE_ALARMS = 0.1


@dataclass(frozen=True, slots=True)
class HalfFigures:
    """One half in all."""

    incidents: int
    routine: int
    recall: Share
    """Incidents at or above their own floors."""
    false_alarms: Share
    """Routine at high or critical."""
    grave_recall: Share
    """Of the incidents with the floor high, those at high or critical."""
    recall_at_medium: Share
    """Incidents at medium or above, whatever their floor."""
    routine_at_medium: Share
    recall_at_threshold: Share
    """With one threshold for every kind, chosen on the tuning half."""
    false_alarms_at_threshold: Share
    area: Area


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind in one half."""

    kind: Kind
    reached: Share
    """Of an incident: its floor or more; of routine: high or critical, which is wrong."""
    at_medium: Share
    area: Area
    """Of an incident's scores against all routine's, of a routine kind's against all incidents'."""
    scores: tuple[int, ...]


def threshold(tuning: Sequence[Judged]) -> int:
    """The lowest score that at most a tenth of the tuning half's routine reach."""
    routine = [one.score for one in tuning if not one.scene.kind.incident]
    most = AIM_FALSE_ALARMS * len(routine)
    return next(score for score in range(102) if sum(one >= score for one in routine) <= most)


def half_figures(judged: Sequence[Judged], at: int) -> HalfFigures:
    incidents = [one for one in judged if one.scene.kind.incident]
    routine = [one for one in judged if not one.scene.kind.incident]
    return HalfFigures(
        incidents=len(incidents),
        routine=len(routine),
        recall=_share(incidents, _reached),
        false_alarms=_share(routine, _reached),
        grave_recall=_share([one for one in incidents if one.scene.kind.floor is Severity.HIGH], _reached),
        recall_at_medium=_share(incidents, _medium),
        routine_at_medium=_share(routine, _medium),
        recall_at_threshold=_share(incidents, lambda one: one.score >= at),
        false_alarms_at_threshold=_share(routine, lambda one: one.score >= at),
        area=area([one.score for one in incidents], [one.score for one in routine]),
    )


def kind_figures(judged: Sequence[Judged]) -> tuple[KindFigures, ...]:
    """In the taxonomy's order; kinds without a scene are left out."""
    found = []
    scores = {side: [one.score for one in judged if one.scene.kind.incident is side] for side in (True, False)}
    for kind in KINDS:
        mine = [one for one in judged if one.scene.kind is kind]
        if not mine:
            continue
        own, others = [one.score for one in mine], scores[not kind.incident]
        found.append(
            KindFigures(
                kind=kind,
                reached=_share(mine, _reached),
                at_medium=_share(mine, _medium),
                area=area(own, others) if kind.incident else area(others, own),
                scores=tuple(sorted(own)),
            )
        )
    return tuple(found)


def of_half(judged: Sequence[Judged], half: Half) -> list[Judged]:
    return [one for one in judged if one.scene.half is half]


def _share(judged: Sequence[Judged], holds: Callable[[Judged], bool]) -> Share:
    return wilson(sum(map(holds, judged)), len(judged))


def _reached(one: Judged) -> bool:
    return level(one.score, CONFIG.severity).rank >= (one.scene.kind.floor or Severity.HIGH).rank


def _medium(one: Judged) -> bool:
    return level(one.score, CONFIG.severity).rank >= Severity.MEDIUM.rank
