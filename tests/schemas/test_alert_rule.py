"""What a rule, its schedule and its zones may hold; quiet hours share their words."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.alert_rule import AlertRuleCreate, Schedule, Weekday, Zone
from schemas.notification import QuietHours

TRIANGLE = [[0, 0], [1, 0], [1, 1]]


def rule(**fields: Any) -> AlertRuleCreate:
    return AlertRuleCreate.model_validate({"name": "Rule", **fields})


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        rule(**fields)
    return str(caught.value)


def test_a_name_is_all_that_a_rule_needs() -> None:
    made = rule()
    assert made.enabled
    assert made.severity == "medium"
    assert made.channels == ()
    assert made.dedup_key_template == "{camera_id}:{rule_id}"


def test_a_cooldown_of_zero_stays_zero_and_a_missing_one_is_300() -> None:
    assert rule(cooldown_seconds=0).cooldown_seconds == 0
    assert rule().cooldown_seconds == 300


@pytest.mark.parametrize("seconds", [-1, 604_801])
def test_a_cooldown_is_from_nothing_to_a_week(seconds: int) -> None:
    refused(cooldown_seconds=seconds)


def test_a_threshold_of_zero_stays_zero() -> None:
    assert rule(risk_threshold=0).risk_threshold == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"risk_threshold": 101},
        {"risk_threshold": -1},
        {"min_confidence": 1.01},
        {"min_confidence": float("nan")},
        {"severity": "severe"},
        {"channels": ["fax"]},
        {"unknown": 1},
        {"name": ""},
        {"name": "x" * 201},
        {"object_types": [""]},
        {"object_types": ["x"] * 101},
    ],
)
def test_what_is_out_of_range_or_unknown_is_refused(fields: dict[str, Any]) -> None:
    refused(**fields)


@pytest.mark.parametrize("control", ["\r\n", "\n", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u2029"])
def test_no_name_holds_line_breaks_or_controls(control: str) -> None:
    text = f"a{control}b"
    refused(name=text)
    refused(object_types=[text])
    refused(camera_ids=[text])
    refused(zones=[{"camera_id": text, "polygon": TRIANGLE}])
    with pytest.raises(ValidationError):
        QuietHours(id=1, label=text, start_time="22:00", end_time="06:00", days=())


def test_a_description_may_have_lines_and_no_null_character() -> None:
    assert rule(description="one\ntwo").description == "one\ntwo"
    refused(description="a\x00b")


def test_names_of_every_script_are_taken() -> None:
    made = rule(name="Nächtliche Wache 🌙", camera_ids=["hof_süd", "前门"])
    assert made.camera_ids == ("hof_süd", "前门")


@pytest.mark.parametrize(
    ("written", "day"), [("mon", "mon"), ("Monday", "mon"), ("FRI", "fri"), (" sunday ", "sun"), ("Thu", "thu")]
)
def test_a_day_is_taken_short_or_long_in_any_case(written: str, day: str) -> None:
    schedule = Schedule.model_validate({"days": [written]})
    assert schedule.days == (Weekday(day),)
    assert schedule.model_dump(mode="json")["days"] == [day]


@pytest.mark.parametrize("wrong", ["", "mo", "tues", "weekday", "0", 0, None, "mon,tue"])
def test_what_is_no_day_is_refused_instead_of_never_matching(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Schedule.model_validate({"days": [wrong]})


def test_the_days_are_numbered_as_python_numbers_them() -> None:
    assert [day.number for day in Weekday] == list(range(7))
    assert Weekday.MON.number == 0


@pytest.mark.parametrize(
    ("written", "kept"), [("22:00", "22:00"), ("22:00:00", "22:00"), ("22:00:30", "22:00:30"), ("23:59:59", "23:59:59")]
)
def test_a_time_is_kept_without_needless_seconds(written: str, kept: str) -> None:
    assert Schedule(start_time=written, end_time="06:00").start_time == kept


@pytest.mark.parametrize(
    "wrong",
    [
        "24:00",
        "25:00",
        "7:00",
        "07:60",
        "07:00:60",
        "0700",
        "07-00",
        "",
        "noon",
        "07:00Z",
        " 07:00",
        "07:00\n",
        "1٣:00",
    ],
)
def test_a_malformed_time_is_refused_instead_of_silently_allowing(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Schedule(start_time=wrong, end_time="06:00")
    with pytest.raises(ValidationError):
        QuietHours(id=1, label="Night", start_time="22:00", end_time=wrong, days=())


@pytest.mark.parametrize("alone", ["start_time", "end_time"])
def test_a_start_without_an_end_is_refused_and_the_reverse(alone: str) -> None:
    with pytest.raises(ValidationError, match="both start_time and end_time"):
        Schedule.model_validate({alone: "22:00"})


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
def test_an_iana_zone_is_taken(zone: str) -> None:
    assert Schedule(timezone=zone).timezone == zone


@pytest.mark.parametrize(
    "wrong", ["", "Europe", "Mars/Olympus", "../../etc/passwd", "/etc/localtime", "UTC\x00", "zone.tab", "x" * 65]
)
def test_what_is_no_zone_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Schedule(timezone=wrong)


@pytest.mark.parametrize(
    "polygon",
    [[], [[0, 0], [1, 1]], [[0, 0]] * 65, [[0, 0], [1, 1], [1.1, 0]], [[-0.1, 0], [1, 1], [1, 0]], [[0, 0, 0]] * 3],
)
def test_a_polygon_has_three_to_64_corners_within_the_picture(polygon: list[list[float]]) -> None:
    with pytest.raises(ValidationError):
        Zone.model_validate({"camera_id": "front_door", "polygon": polygon})


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_a_corner_is_a_finite_number(wrong: float) -> None:
    with pytest.raises(ValidationError):
        Zone.model_validate({"camera_id": "front_door", "polygon": [[wrong, 0], [1, 0], [1, 1]]})


@pytest.mark.parametrize(
    "template", ["{camera_id}:{rule_id}", "{severity}.{object_type}", "one-key_for:all.2", "{rule_id}{rule_id}"]
)
def test_a_dedup_template_of_known_fields_and_plain_signs_is_taken(template: str) -> None:
    assert rule(dedup_key_template=template).dedup_key_template == template


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{unknown}",
        "{}",
        "{camera_id",
        "camera_id}",
        "{{camera_id}}",
        "{camera_id!r}",
        "{camera_id.__class__}",
        "{camera_id:>99999}",
        "a b",
        "a\n",
        "ä",
        "a;b",
        "a#b",
        "a%b",
        "x" * 201,
    ],
)
def test_a_dedup_template_with_anything_else_is_refused(template: str) -> None:
    refused(dedup_key_template=template)


def test_equal_times_are_a_whole_day_in_a_schedule_and_refused_as_quiet_hours() -> None:
    assert Schedule(start_time="06:00", end_time="06:00:00").end_time == "06:00"
    with pytest.raises(ValidationError, match="empty"):
        QuietHours(id=1, label="Night", start_time="06:00", end_time="06:00:00", days=())


def test_a_rule_comes_back_from_its_json() -> None:
    full = rule(
        object_types=["vehicle"],
        schedule={"days": ["fri"], "start_time": "22:00", "end_time": "06:00", "timezone": "Europe/Berlin"},
        zones=[{"camera_id": "front_door", "polygon": TRIANGLE}],
        channels=["email", "webhook"],
    )
    assert TypeAdapter(AlertRuleCreate).validate_json(full.model_dump_json()) == full
