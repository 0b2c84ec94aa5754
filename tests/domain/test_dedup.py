"""Keys that nothing can inject into, and cooldowns that only what was told can start."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alert_rules import EventFacts
from domain.dedup import MAX_KEY_CHARS, PastAlert, dedup_key, in_cooldown, last_relevant, silences
from schemas.alert_rule import AlertRule
from schemas.delivery import DeliveryStatus
from schemas.severity import Severity

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULE_ID = UUID("550e8400-e29b-41d4-a716-446655440000")


def rule(template: str | None = None, **fields: Any) -> AlertRule:
    if template is not None:
        fields["dedup_key_template"] = template
    return AlertRule.model_validate({"id": RULE_ID, "name": "R", "created_at": NOW, "updated_at": NOW, **fields})


def facts(camera_id: str = "front_door") -> EventFacts:
    return EventFacts(1, camera_id, 82, Severity.HIGH, NOW)


def test_the_default_key_is_camera_and_rule() -> None:
    assert dedup_key(rule(), facts(), "person") == f"front_door:{RULE_ID}"


def test_every_placeholder_is_filled_in() -> None:
    template = "v1:{camera_id}:{object_type}:{severity}:{rule_id}.x"
    key = dedup_key(rule(template, severity="critical"), facts(), "Traffic Light")
    assert key == f"v1:front_door:traffic_light:critical:{RULE_ID}.x"


def test_the_letters_of_every_script_stay() -> None:
    assert dedup_key(rule("{camera_id}"), facts("tür_öst_前门_दरवाज़ा"), None) == "tür_öst_前门_दरवाज़ा"


def test_spellings_of_one_class_have_one_key() -> None:
    with_type = rule("{object_type}")
    keys = {dedup_key(with_type, facts(), name) for name in ("traffic light", "Traffic_Light", "TRAFFIC-LIGHT")}
    assert keys == {"traffic_light"}


@pytest.mark.parametrize("value", ["person:front_door", "a.b", "{rule_id}", "x\ny", "a%3A;b", "back\\slash", "\udc80"])
def test_a_value_cannot_end_its_place_in_the_template(value: str) -> None:
    by_type = dedup_key(rule("{object_type}:{severity}"), facts(), value)
    by_camera = dedup_key(rule("{camera_id}:{severity}"), facts(value), None)
    for key in (by_type, by_camera):
        assert key.count(":") == 1
        assert key.endswith(":medium")
        assert not set(key) & set(".{}\n\\")


def test_a_value_that_spells_a_placeholder_is_not_filled_in() -> None:
    assert str(RULE_ID) not in dedup_key(rule("{camera_id}:{object_type}"), facts("{rule_id}"), "{rule_id}")


def test_an_event_without_objects_shares_no_key_with_any_class() -> None:
    by_type = rule("{object_type}")
    without = dedup_key(by_type, facts(), None)
    assert without == "-"
    assert without not in {dedup_key(by_type, facts(), name) for name in ("none", "null", "person", "%")}


def test_a_key_that_would_be_too_long_is_cut_and_stays_its_own() -> None:
    template = "{camera_id}:" * 14 + "{object_type}"
    keys = {dedup_key(rule(template), facts("k" * 64), name) for name in ("person", "car")}
    assert len(keys) == 2
    assert all(len(key) == MAX_KEY_CHARS and "#" in key for key in keys)


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_different_cameras_have_different_keys(one: str, other: str) -> None:
    by_camera = rule("{camera_id}:{severity}")
    assert (dedup_key(by_camera, facts(one), None) == dedup_key(by_camera, facts(other), None)) is (one == other)


@settings(deadline=None)
@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_every_key_is_bounded_and_fits_into_an_index(camera: str, kind: str) -> None:
    key = dedup_key(rule("{camera_id}:{camera_id}:{object_type}"), facts(camera), kind)
    assert len(key) <= MAX_KEY_CHARS
    assert len(key.encode()) <= 2600
    assert "\x00" not in key


@pytest.mark.parametrize(
    ("seconds_ago", "expected"),
    [(0, True), (299.999, True), (300, False), (300.001, False), (-0.5, True), (-299, True), (-301, False)],
)
def test_the_cooldown_lasts_its_seconds_and_no_clock_makes_it_longer(seconds_ago: float, expected: bool) -> None:
    assert in_cooldown(NOW - timedelta(seconds=seconds_ago), 300, NOW) is expected


def test_a_cooldown_of_zero_is_none() -> None:
    assert not in_cooldown(NOW, 0, NOW)


def test_without_an_earlier_alert_there_is_no_cooldown() -> None:
    assert not in_cooldown(None, 300, NOW)


def alert(severity: str, *deliveries: str, minutes_ago: int = 1) -> PastAlert:
    statuses = tuple(DeliveryStatus(status) for status in deliveries)
    return PastAlert(NOW - timedelta(minutes=minutes_ago), Severity(severity), statuses)


def test_a_low_alert_never_silences_a_critical_one() -> None:
    assert not silences(alert("low", "delivered"), Severity.CRITICAL)


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_an_alert_as_severe_or_more_silences(severity: str) -> None:
    assert silences(alert(severity, "delivered"), Severity.HIGH)


@pytest.mark.parametrize("statuses", [["suppressed"], ["dead"], ["dead", "suppressed"]])
def test_an_alert_that_was_never_sent_silences_none_that_would_be(statuses: list[str]) -> None:
    assert not silences(alert("high", *statuses), Severity.HIGH)


@pytest.mark.parametrize("statuses", [["suppressed"], ["dead"], [], ["delivered"]])
def test_an_alert_that_nobody_would_be_told_of_is_silenced_by_any_as_severe(statuses: list[str]) -> None:
    assert silences(alert("high", *statuses), Severity.HIGH, would_be_sent=False)
    assert not silences(alert("low", *statuses), Severity.HIGH, would_be_sent=False)


def test_the_first_alert_after_quiet_hours_is_not_silenced_by_those_suppressed_within_them() -> None:
    past = [alert("high", "suppressed", minutes_ago=1), alert("high", "suppressed", minutes_ago=3)]
    assert last_relevant(past, Severity.HIGH, would_be_sent=False) == NOW - timedelta(minutes=1)
    assert last_relevant(past, Severity.HIGH, would_be_sent=True) is None


@pytest.mark.parametrize(
    "statuses", [["queued"], ["sending"], ["delivered"], ["suppressed", "queued"], ["dead", "delivered"]]
)
def test_an_alert_that_was_told_or_is_about_to_be_silences(statuses: list[str]) -> None:
    assert silences(alert("high", *statuses), Severity.HIGH)


def test_an_alert_that_is_shown_and_sent_nowhere_silences() -> None:
    assert silences(alert("high"), Severity.HIGH)


def test_the_last_relevant_alert_is_the_newest_that_silences() -> None:
    past = [
        alert("low", "delivered", minutes_ago=1),
        alert("high", "suppressed", minutes_ago=2),
        alert("high", "delivered", minutes_ago=4),
        alert("critical", "queued", minutes_ago=3),
    ]
    assert last_relevant(past, Severity.HIGH) == NOW - timedelta(minutes=3)
    assert last_relevant(past, Severity.LOW) == NOW - timedelta(minutes=1)
    assert last_relevant(past[:2], Severity.HIGH) is None


@settings(deadline=None)
@given(st.timedeltas(timedelta(-7), timedelta(7)), st.integers(0, 604_800), st.integers(0, 604_800))
def test_a_longer_cooldown_never_ends_earlier(away: timedelta, one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert in_cooldown(NOW - away, shorter, NOW) <= in_cooldown(NOW - away, longer, NOW)
