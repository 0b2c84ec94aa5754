"""What a client may send: the schemas, strict about null characters and about fields that cannot be emptied."""

from typing import Annotated, Any

from pydantic import Field, field_validator

from deployments.api.parameters import LARGEST_ID, Checked, Moment
from deployments.api.partial import may_be_named
from schemas.alert_rule import (
    MOST_COOLDOWN_SECONDS,
    AlertRule,
    AlertRuleCreate,
    Channel,
    DedupTemplate,
    Names,
    RuleName,
    Schedule,
    Zone,
)
from schemas.camera import CameraCreate, CameraUpdate
from schemas.event import EventUpdate
from schemas.frozen import WHOLE, Score, Whole
from schemas.severity import Severity


def _not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("this cannot be null; leave it out to keep it as it is")
    return value


class NewCamera(Checked, CameraCreate):
    pass


class CameraChange(Checked, CameraUpdate):
    name: str = may_be_named(min_length=1, max_length=200)
    enabled: bool = may_be_named(strict=True)
    _kept = field_validator("name", "enabled", mode="before")(_not_null)


class EventChange(Checked, EventUpdate):
    reviewed: bool = may_be_named(strict=True)
    _kept = field_validator("reviewed", mode="before")(_not_null)


class Dismissal(Checked):
    reason: str | None = Field(default=None, max_length=500)
    """Why the alert is closed; it goes out with the live frame and stays in the alert's metadata."""


class NewRule(Checked, AlertRuleCreate):
    pass


class RuleChange(Checked):
    """A field that is left out stays as it is; a null clears what can be empty, and is refused elsewhere."""

    name: RuleName = may_be_named()
    description: str | None = Field(default=None, max_length=2000)
    enabled: bool = may_be_named(strict=True)
    severity: Severity = may_be_named()
    risk_threshold: Score | None = None
    object_types: Names | None = None
    camera_ids: Names | None = None
    min_confidence: float | None = Field(default=None, strict=True, ge=0, le=1)
    zones: tuple[Zone, ...] | None = Field(default=None, max_length=50)
    schedule: Schedule | None = None
    cooldown_seconds: Whole = may_be_named(ge=0, le=MOST_COOLDOWN_SECONDS)
    dedup_key_template: DedupTemplate = may_be_named()
    channels: tuple[Channel, ...] | None = None

    _kept = field_validator("name", "enabled", "severity", "cooldown_seconds", "dedup_key_template", mode="before")(
        _not_null
    )

    def applied_to(self, rule: AlertRule) -> AlertRuleCreate:
        """The rule with the named fields replaced."""
        kept = {field: getattr(rule, field) for field in AlertRuleCreate.model_fields}
        named = {field: getattr(self, field) for field in self.model_fields_set}
        if "channels" in named and named["channels"] is None:
            named["channels"] = ()
        return AlertRuleCreate.model_validate({**kept, **named})


EventIds = Annotated[tuple[Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE], ...], Field(max_length=100)]


class RuleTest(Checked):
    event_ids: EventIds | None = None
    """The events to try the rule on; the newest ones when left out."""
    test_time: Moment | None = None
    """Judge the schedule as if every event had started then; each event's own start when left out."""
    limit: Whole = Field(default=10, ge=1, le=100)
    """How many events at most; named ones are all tried unless a limit is given."""
