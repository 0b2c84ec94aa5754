"""The decisions behind the health reports."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.health import (
    CRITICAL,
    PIPELINE_WORKERS,
    components,
    of_components,
    overall,
    overall_of_all,
    seconds_since_check,
    why_not_running,
)
from schemas.frame_types import SystemHealth
from schemas.service import Service

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _service(name: str, **values: Any) -> Service:
    given = {"category": "infrastructure", "status": "running", "checked_at": NOW}
    return Service.model_validate({"name": name} | given | values)


def _rows(*changed: Service) -> dict[str, Service]:
    rows = {name: _service(name) for name in (*PIPELINE_WORKERS, "yolo26")}
    return rows | {service.name: service for service in changed}


def test_without_a_database_nothing_else_matters() -> None:
    assert overall(False, [True]) is SystemHealth.UNHEALTHY


def test_any_other_part_degrades() -> None:
    assert overall(True, [True, False]) is SystemHealth.DEGRADED
    assert overall(True, []) is SystemHealth.HEALTHY


@pytest.mark.parametrize("part", [*CRITICAL, "gpu_monitor"])
def test_of_all_parts_only_a_critical_one_is_more_than_degrading(part: str) -> None:
    works = {**dict.fromkeys((*CRITICAL, "gpu_monitor"), True), part: False}
    assert overall_of_all(works) is (SystemHealth.UNHEALTHY if part in CRITICAL else SystemHealth.DEGRADED)


def test_components_are_told_by_name() -> None:
    parts = components(_rows(), True, NOW)
    assert of_components(parts) is SystemHealth.HEALTHY
    assert parts["nemotron"] == "not_configured"
    assert set(parts) == {"database", "redis", "yolo26", "nemotron", *PIPELINE_WORKERS}


@pytest.mark.parametrize("name", ["yolo26", "analysis_worker"])
def test_a_component_that_does_not_run_degrades(name: str) -> None:
    parts = components(_rows(_service(name, status="stopped")), True, NOW)
    assert parts[name] == "unhealthy"
    assert of_components(parts) is SystemHealth.DEGRADED


def test_redis_away_degrades_and_the_database_away_is_unhealthy() -> None:
    assert of_components(components(_rows(), False, NOW)) is SystemHealth.DEGRADED
    assert of_components(components(None, True, NOW)) is SystemHealth.UNHEALTHY


def test_a_language_model_that_is_configured_counts() -> None:
    parts = components(_rows(_service("nemotron", status="unhealthy")), True, NOW)
    assert of_components(parts) is SystemHealth.DEGRADED


def test_a_report_that_is_old_is_no_report() -> None:
    old = _service("api", checked_at=NOW - timedelta(seconds=16))
    assert why_not_running(old, NOW) == "not running: the supervisor has not reported since 2026-03-01T11:59:44Z"
    assert why_not_running(None, NOW) == "not running: the supervisor has not reported it yet"


@pytest.mark.parametrize("detail", [{}, {"self_check": None}, {"self_check": {"checked_seconds_ago": "soon"}}])
def test_an_age_that_is_not_told_is_not_known(detail: dict[str, Any]) -> None:
    assert seconds_since_check(_service("yolo26", detail=detail), NOW) is None
    assert seconds_since_check(None, NOW) is None


def test_the_age_of_a_check_grows_with_the_age_of_its_report() -> None:
    row = _service("yolo26", detail={"self_check": {"checked_seconds_ago": 7}}, checked_at=NOW - timedelta(seconds=2))
    assert seconds_since_check(row, NOW) == 9.0
