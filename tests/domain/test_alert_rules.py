"""Which events a rule matches, what it says of why, and which condition fails first."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alert_rules import EventFacts, Match, NoMatch, RuleDetection, match, match_conditions
from schemas.alert_rule import AlertRule
from schemas.detection import BoundingBox
from schemas.severity import Severity

BERLIN = "Europe/Berlin"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULE_ID = UUID("550e8400-e29b-41d4-a716-446655440000")
LEFT_HALF = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
RIGHT_HALF = [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]


def rule(**conditions: Any) -> AlertRule:
    return AlertRule.model_validate({"id": RULE_ID, "name": "Rule", "created_at": NOW, "updated_at": NOW, **conditions})


def facts(camera_id: str = "front_door", risk_score: int = 82, started_at: str = "2026-01-03T01:00Z") -> EventFacts:
    return EventFacts(1, camera_id, risk_score, Severity.HIGH, datetime.fromisoformat(started_at))


def seen(
    object_type: str = "person", confidence: float = 0.9, x: float = 100, size: int | None = 1000
) -> RuleDetection:
    """A box 20 wide around `x`, its lower edge at 500, in a square picture of `size`."""
    return RuleDetection(object_type, confidence, BoundingBox(x=x - 10, y=400, width=20, height=100), size, size)


def matched(found: Match | NoMatch) -> dict[str, str]:
    assert isinstance(found, Match), found
    return found.matched_conditions


def failed(found: Match | NoMatch) -> str:
    assert isinstance(found, NoMatch), found
    return found.condition


def test_a_rule_without_conditions_matches_every_event_even_one_without_detections() -> None:
    assert match(rule(), facts(), [], BERLIN) == Match({}, None)


def test_null_and_empty_conditions_are_absent() -> None:
    empty = rule(risk_threshold=None, object_types=[], camera_ids=[], min_confidence=None, zones=[], schedule={})
    assert matched(match(empty, facts(), [], BERLIN)) == {}


def test_a_rule_that_is_switched_off_never_matches() -> None:
    assert match(rule(enabled=False), facts(), [], BERLIN) == NoMatch("enabled", "the rule is switched off")


def test_the_rule_test_answers_what_the_conditions_say_also_while_switched_off() -> None:
    assert matched(match_conditions(rule(enabled=False, risk_threshold=80), facts(), [], BERLIN))


@pytest.mark.parametrize(("score", "expected"), [(74, False), (75, True), (76, True)])
def test_a_score_reaches_the_threshold_when_equal(score: int, expected: bool) -> None:
    found = match(rule(risk_threshold=75), facts(risk_score=score), [], BERLIN)
    assert isinstance(found, Match) is expected


def test_a_threshold_of_zero_is_a_condition_and_not_an_absent_one() -> None:
    assert matched(match(rule(risk_threshold=0), facts(risk_score=0), [], BERLIN)) == {"risk_threshold": "0 >= 0"}


def test_a_low_score_is_said_to_be_the_reason() -> None:
    found = match(rule(risk_threshold=75), facts(risk_score=40), [], BERLIN)
    assert found == NoMatch("risk_threshold", "score 40 < 75")


def test_only_the_named_cameras_match() -> None:
    named = rule(camera_ids=["front_door", "hof_süd"])
    assert matched(match(named, facts("hof_süd"), [], BERLIN)) == {"camera_ids": "hof_süd"}
    assert failed(match(named, facts("front"), [], BERLIN)) == "camera_ids"


def test_friday_night_covers_saturday_at_two() -> None:
    night = rule(schedule={"days": ["fri"], "start_time": "22:00", "end_time": "06:00"})
    assert matched(match(night, facts(started_at="2026-01-03T01:00Z"), [], BERLIN)) == {
        "schedule": "sat 02:00 (Europe/Berlin) in fri 22:00-06:00"
    }
    assert match(night, facts(started_at="2026-01-02T01:00Z"), [], BERLIN) == NoMatch(
        "schedule", "fri 02:00 (Europe/Berlin) is outside fri 22:00-06:00"
    )


def test_a_schedule_of_its_own_zone_is_read_in_that_zone() -> None:
    evening = rule(schedule={"start_time": "20:00", "end_time": "21:00", "timezone": "America/New_York"})
    assert matched(match(evening, facts(started_at="2026-01-03T01:00Z"), [], BERLIN))


@pytest.mark.parametrize("detected", ["person", "Person", "PERSON "])
def test_object_types_are_compared_without_regard_to_case_and_space(detected: str) -> None:
    assert isinstance(match(rule(object_types=["Person"]), facts(), [seen(detected)], BERLIN), Match)


def test_two_words_match_with_space_or_underscore() -> None:
    found = match(rule(object_types=["traffic_light"]), facts(), [seen("traffic light")], BERLIN)
    assert matched(found) == {"object_types": "traffic light"}


@pytest.mark.parametrize("detected", ["car", "truck", "bus"])
def test_vehicle_matches_what_the_detector_calls_car_truck_and_bus(detected: str) -> None:
    assert matched(match(rule(object_types=["vehicle"]), facts(), [seen(detected)], BERLIN)) == {
        "object_types": detected
    }


def test_an_object_type_that_was_not_seen_fails() -> None:
    assert failed(match(rule(object_types=["vehicle"]), facts(), [seen("person")], BERLIN)) == "object_types"
    assert failed(match(rule(object_types=["vehicle"]), facts(), [], BERLIN)) == "object_types"


def test_object_types_that_name_nothing_match_nothing() -> None:
    assert failed(match(rule(object_types=["_", " "]), facts(), [seen("person")], BERLIN)) == "object_types"


def test_object_type_and_confidence_are_not_satisfied_by_two_different_detections() -> None:
    both = rule(object_types=["person"], min_confidence=0.8)
    found = match(both, facts(), [seen("person", 0.4), seen("car", 0.95)], BERLIN)
    assert found == NoMatch("min_confidence", "the most certain one has 0.4; the rule asks for 0.8")


def test_object_type_and_zone_are_not_satisfied_by_two_different_detections() -> None:
    zoned = rule(object_types=["person"], zones=[{"camera_id": "front_door", "polygon": LEFT_HALF}])
    assert failed(match(zoned, facts(), [seen("person", x=900), seen("car", x=100)], BERLIN)) == "zones"


def test_confidence_and_zone_are_not_satisfied_by_two_different_detections() -> None:
    zoned = rule(min_confidence=0.8, zones=[{"camera_id": "front_door", "polygon": LEFT_HALF}])
    found = match(zoned, facts(), [seen(confidence=0.9, x=900), seen(confidence=0.4, x=100)], BERLIN)
    assert failed(found) == "zones"


def test_one_detection_that_satisfies_all_three_together_matches_among_others_that_do_not() -> None:
    all_three = rule(
        object_types=["person"], min_confidence=0.8, zones=[{"camera_id": "front_door", "polygon": LEFT_HALF}]
    )
    detections = [seen("car", 0.99, x=100), seen("person", 0.95, x=900), seen("person", 0.85, x=100)]
    found = match(all_three, facts(), detections, BERLIN)
    assert matched(found) == {
        "object_types": "person",
        "min_confidence": "0.85 >= 0.8",
        "zones": "zone 1 of front_door",
    }


@pytest.mark.parametrize("stored", [0.9, 0.8999999761581421])
def test_a_confidence_equal_to_the_minimum_reaches_it_also_after_single_precision(stored: float) -> None:
    assert isinstance(match(rule(min_confidence=0.9), facts(), [seen(confidence=stored)], BERLIN), Match)


def test_a_confidence_just_below_the_minimum_does_not_reach_it() -> None:
    assert failed(match(rule(min_confidence=0.9), facts(), [seen(confidence=0.8999)], BERLIN)) == "min_confidence"


def test_a_minimum_of_zero_still_asks_for_a_detection() -> None:
    assert match(rule(min_confidence=0), facts(), [], BERLIN) == NoMatch(
        "min_confidence", "nothing was seen; the rule asks for 0"
    )


def test_a_zone_says_nothing_of_another_camera() -> None:
    zoned = rule(zones=[{"camera_id": "driveway", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}])
    assert match(zoned, facts("front_door"), [seen()], BERLIN) == NoMatch(
        "zones", "the rule has no zone for camera front_door"
    )
    assert isinstance(match(zoned, facts("driveway"), [seen()], BERLIN), Match)


def test_one_of_several_zones_is_enough_and_is_named() -> None:
    zoned = rule(
        zones=[
            {"camera_id": "driveway", "polygon": RIGHT_HALF},
            {"camera_id": "front_door", "polygon": LEFT_HALF},
            {"camera_id": "front_door", "polygon": RIGHT_HALF},
        ]
    )
    assert matched(match(zoned, facts(), [seen(x=900)], BERLIN)) == {"zones": "zone 3 of front_door"}


def test_an_object_is_where_its_feet_are_and_not_where_its_head_is() -> None:
    lower = rule(zones=[{"camera_id": "front_door", "polygon": [[0, 0.9], [1, 0.9], [1, 1], [0, 1]]}])
    tall = RuleDetection("person", 0.9, BoundingBox(x=10, y=0, width=20, height=95), 100, 100)
    floating = RuleDetection("person", 0.9, BoundingBox(x=10, y=0, width=20, height=50), 100, 100)
    assert isinstance(match(lower, facts(), [tall], BERLIN), Match)
    assert failed(match(lower, facts(), [floating], BERLIN)) == "zones"


def test_a_detection_of_unknown_picture_size_is_in_no_zone() -> None:
    zoned = rule(zones=[{"camera_id": "front_door", "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}])
    assert failed(match(zoned, facts(), [seen(size=None)], BERLIN)) == "zones"


def test_the_most_confident_of_those_that_satisfy_the_rule_gives_the_object_type() -> None:
    detections = [seen("car", 0.99), seen("dog", 0.7), seen("cat", 0.8)]
    found = match(rule(object_types=["animal"]), facts(), detections, BERLIN)
    assert isinstance(found, Match)
    assert found.object_type == "cat"


def test_a_rule_that_asks_for_no_object_still_has_the_object_type_of_the_event() -> None:
    found = match(rule(risk_threshold=1), facts(), [seen("dog", 0.7), seen("cat", 0.8)], BERLIN)
    assert found == Match({"risk_threshold": "82 >= 1"}, "cat")


def test_the_matched_conditions_come_in_a_stable_order_and_are_json() -> None:
    full = rule(
        camera_ids=["front_door"],
        risk_threshold=75,
        schedule={"days": ["saturday"]},
        object_types=["person"],
        min_confidence=0.8,
        zones=[{"camera_id": "front_door", "polygon": LEFT_HALF}],
    )
    conditions = matched(match(full, facts(), [seen(confidence=0.912)], BERLIN))
    assert json.loads(json.dumps(conditions)) == {
        "camera_ids": "front_door",
        "risk_threshold": "82 >= 75",
        "schedule": "sat 02:00 (Europe/Berlin) in sat",
        "object_types": "person",
        "min_confidence": "0.912 >= 0.8",
        "zones": "zone 1 of front_door",
    }
    assert list(conditions) == [
        "camera_ids",
        "risk_threshold",
        "schedule",
        "object_types",
        "min_confidence",
        "zones",
    ]


def test_what_a_detector_calls_its_classes_cannot_break_the_line() -> None:
    found = match(rule(object_types=["a person"]), facts(), [seen("a\r\n person\u202e")], BERLIN)
    assert failed(found) == "object_types"
    found = match(rule(object_types=["a person"]), facts(), [seen("a\r\n\u2028person")], BERLIN)
    assert matched(found) == {"object_types": "a person"}


def test_long_lists_and_names_do_not_fill_the_page() -> None:
    long_names = [f"{n}{'k' * 90}" for n in range(100)]
    no_type = match(rule(object_types=long_names), facts(), [seen()], BERLIN)
    no_camera = match(rule(camera_ids=long_names), facts("c" * 5000), [], BERLIN)
    no_zone = match(rule(zones=[{"camera_id": "x", "polygon": LEFT_HALF}]), facts("c" * 5000), [seen()], BERLIN)
    for found in (no_type, no_camera, no_zone):
        assert isinstance(found, NoMatch)
        assert len(found.because) < 200


conditions = st.fixed_dictionaries(
    {},
    optional={
        "risk_threshold": st.integers(0, 100),
        "object_types": st.lists(st.sampled_from(["person", "vehicle", "dog"]), max_size=2),
        "min_confidence": st.sampled_from([0.0, 0.3, 0.6, 0.9]),
        "camera_ids": st.lists(st.sampled_from(["front_door", "driveway"]), max_size=2),
        "zones": st.lists(
            st.builds(
                lambda camera, half: {"camera_id": camera, "polygon": half},
                st.sampled_from(["front_door", "driveway"]),
                st.sampled_from([LEFT_HALF, RIGHT_HALF]),
            ),
            max_size=2,
        ),
        "schedule": st.sampled_from([{"days": ["sat"]}, {"start_time": "06:00", "end_time": "18:00"}]),
    },
)
detections = st.lists(
    st.builds(
        seen,
        st.sampled_from(["person", "car", "dog"]),
        st.sampled_from([0.2, 0.5, 0.8, 0.95]),
        st.sampled_from([100.0, 900.0]),
    ),
    max_size=5,
)


@settings(deadline=None)
@given(conditions, detections, st.integers(0, 100))
def test_a_rule_matches_exactly_when_the_event_fits_and_some_single_detection_does(
    asked: dict[str, Any], given_detections: list[RuleDetection], score: int
) -> None:
    event = facts(risk_score=score)
    found = match(rule(**asked), event, given_detections, BERLIN)
    of_event = {k: v for k, v in asked.items() if k in ("risk_threshold", "camera_ids", "schedule")}
    of_object = {k: v for k, v in asked.items() if k not in of_event and v not in ([], None)}
    event_fits = isinstance(match(rule(**of_event), event, [], BERLIN), Match)
    alone = [isinstance(match(rule(**of_object), event, [d], BERLIN), Match) for d in given_detections]
    assert isinstance(found, Match) is (event_fits and (not of_object or any(alone)))


@settings(deadline=None)
@given(conditions, detections, st.integers(0, 100))
def test_the_explanation_names_a_condition_that_the_rule_has(
    asked: dict[str, Any], given_detections: list[RuleDetection], score: int
) -> None:
    found = match(rule(**asked), facts(risk_score=score), given_detections, BERLIN)
    present = {name for name, value in asked.items() if value != []}
    if isinstance(found, NoMatch):
        assert found.condition in present
        assert found.because
    else:
        assert set(found.matched_conditions) == present
