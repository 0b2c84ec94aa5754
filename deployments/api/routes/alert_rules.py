"""Alert rules: which events a person wants to hear of, when, and through which channels."""

from typing import Annotated

from fastapi import APIRouter, Body, Query

from deployments.api.bodies import NewRule, RuleChange, RuleTest
from deployments.api.deps import AlertRulesDep, RuleBookDep, RuleTesterDep
from deployments.api.examples import page
from deployments.api.examples.pipeline import RULE, RULE_TEST
from deployments.api.pages import RulePage, rule_page
from deployments.api.parameters import RuleQuery, UuidId
from deployments.api.responses import problems, shows
from deployments.api.views.rule_test import RuleTestReport
from schemas.alert_rule import AlertRule

router = APIRouter(prefix="/api/alerts/rules", tags=["alert rules"])


@router.get("", responses=shows(page("rules", RULE)) | problems(422, 503))
async def list_alert_rules(query: Annotated[RuleQuery, Query()], rules: AlertRulesDep) -> RulePage:
    """Alert rules in the order in which they were made."""
    rows = await rules.list(
        enabled=query.enabled,
        severity=query.severity,
        after=query.uuid_place(),
        limit=query.limit + 1,
        offset=query.offset,
    )
    return rule_page(rows, query)


@router.post("", status_code=201, responses=shows(RULE, 201) | problems(413, 415, 422, 503))
async def create_alert_rule(body: NewRule, book: RuleBookDep) -> AlertRule:
    """Makes a rule. All conditions that are set must hold; one that is null or empty is absent.

    One and the same detection must satisfy object type, confidence and zone together. Overnight schedules belong to
    the day they start on. `cooldown_seconds` 0 means none. Cameras that do not exist are refused by name.
    """
    return await book.create(body)


@router.get("/{rule_id}", responses=shows(RULE) | problems(404, 422, 503))
async def get_alert_rule(rule_id: UuidId, rules: AlertRulesDep) -> AlertRule:
    """One rule."""
    return await rules.get(rule_id)


@router.put("/{rule_id}", responses=shows(RULE) | problems(404, 413, 415, 422, 503))
async def update_alert_rule(rule_id: UuidId, body: RuleChange, book: RuleBookDep) -> AlertRule:
    """Changes the fields that are named and no others; an explicit null clears a condition."""
    return await book.change(rule_id, body)


@router.delete("/{rule_id}", status_code=204, responses=problems(404, 422, 503))
async def delete_alert_rule(rule_id: UuidId, rules: AlertRulesDep) -> None:
    """Deletes a rule. Its alerts stay; their `rule_id` becomes null, and the name stays in their metadata."""
    await rules.delete(rule_id)


@router.post("/{rule_id}/test", responses=shows(RULE_TEST) | problems(404, 413, 415, 422, 503))
async def try_alert_rule(
    rule_id: UuidId, tester: RuleTesterDep, body: Annotated[RuleTest | None, Body()] = None
) -> RuleTestReport:
    """Tries a rule on stored events: the newest, or those named. Creates nothing, applies no cooldown.

    A rule that is switched off is tried like any other.
    """
    return await tester.test(rule_id, body or RuleTest())
