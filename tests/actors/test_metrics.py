"""What a process counts, as a snapshot: every family with its labels, histograms consistent."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from actors.metrics import REGISTRY, count_live_frames, snapshot
from schemas.metric import MetricFamily, MetricKind


def test_counters_and_histograms_are_taken_whole() -> None:
    registry = CollectorRegistry()
    counter = Counter("a_total", "about a", ("x", "y"), registry=registry)
    histogram = Histogram("b_seconds", "about b", ("z",), registry=registry, buckets=(0.1, 1.0))
    Gauge("c", "about c", registry=registry).set(3)
    counter.labels("1", "2").inc(3)
    for seconds in (0.05, 0.5, 7.0):
        histogram.labels("w").observe(seconds)
    assert snapshot(registry) == (
        MetricFamily(
            name="a_total", kind=MetricKind.COUNTER, help="about a", labels=("x", "y"), series=((("1", "2"), (3.0,)),)
        ),
        MetricFamily(
            name="b_seconds",
            kind=MetricKind.HISTOGRAM,
            help="about b",
            labels=("z",),
            bounds=(0.1, 1.0),
            series=((("w",), (1.0, 2.0, 3.0, 7.55)),),
        ),
    )


def test_a_family_without_series_is_left_out_and_one_without_labels_is_there_at_nought() -> None:
    registry = CollectorRegistry()
    Counter("a_total", "h", ("x",), registry=registry)
    Counter("b_total", "h", registry=registry)
    assert [(family.name, family.series) for family in snapshot(registry)] == [("b_total", (((), (0.0,)),))]


def test_the_documented_names_are_there_from_the_start() -> None:
    assert {"detection_latency_seconds", "frames_detected_total"} <= {family.name for family in snapshot(REGISTRY)}
    assert "http_requests_total" in REGISTRY._names_to_collectors


def test_live_frames_are_counted_by_channel_and_outcome() -> None:
    def lost() -> float:
        return REGISTRY.get_sample_value("live_frames_total", {"channel": "alerts", "outcome": "lost"}) or 0.0

    before = lost()
    count_live_frames("alerts", "lost", 3)
    assert lost() == before + 3
