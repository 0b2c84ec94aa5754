"""How degraded the system is."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.degradation import CheckedStatus, Degradation, DegradationMode

START = datetime(2025, 3, 1, tzinfo=UTC)
NAMES = ("postgres", "redis", "yolo26", "file_watcher", "detection_worker", "analysis_worker", "nemotron")


def healthy() -> Degradation:
    degradation = Degradation(NAMES)
    for name in NAMES:
        degradation.observe(name, True, START)
    return degradation


def check(degradation: Degradation, name: str, outcomes: list[bool]) -> None:
    for number, outcome in enumerate(outcomes):
        degradation.observe(name, outcome, START + timedelta(seconds=15 * number), None if outcome else "no answer")


def down(*names: str) -> Degradation:
    degradation = healthy()
    for name in names:
        check(degradation, name, [False] * 3)
    return degradation


def test_three_failed_checks_in_a_row_make_a_service_unhealthy() -> None:
    degradation = healthy()
    check(degradation, "nemotron", [False, False])
    assert degradation.is_healthy("nemotron")

    check(degradation, "nemotron", [False])
    assert not degradation.is_healthy("nemotron")


def test_a_good_check_in_between_starts_the_count_again() -> None:
    degradation = healthy()
    check(degradation, "nemotron", [False, False, True, False, False])

    assert degradation.mode is DegradationMode.NORMAL


def test_two_good_checks_in_a_row_are_needed_to_recover() -> None:
    degradation = down("nemotron")
    check(degradation, "nemotron", [True, False, True])
    assert not degradation.is_healthy("nemotron")

    check(degradation, "nemotron", [True])
    assert degradation.mode is DegradationMode.NORMAL


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        ((), DegradationMode.NORMAL),
        (("nemotron",), DegradationMode.DEGRADED),
        (("nemotron", "analysis_worker", "detection_worker"), DegradationMode.DEGRADED),
        (("yolo26",), DegradationMode.MINIMAL),
        (("nemotron", "redis"), DegradationMode.MINIMAL),
        (("postgres", "redis", "yolo26"), DegradationMode.MINIMAL),
        (("postgres", "redis", "yolo26", "file_watcher"), DegradationMode.OFFLINE),
        (NAMES, DegradationMode.OFFLINE),
    ],
)
def test_the_mode_follows_from_what_is_down(names: tuple[str, ...], mode: DegradationMode) -> None:
    assert down(*names).mode is mode


@pytest.mark.parametrize(
    ("names", "features"),
    [
        ((), ("detection", "analysis", "events", "media")),
        (("nemotron", "redis"), ("detection", "analysis", "events", "media")),
        (("yolo26",), ("analysis", "events", "media")),
        (("analysis_worker",), ("detection", "events", "media")),
        (("postgres",), ()),
    ],
)
def test_a_feature_is_available_while_all_it_needs_works(names: tuple[str, ...], features: tuple[str, ...]) -> None:
    assert down(*names).available_features == features


def test_before_the_first_check_nothing_is_called_broken() -> None:
    degradation = Degradation(NAMES)

    assert degradation.mode is DegradationMode.NORMAL
    assert {state.status for state in degradation.services} == {CheckedStatus.UNKNOWN}


def test_a_service_that_never_worked_becomes_unhealthy_too() -> None:
    degradation = Degradation(NAMES)
    check(degradation, "yolo26", [False] * 3)

    assert degradation.mode is DegradationMode.MINIMAL


def test_each_service_tells_its_last_check_and_its_error() -> None:
    degradation = healthy()
    check(degradation, "redis", [False, False])
    [state] = [state for state in degradation.services if state.name == "redis"]

    assert state.status is CheckedStatus.HEALTHY
    assert state.consecutive_failures == 2
    assert state.error_message == "no answer"
    assert state.last_check == START + timedelta(seconds=15)


def test_a_good_check_clears_the_error() -> None:
    degradation = healthy()
    check(degradation, "redis", [False, True])

    assert all(state.error_message is None for state in degradation.services)


def test_a_disabled_service_is_not_missed() -> None:
    degradation = down("yolo26")
    degradation.forget("yolo26")
    degradation.forget("never heard of")

    assert degradation.mode is DegradationMode.NORMAL
    assert "yolo26" not in [state.name for state in degradation.services]
