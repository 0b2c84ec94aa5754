"""Alerts at the thresholds of the table, and since when."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.performance_alerts import Figure, judge
from schemas.performance import Metric, PerformanceAlert

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _judged(metric: Metric, value: float | None, before: tuple[PerformanceAlert, ...] = ()) -> PerformanceAlert | None:
    alerts = judge([Figure(metric, value)], before, NOW)
    return alerts[0] if alerts else None


@pytest.mark.parametrize(
    ("metric", "warning", "critical"),
    [
        (Metric.GPU_TEMPERATURE, 75, 85),
        (Metric.GPU_MEMORY, 90, 95),
        (Metric.CPU, 80, 95),
        (Metric.RAM, 85, 95),
        (Metric.DISK, 80, 90),
        (Metric.DATABASE_POOL, 80, 95),
    ],
)
def test_each_metric_has_its_two_thresholds(metric: Metric, warning: float, critical: float) -> None:
    assert _judged(metric, warning - 0.1) is None
    for value, severity, threshold in (
        (warning, "warning", warning),
        (critical - 0.1, "warning", warning),
        (critical, "critical", critical),
        (critical + 9, "critical", critical),
    ):
        alert = _judged(metric, value)
        assert alert is not None
        assert (alert.severity, alert.threshold, alert.value) == (severity, threshold, value)


def test_a_figure_that_is_not_known_is_not_alarming() -> None:
    assert _judged(Metric.CPU, None) is None


def test_an_alert_that_stands_keeps_its_time_and_one_that_gets_worse_has_a_new_one() -> None:
    earlier = NOW - timedelta(minutes=5)
    [standing] = judge([Figure(Metric.CPU, 85)], (), earlier)
    same, worse = _judged(Metric.CPU, 90, (standing,)), _judged(Metric.CPU, 99, (standing,))
    assert same is not None
    assert worse is not None
    assert (same.since, worse.since) == (earlier, NOW)


def test_each_gpu_has_alerts_of_its_own() -> None:
    alerts = judge([Figure(Metric.GPU_TEMPERATURE, 80, f"head/{index}") for index in (0, 1)], (), NOW)
    assert [alert.resource for alert in alerts] == ["head/0", "head/1"]
    assert alerts[1].message == "GPU temperature of head/1: 80.0 °C, warning from 75 on"
