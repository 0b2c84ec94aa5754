"""Why nothing is sent."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.alert_rules import EventFacts
from domain.notification_filter import suppressed
from domain.severity import level
from schemas.notification import NotificationPolicy
from schemas.severity import Severity, SeverityBands

BERLIN = "Europe/Berlin"
NOON = datetime(2026, 1, 2, 12, tzinfo=ZoneInfo(BERLIN))
NIGHT = datetime(2026, 1, 3, 2, tzinfo=ZoneInfo(BERLIN))
NIGHT_HOURS = {"id": 1, "label": "Night", "start_time": "22:00", "end_time": "06:00", "days": ["friday"]}


def policy(
    cameras: dict[str, dict[str, Any]] | None = None, quiet: list[dict[str, Any]] | None = None, **preferences: Any
) -> NotificationPolicy:
    return NotificationPolicy.model_validate(
        {
            "preferences": preferences,
            "cameras": {name: {"id": 1, "camera_id": name, **fields} for name, fields in (cameras or {}).items()},
            "quiet_hours": quiet or [],
            "timezone": BERLIN,
        }
    )


def event(score: int = 70, camera_id: str = "front_door") -> EventFacts:
    return EventFacts(1, camera_id, score, level(score, SeverityBands()), NOON)


def test_a_fresh_system_sends_what_is_medium_or_worse() -> None:
    assert suppressed(policy(), event(30), NOON) is None
    assert suppressed(policy(), event(29), NOON) == (
        "level low is not among the levels to be told of (critical, high, medium)"
    )


def test_switched_off_is_the_first_reason() -> None:
    everything = policy({"front_door": {"enabled": False}}, [NIGHT_HOURS], enabled=False, risk_filters=[])
    assert suppressed(everything, event(), NIGHT) == "notifications are switched off"


def test_a_muted_camera_is_silent_and_others_are_not() -> None:
    muted = policy({"front_door": {"enabled": False}})
    assert suppressed(muted, event(100), NOON) == "camera front_door is muted"
    assert suppressed(muted, event(100, "driveway"), NOON) is None


@pytest.mark.parametrize(
    ("score", "reason"), [(74, "score 74 is below this camera's threshold of 75"), (75, None), (76, None)]
)
def test_a_cameras_threshold_is_reached_when_equal(score: int, reason: str | None) -> None:
    assert suppressed(policy({"front_door": {"risk_threshold": 75}}), event(score), NOON) == reason


def test_a_filter_without_levels_sends_nothing() -> None:
    assert suppressed(policy(risk_filters=[]), event(100), NOON) == (
        "level critical is not among the levels to be told of (none)"
    )


def test_a_level_that_is_left_out_is_not_sent_though_a_lower_one_is() -> None:
    only_medium = policy(risk_filters=["medium"])
    assert suppressed(only_medium, event(40), NOON) is None
    assert suppressed(only_medium, event(70), NOON)


def test_quiet_hours_are_named_with_their_end() -> None:
    assert suppressed(policy(quiet=[NIGHT_HOURS]), event(), NIGHT) == "quiet hours 'Night' until 06:00"
    assert suppressed(policy(quiet=[NIGHT_HOURS]), event(), NOON) is None


def test_quiet_hours_are_asked_of_the_given_moment_and_not_of_the_event() -> None:
    assert event().started_at == NOON
    assert suppressed(policy(quiet=[NIGHT_HOURS]), event(), NIGHT.astimezone(UTC)) is not None


def test_a_critical_event_passes_quiet_hours_when_so_configured() -> None:
    assert suppressed(policy(quiet=[NIGHT_HOURS]), event(85), NIGHT) is None
    strict = policy(quiet=[NIGHT_HOURS], critical_passes_quiet_hours=False)
    assert suppressed(strict, event(85), NIGHT) == "quiet hours 'Night' until 06:00"


def test_a_critical_alert_of_a_lesser_event_passes_quiet_hours_when_so_configured() -> None:
    assert suppressed(policy(quiet=[NIGHT_HOURS]), event(70), NIGHT, Severity.CRITICAL) is None
    assert suppressed(policy(quiet=[NIGHT_HOURS]), event(70), NIGHT, Severity.HIGH) is not None
    strict = policy(quiet=[NIGHT_HOURS], critical_passes_quiet_hours=False)
    assert suppressed(strict, event(70), NIGHT, Severity.CRITICAL) is not None


def test_critical_passes_nothing_but_quiet_hours() -> None:
    assert suppressed(policy(risk_filters=["low"]), event(100), NOON, Severity.CRITICAL) is not None
    assert suppressed(policy({"front_door": {"enabled": False}}), event(100), NOON, Severity.CRITICAL) is not None


def test_a_reason_is_one_bounded_line_whatever_a_label_holds() -> None:
    period = (
        policy(quiet=[NIGHT_HOURS])
        .quiet_hours[0]
        .model_copy(update={"label": "Night\r\nBcc: all@example.com\x1b[2J\u202e" + "z" * 5000})
    )
    hostile = policy().model_copy(update={"quiet_hours": (period,)})
    reason = suppressed(hostile, event(), NIGHT)
    assert reason is not None
    assert len(reason) < 200
    assert reason.isprintable()
    assert reason.endswith("until 06:00")


def test_a_reason_is_one_bounded_line_whatever_a_cameras_name_holds() -> None:
    camera = "a\n" * 500
    reason = suppressed(policy({camera: {"enabled": False}}), event(camera_id=camera), NOON)
    assert reason is not None
    assert len(reason) < 200
    assert reason.isprintable()
