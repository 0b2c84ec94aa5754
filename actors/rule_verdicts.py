"""What an enabled rule said of an event, told for a person and kept with the event."""

from collections.abc import Sequence
from datetime import datetime

from domain.alert_rules import Match, NoMatch
from domain.plain_text import plain
from schemas.alert_rule import AlertRule
from schemas.delivery import NewDelivery
from schemas.frozen import utc_text
from schemas.why import RuleOutcome, RuleVerdict

_KEY_LIMIT = 200


def raised(rule: AlertRule, found: Match, deliveries: Sequence[NewDelivery]) -> RuleVerdict:
    reasons = [delivery.suppressed_because for delivery in deliveries if delivery.suppressed_because is not None]
    return _verdict(rule, RuleOutcome.RAISED, _matched(found)).model_copy(
        update={"suppressed": tuple(dict.fromkeys(reasons))}
    )


def raised_before(rule: AlertRule, found: Match) -> RuleVerdict:
    return _verdict(rule, RuleOutcome.RAISED_BEFORE, _matched(found))


def held_back(rule: AlertRule, dedup_key: str, last: datetime) -> RuleVerdict:
    because = f"an alert under {plain(dedup_key, _KEY_LIMIT)!r} was raised at {utc_text(last)}"
    return _verdict(rule, RuleOutcome.COOLDOWN, f"{because}; the rule's cooldown is {rule.cooldown_seconds} s")


def no_match(rule: AlertRule, answer: NoMatch) -> RuleVerdict:
    return _verdict(rule, RuleOutcome.NO_MATCH, f"{answer.condition}: {answer.because}")


def _verdict(rule: AlertRule, outcome: RuleOutcome, because: str) -> RuleVerdict:
    return RuleVerdict(rule_id=rule.id, rule_name=rule.name, outcome=outcome, because=because)


def _matched(found: Match) -> str:
    held = [f"{condition}: {value}" for condition, value in found.matched_conditions.items()]
    return "; ".join(held) or "a rule without conditions matches every event"
