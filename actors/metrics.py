"""Everything that a process counts, named in one place; each process has its own, a scrape shows the sums."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import Metric

from schemas.metric import MetricFamily, MetricKind, Series

REGISTRY = CollectorRegistry(auto_describe=False)
"""Of this process and nothing but ours: Ray fills the library's own."""

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_WORK_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

HTTP_REQUESTS = Counter(
    "http_requests_total",
    "HTTP requests answered, by the route's template; `unmatched` where none was reached.",
    ("method", "endpoint", "status"),
    registry=REGISTRY,
)
HTTP_SECONDS = Histogram(
    "http_request_duration_seconds",
    "Time from a request's arrival to the end of its answer.",
    ("method", "endpoint"),
    registry=REGISTRY,
    buckets=_REQUEST_SECONDS,
)
DETECTION_SECONDS = Histogram(
    "detection_latency_seconds",
    "Time from a file's claim until the detector had looked at all its frames; files of one claim share their time.",
    registry=REGISTRY,
    buckets=_WORK_SECONDS,
)
DETECTOR_CALL_SECONDS = Histogram(
    "detector_call_seconds",
    "Time of the model alone for one stack of frames.",
    registry=REGISTRY,
    buckets=_WORK_SECONDS,
)
FRAMES_DETECTED = Counter("frames_detected_total", "Frames that the detector has looked at.", registry=REGISTRY)
MEDIA = Counter(
    "media_files_total",
    "Files of cameras by what became of them: taken_in, refused; then detected, retried or dead.",
    ("outcome",),
    registry=REGISTRY,
)
BATCHES_CLOSED = Counter("batches_closed_total", "Batches closed, by the reason.", ("reason",), registry=REGISTRY)
EVENTS = Counter(
    "events_total", "Events stored, by risk level and standing.", ("risk_level", "assessment"), registry=REGISTRY
)
ALERTS = Counter(
    "alerts_total",
    "Rules that matched an event: the alert was raised, or held back by its cooldown.",
    ("outcome",),
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "deliveries_total",
    "Messages by channel: delivered, suppressed (with a reason in the row), failed (a try), dead (the last try).",
    ("channel", "outcome"),
    registry=REGISTRY,
)
LANGUAGE_MODEL_QUESTIONS = Counter(
    "language_model_questions_total",
    "Questions to the language model: answered, too_slow, failed, refused, busy (too many waited), cancelled.",
    ("outcome",),
    registry=REGISTRY,
)
LANGUAGE_MODEL_SECONDS = Histogram(
    "language_model_answer_seconds",
    "Time from a question's turn at the language model to its answer.",
    registry=REGISTRY,
    buckets=_WORK_SECONDS,
)
LANGUAGE_MODEL_TOKENS = Counter(
    "language_model_tokens_total",
    "Tokens of questions about batches and of the answers to them: prompt, completion; only those that were counted.",
    ("kind",),
    registry=REGISTRY,
)
MODEL_ASSESSMENTS = Counter(
    "model_assessments_total",
    "Batches and events that the language model was to assess, by what became of it: answered, away, busy, "
    "too_slow, refused, malformed, not_asked (no place was free in time).",
    ("outcome",),
    registry=REGISTRY,
)
MODEL_ASSESSMENT_SECONDS = Histogram(
    "model_assessment_seconds",
    "Time from asking the language model about a batch to its answer, waiting and a second try included.",
    registry=REGISTRY,
    buckets=_WORK_SECONDS,
)
LIVE_FRAMES = Counter(
    "live_frames_total",
    "Live frames published to Redis, or lost because it was away.",
    ("channel", "outcome"),
    registry=REGISTRY,
)
LOG_LINES = Counter(
    "log_lines_total",
    "Log lines stored, dropped (PostgreSQL was away or slower than the log) or spared (more requests than are logged).",
    ("outcome",),
    registry=REGISTRY,
)


def count_live_frames(channel: str, outcome: str, frames: int) -> None:
    LIVE_FRAMES.labels(channel, outcome).inc(frames)


def snapshot(registry: CollectorRegistry = REGISTRY) -> tuple[MetricFamily, ...]:
    """What this process has counted since it started."""
    return tuple(family for metric in registry.collect() if (family := _family(metric)) is not None)


def _family(metric: Metric) -> MetricFamily | None:
    if metric.type == "counter":
        return _counter(metric)
    return _histogram(metric) if metric.type == "histogram" else None


def _counter(metric: Metric) -> MetricFamily | None:
    samples = [sample for sample in metric.samples if sample.name == metric.name + "_total"]
    if not samples:
        return None
    labels = tuple(samples[0].labels)
    return MetricFamily(
        name=metric.name + "_total",
        kind=MetricKind.COUNTER,
        help=metric.documentation,
        labels=labels,
        series=tuple((tuple(sample.labels.values()), (sample.value,)) for sample in samples),
    )


def _histogram(metric: Metric) -> MetricFamily | None:
    buckets: dict[tuple[str, ...], list[tuple[float, float]]] = {}
    sums: dict[tuple[str, ...], float] = {}
    labels: tuple[str, ...] = ()
    for sample in metric.samples:
        own = {name: value for name, value in sample.labels.items() if name != "le"}
        labels, key = tuple(own), tuple(own.values())
        if sample.name == metric.name + "_bucket":
            buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
        elif sample.name == metric.name + "_sum":
            sums[key] = sample.value
    if not buckets:
        return None
    series: list[Series] = [
        (key, (*(count for _, count in sorted(found)), sums[key])) for key, found in buckets.items()
    ]
    bounds = sorted(bound for bound, _ in next(iter(buckets.values())))[:-1]
    return MetricFamily(
        name=metric.name,
        kind=MetricKind.HISTOGRAM,
        help=metric.documentation,
        labels=labels,
        bounds=tuple(bounds),
        series=tuple(series),
    )
