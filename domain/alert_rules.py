"""Alert rules: whether an event is what a rule asks for, and what of it satisfied which condition.

All conditions that are set must hold; a null or empty one is absent, and a rule without any matches every event.
Zero is a condition like any other number. `object_types`, `min_confidence` and `zones` must be satisfied together by
one and the same detection.

`matched_conditions` has one entry a condition that is set, in this order; keys and forms are stable:

    camera_ids      "front_door"                            the event's camera
    risk_threshold  "82 >= 75"                              score >= threshold
    schedule        "sat 02:00 (Europe/Berlin) in fri 22:00-06:00"
    object_types    "person"                                the detector's class
    min_confidence  "0.91 >= 0.8"                           of that same detection
    zones           "zone 2 of front_door"                  the rule's second zone, where that same detection stands
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.labels import expand, normalised
from domain.plain_text import plain
from domain.schedule import describe, describe_moment, is_active, is_always
from domain.zones import contains, standing_point
from schemas.alert_rule import AlertRule, AlertRuleCreate, Zone
from schemas.detection import BoundingBox
from schemas.severity import Severity

_NAME_LIMIT = 100
# Stored confidences have single precision: 0.9 comes back as 0.89999998 and must still reach a minimum of 0.9.
_SINGLE_PRECISION = 1e-6


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What rules and notification preferences look at in an event."""

    event_id: int
    camera_id: str
    risk_score: int
    severity: Severity
    """The event's level, derived from the score and the bands in force."""
    started_at: datetime
    """The moment that schedules are asked about; a rule test with a test time puts that time here."""


@dataclass(frozen=True, slots=True)
class RuleDetection:
    """What rules look at in one of the event's detections."""

    object_type: str
    confidence: float
    bbox: BoundingBox
    picture_width: int | None
    """Null when unknown: such a detection is in no zone."""
    picture_height: int | None


@dataclass(frozen=True, slots=True)
class Match:
    matched_conditions: dict[str, str]
    """What satisfied each condition that is set; see the module."""
    object_type: str | None
    """The class of the most confident detection that satisfies the rule; None when the event has no detection."""


@dataclass(frozen=True, slots=True)
class NoMatch:
    condition: str
    """The first one that does not hold: a field of the rule (`enabled` included)."""
    because: str
    """For a person."""


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The detections that satisfy the conditions looked at so far, and which zone each stands in."""

    detections: tuple[RuleDetection, ...]
    zone_numbers: tuple[int, ...] = ()

    def best(self) -> int:
        """Position of the most confident one; of equals the first."""
        return max(range(len(self.detections)), key=lambda i: self.detections[i].confidence)


def match(rule: AlertRule, facts: EventFacts, detections: Sequence[RuleDetection], house_zone: str) -> Match | NoMatch:
    """Whether the event raises an alert by this rule; a rule that is switched off never does."""
    if not rule.enabled:
        return NoMatch("enabled", "the rule is switched off")
    return match_conditions(rule, facts, detections, house_zone)


def match_conditions(
    rule: AlertRuleCreate, facts: EventFacts, detections: Sequence[RuleDetection], house_zone: str
) -> Match | NoMatch:
    """What the conditions say, switched on or not: the rule test, since rules are tried before they are switched on."""
    matched = _event_conditions(rule, facts, house_zone)
    if isinstance(matched, NoMatch):
        return matched
    candidates = _candidates(rule, facts, detections)
    if isinstance(candidates, NoMatch):
        return candidates
    if not candidates.detections:
        return Match(matched, None)
    best = candidates.best()
    chosen = candidates.detections[best]
    if rule.object_types:
        matched["object_types"] = plain(chosen.object_type, _NAME_LIMIT)
    if rule.min_confidence is not None:
        matched["min_confidence"] = f"{chosen.confidence:.3g} >= {rule.min_confidence:.3g}"
    if rule.zones:
        matched["zones"] = f"zone {candidates.zone_numbers[best]} of {plain(facts.camera_id, _NAME_LIMIT)}"
    return Match(matched, chosen.object_type)


def _event_conditions(rule: AlertRuleCreate, facts: EventFacts, house_zone: str) -> dict[str, str] | NoMatch:
    matched: dict[str, str] = {}
    camera = plain(facts.camera_id, _NAME_LIMIT)
    if rule.camera_ids:
        if facts.camera_id not in rule.camera_ids:
            return NoMatch("camera_ids", f"camera {camera} is not among the rule's cameras")
        matched["camera_ids"] = camera
    if rule.risk_threshold is not None:
        if facts.risk_score < rule.risk_threshold:
            return NoMatch("risk_threshold", f"score {facts.risk_score} < {rule.risk_threshold}")
        matched["risk_threshold"] = f"{facts.risk_score} >= {rule.risk_threshold}"
    if rule.schedule is not None and not is_always(rule.schedule):
        shown = describe_moment(rule.schedule, facts.started_at, house_zone)
        if not is_active(rule.schedule, facts.started_at, house_zone):
            return NoMatch("schedule", f"{shown} is outside {describe(rule.schedule)}")
        matched["schedule"] = f"{shown} in {describe(rule.schedule)}"
    return matched


def _candidates(rule: AlertRuleCreate, facts: EventFacts, detections: Sequence[RuleDetection]) -> _Candidates | NoMatch:
    """Narrows the detections condition by condition; the one that leaves none is the one that fails."""
    left = tuple(detections)
    if rule.object_types:
        wanted = expand(rule.object_types)
        left = tuple(d for d in left if normalised(d.object_type) in wanted)
        if not left:
            return NoMatch("object_types", f"nothing seen is one of {_listed(rule.object_types)}")
    if rule.min_confidence is not None:
        highest = max((d.confidence for d in left), default=None)
        left = tuple(d for d in left if d.confidence >= rule.min_confidence - _SINGLE_PRECISION)
        if not left:
            seen = "nothing was seen" if highest is None else f"the most certain one has {highest:.3g}"
            return NoMatch("min_confidence", f"{seen}; the rule asks for {rule.min_confidence:.3g}")
    if not rule.zones:
        return _Candidates(left)
    return _in_zones(rule.zones, facts.camera_id, left)


def _in_zones(zones: Sequence[Zone], camera_id: str, detections: Sequence[RuleDetection]) -> _Candidates | NoMatch:
    """A zone is a part of its own camera's picture and says nothing of any other camera."""
    camera = plain(camera_id, _NAME_LIMIT)
    own = [(number, zone) for number, zone in enumerate(zones, 1) if zone.camera_id == camera_id]
    if not own:
        return NoMatch("zones", f"the rule has no zone for camera {camera}")
    placed = [(d, number) for d in detections if (number := _zone_number(own, d)) is not None]
    if not placed:
        return NoMatch("zones", f"none of what the rule asks for stands in its zones of camera {camera}")
    return _Candidates(tuple(d for d, _ in placed), tuple(number for _, number in placed))


def _zone_number(zones: Iterable[tuple[int, Zone]], detection: RuleDetection) -> int | None:
    point = standing_point(detection.bbox, detection.picture_width, detection.picture_height)
    if point is None:
        return None
    return next((number for number, zone in zones if contains(zone.polygon, point)), None)


def _listed(names: Sequence[str]) -> str:
    return plain(", ".join(names), _NAME_LIMIT)
