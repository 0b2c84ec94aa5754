"""Trying an alert rule on events that are stored: what it would have matched; nothing is written or sent."""

from collections.abc import Sequence
from uuid import UUID

from deployments.api.bodies import RuleTest
from deployments.api.errors import InvalidField
from domain.alert_rules import EventFacts, Match, RuleDetection, match_conditions
from schemas.alert_rule import AlertRule
from schemas.detection import Detection
from schemas.event import Event
from schemas.frozen import Frozen, UtcTime
from storage.alert_rules import AlertRules
from storage.detections import Detections
from storage.events import Events


class RuleTestResult(Frozen):
    event_id: int
    camera_id: str
    risk_score: int
    object_types: tuple[str, ...]
    matches: bool
    matched_conditions: dict[str, str]
    """What satisfied each condition that is set; empty when the event does not match."""
    not_matched_because: str | None
    """The first condition that does not hold, in words."""
    started_at: UtcTime


class RuleTestReport(Frozen):
    rule_id: UUID
    rule_name: str
    events_tested: int
    events_matched: int
    match_rate: float
    """Matched / tested; 0 when there was nothing to test."""
    results: tuple[RuleTestResult, ...]


class RuleTester:
    """Judges stored events by a rule as the pipeline would, cooldown and switch aside."""

    def __init__(self, rules: AlertRules, events: Events, detections: Detections, house_zone: str) -> None:
        self._rules = rules
        self._events = events
        self._detections = detections
        self._house_zone = house_zone

    async def test(self, rule_id: UUID, asked: RuleTest) -> RuleTestReport:
        """Raises NotFound for the rule, InvalidField for events that do not exist."""
        rule = await self._rules.get(rule_id)
        events = await self._chosen(asked)
        detections = await self._detections.of_events([event.id for event in events])
        results = tuple(self._judge(rule, event, detections[event.id], asked) for event in events)
        matched = sum(result.matches for result in results)
        return RuleTestReport(
            rule_id=rule.id,
            rule_name=rule.name,
            events_tested=len(results),
            events_matched=matched,
            match_rate=round(matched / len(results), 4) if results else 0.0,
            results=results,
        )

    async def _chosen(self, asked: RuleTest) -> Sequence[Event]:
        if asked.event_ids is None:
            return await self._events.list(limit=asked.limit)
        events = await self._events.named(asked.event_ids)
        missing = sorted(set(asked.event_ids) - {event.id for event in events})
        if missing:
            raise InvalidField("event_ids", f"there is no event {', '.join(map(str, missing))}")
        return events[: asked.limit] if "limit" in asked.model_fields_set else events

    def _judge(self, rule: AlertRule, event: Event, detections: Sequence[Detection], asked: RuleTest) -> RuleTestResult:
        facts = EventFacts(
            event.id, event.camera_id, event.risk_score, event.risk_level, asked.test_time or event.started_at
        )
        verdict = match_conditions(rule, facts, [_seen(detection) for detection in detections], self._house_zone)
        matches = isinstance(verdict, Match)
        return RuleTestResult(
            event_id=event.id,
            camera_id=event.camera_id,
            risk_score=event.risk_score,
            object_types=event.object_types,
            matches=matches,
            matched_conditions=verdict.matched_conditions if isinstance(verdict, Match) else {},
            not_matched_because=None if isinstance(verdict, Match) else verdict.because,
            started_at=event.started_at,
        )


def _seen(detection: Detection) -> RuleDetection:
    return RuleDetection(
        detection.object_type,
        detection.confidence,
        detection.bbox,
        detection.picture_width,
        detection.picture_height,
    )
