"""One Prometheus scrape for the whole system: sums over every process, and gauges from the rows of the same moment."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from domain.clock import Clock
from schemas.alert import AlertStatus
from schemas.camera import CameraStatus
from schemas.metric import MetricFamily, MetricKind
from schemas.service import ServiceStatus
from storage.metric_scrape import GpuFigures, MetricScrapes, Scrape

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_LEAST_GPU_SPAN = timedelta(seconds=60)
_CHOICES = (ServiceStatus.DISABLED, ServiceStatus.NOT_CONFIGURED)
"""Not running is what somebody wanted."""


class MetricsView:
    def __init__(self, scrapes: MetricScrapes, clock: Clock, gpu_poll_seconds: float) -> None:
        self._scrapes = scrapes
        self._clock = clock
        self._gpu_fresh = max(_LEAST_GPU_SPAN, timedelta(seconds=3 * gpu_poll_seconds))

    async def text(self) -> str:
        """The exposition format, version 0.0.4."""
        scrape = await self._scrapes.scrape(self._clock.now(), self._gpu_fresh)
        return generate_latest(_Shown(scrape)).decode()


class _Shown(Collector):
    def __init__(self, scrape: Scrape) -> None:
        self._scrape = scrape

    def collect(self) -> Iterator[Metric]:
        yield from _counted(self._scrape)
        yield from _from_rows(self._scrape)
        yield from _of_gpus(self._scrape)


def _counted(scrape: Scrape) -> Iterator[Metric]:
    """Families of one name, from versions that gave it other labels, are shown as one."""
    shown: dict[str, Metric] = {}
    for family in scrape.counted:
        metric = shown.setdefault(family.name, _empty(family))
        if metric.type == family.kind.value:
            metric.samples.extend(_samples(family))
    yield from shown.values()


def _empty(family: MetricFamily) -> Metric:
    kind = CounterMetricFamily if family.kind is MetricKind.COUNTER else HistogramMetricFamily
    return kind(family.name, family.help, labels=family.labels)


def _samples(family: MetricFamily) -> Iterator[Sample]:
    for values, figures in family.series:
        labels = dict(zip(family.labels, values, strict=True))
        if family.kind is MetricKind.COUNTER:
            yield Sample(family.name, labels, figures[0])
            continue
        *buckets, total = figures
        for bound, count in zip([*map(_bound, family.bounds), "+Inf"], buckets, strict=True):
            yield Sample(family.name + "_bucket", {**labels, "le": bound}, count)
        yield Sample(family.name + "_count", labels, buckets[-1])
        yield Sample(family.name + "_sum", labels, total)


def _bound(bound: float) -> str:
    return repr(float(bound))


def _from_rows(scrape: Scrape) -> Iterator[Metric]:
    yield _gauge(
        "active_events_count",
        "Events that started in the last 24 hours and that nobody has reviewed.",
        scrape.active_events,
    )
    yield _gauge("open_batches", "Batches that still gather detections.", scrape.open_batches)
    yield _labelled("pipeline_queue_depth", "Rows that wait or are in work, by stage.", "stage", scrape.queued)
    yield _labelled("dead_letters", "Rows that were given up, by dead letter queue.", "queue", scrape.dead)
    cameras = {status.value: scrape.cameras.get(status.value, 0) for status in CameraStatus}
    yield _labelled("cameras", "Cameras by status.", "status", cameras)
    alerts = {status.value: scrape.alerts.get(status.value, 0) for status in AlertStatus}
    yield _labelled("alerts_last_day", "Alerts raised in the last 24 hours, by status.", "status", alerts)
    up = {
        name: int(status == ServiceStatus.RUNNING.value)
        for name, status in scrape.services.items()
        if status not in _CHOICES
    }
    yield _labelled(
        "service_up", "1 for a service that runs, 0 for one that should; absent where nobody looked.", "service", up
    )
    yield _labelled(
        "processes_reporting", "Processes whose figures came of late, by component.", "component", scrape.processes
    )


def _of_gpus(scrape: Scrape) -> Iterator[Metric]:
    """Absent without a GPU, and where a GPU does not give a figure. The names without labels are the first GPU's."""
    first = scrape.gpus[0] if scrape.gpus else None
    if first is not None and first.utilization is not None:
        yield _gauge("gpu_utilization_percent", "Utilization of the first GPU.", first.utilization)
    for name, text, figure in (
        ("gpu_device_utilization_percent", "Utilization of each GPU.", lambda gpu: gpu.utilization),
        ("gpu_memory_used_bytes", "Memory in use on each GPU.", lambda gpu: _bytes(gpu.memory_used_mb)),
        ("gpu_memory_total_bytes", "Memory of each GPU.", lambda gpu: _bytes(gpu.memory_total_mb)),
        ("gpu_temperature_celsius", "Temperature of each GPU.", lambda gpu: gpu.temperature),
        ("gpu_power_watts", "Power that each GPU draws.", lambda gpu: gpu.power_watts),
    ):
        figures = [(_gpu_labels(gpu), figure(gpu)) for gpu in scrape.gpus]
        metric = GaugeMetricFamily(name, text, labels=("node", "gpu"))
        for labels, value in figures:
            if value is not None:
                metric.add_metric(labels, value)
        if metric.samples:
            yield metric


def _gpu_labels(gpu: GpuFigures) -> list[str]:
    return [gpu.node, str(gpu.index)]


def _bytes(megabytes: int | None) -> float | None:
    return None if megabytes is None else megabytes * 2.0**20


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _labelled(name: str, text: str, label: str, figures: Mapping[str, float]) -> Metric:
    metric = GaugeMetricFamily(name, text, labels=(label,))
    for value, figure in figures.items():
        metric.add_metric([value], figure)
    return metric
