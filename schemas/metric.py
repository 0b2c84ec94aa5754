"""Metrics: what a process has counted since it started, in families of series."""

from enum import StrEnum

from schemas.frozen import Frozen, UtcTime

RETIRED = "retired"
"""The process name under which the sums of processes that are gone stay."""


class MetricKind(StrEnum):
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


Series = tuple[tuple[str, ...], tuple[float, ...]]
"""Label values; then a counter's or gauge's value, or a histogram's cumulative buckets with +Inf last, and its sum."""


class MetricFamily(Frozen):
    name: str
    """As it is shown: a counter's ends in `_total`."""
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """A histogram's upper bounds, rising, without +Inf."""
    series: tuple[Series, ...] = ()


class MetricSnapshot(Frozen):
    """Everything that one process has counted."""

    process: str
    """New with every start of a process."""
    component: str
    started_at: UtcTime
    families: tuple[MetricFamily, ...]
