"""Which figures are alarming.

| metric                     | warning | critical |
|----------------------------|---------|----------|
| GPU temperature            | 75 °C   | 85 °C    |
| GPU memory                 | 90 %    | 95 %     |
| processor                  | 80 %    | 95 %     |
| memory                     | 85 %    | 95 %     |
| disk                       | 80 %    | 90 %     |
| connections to PostgreSQL  | 80 %    | 95 %     |

A threshold counts as reached at its very value. A figure that is not known is not alarming.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.performance import AlertSeverity, Metric, PerformanceAlert


@dataclass(frozen=True)
class Thresholds:
    warning: float
    critical: float
    unit: str
    words: str


THRESHOLDS: Mapping[Metric, Thresholds] = {
    Metric.GPU_TEMPERATURE: Thresholds(75, 85, "°C", "GPU temperature"),
    Metric.GPU_MEMORY: Thresholds(90, 95, "%", "GPU memory"),
    Metric.CPU: Thresholds(80, 95, "%", "processor load"),
    Metric.RAM: Thresholds(85, 95, "%", "memory in use"),
    Metric.DISK: Thresholds(80, 90, "%", "disk in use"),
    Metric.DATABASE_POOL: Thresholds(80, 95, "%", "PostgreSQL connections in use"),
}


@dataclass(frozen=True)
class Figure:
    metric: Metric
    value: float | None
    resource: str | None = None


def judge(figures: Sequence[Figure], before: Sequence[PerformanceAlert], now: datetime) -> tuple[PerformanceAlert, ...]:
    """The alerts of these figures; one that stood at this severity before keeps its `since`."""
    known = {(alert.metric, alert.resource, alert.severity): alert.since for alert in before}
    return tuple(alert for figure in figures if (alert := _judge_one(figure, known, now)) is not None)


def _judge_one(
    figure: Figure, known: Mapping[tuple[Metric, str | None, AlertSeverity], datetime], now: datetime
) -> PerformanceAlert | None:
    thresholds = THRESHOLDS[figure.metric]
    if figure.value is None or figure.value < thresholds.warning:
        return None
    critical = figure.value >= thresholds.critical
    severity = AlertSeverity.CRITICAL if critical else AlertSeverity.WARNING
    threshold = thresholds.critical if critical else thresholds.warning
    of = f" of {figure.resource}" if figure.resource else ""
    return PerformanceAlert(
        severity=severity,
        metric=figure.metric,
        resource=figure.resource,
        value=round(figure.value, 1),
        threshold=threshold,
        message=f"{thresholds.words}{of}: {figure.value:.1f} {thresholds.unit}, {severity} from {threshold:.0f} on",
        since=known.get((figure.metric, figure.resource, severity), now),
    )
