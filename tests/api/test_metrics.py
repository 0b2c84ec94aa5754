"""One scrape: the documented names, what was really counted, counters that never fall."""

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from actors.metrics import REGISTRY, snapshot
from deployments.api.deps import Services
from deployments.api.request_figures import RequestFigures
from deployments.api.routes import ROUTERS
from schemas.metric import MetricSnapshot
from storage.log_writer import LogWriter
from storage.metric_snapshots import MetricSnapshots
from storage.postgres import Pool
from tests.actors.armed_child import armed_child
from tests.storage.rows import Rows

Scraped = dict[tuple[str, frozenset[tuple[str, str]]], float]
EVERY_ENDPOINT = {route.path for router in ROUTERS for route in router.routes}  # type: ignore[attr-defined]


async def scraped(api: httpx.AsyncClient) -> Scraped:
    answer = await api.get("/api/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return of_samples(sample for family in text_string_to_metric_families(answer.text) for sample in family.samples)


def of_samples(samples: Iterable[Sample]) -> Scraped:
    found: Scraped = {}
    for sample in samples:
        key = (sample.name, frozenset(sample.labels.items()))
        assert key not in found, f"{key} twice"
        found[key] = sample.value
    return found


async def report(services: Services, process: str) -> None:
    """As this process's reporter would."""
    assert services.settings.database_url is not None
    writer = LogWriter(services.settings.database_url.get_secret_value(), "tests")
    await writer.report(
        MetricSnapshot(process=process, component="api", started_at=datetime.now(UTC), families=snapshot()), known=False
    )
    await writer.close()


def own(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_the_documented_names_have_help_type_and_labels(
    api: httpx.AsyncClient, services: Services, database: Pool
) -> None:
    await api.get("/api/events")
    await report(services, "one")
    await database.execute(
        "INSERT INTO gpu_stats (recorded_at, node, gpu_index, gpu_name, utilization) VALUES (now(), 'a', 0, 'x', 75.5)"
    )
    text = (await api.get("/api/metrics")).text
    for name, kind in (
        ("http_requests_total", "counter"),
        ("detection_latency_seconds", "histogram"),
        ("gpu_utilization_percent", "gauge"),
        ("active_events_count", "gauge"),
    ):
        assert text.count(f"# HELP {name} ") == 1
        assert text.count(f"# TYPE {name} {kind}\n") == 1
    assert re.search(r'^http_requests_total\{endpoint="/api/events",method="GET",status="200"\} \d', text, re.MULTILINE)
    assert "\ngpu_utilization_percent 75.5\n" in text
    assert "\nactive_events_count 0.0\n" in text
    for bound in ("0.1", "0.5", "1.0", "+Inf"):
        assert f'detection_latency_seconds_bucket{{le="{bound}"}} ' in text


async def test_without_a_gpu_its_figures_are_absent(api: httpx.AsyncClient) -> None:
    assert not [name for name, _ in await scraped(api) if name.startswith("gpu_")]


async def test_an_empty_system_can_be_scraped(api: httpx.AsyncClient) -> None:
    found = await scraped(api)
    assert found["active_events_count", frozenset()] == 0
    assert found["pipeline_queue_depth", frozenset({("stage", "detection")})] == 0
    assert found["cameras", frozenset({("status", "online")})] == 0


async def test_gauges_come_from_the_rows(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.camera(status="online")
    await rows.media(state="queued")
    await rows.event(started_at=datetime.now(UTC))
    await rows.service("redis")
    await rows.service("yolo26", status="unhealthy")
    await rows.service("nemotron", status="not_configured")
    found = await scraped(api)
    assert found["active_events_count", frozenset()] == 1
    assert found["pipeline_queue_depth", frozenset({("stage", "detection")})] == 1
    assert found["cameras", frozenset({("status", "online")})] == 1
    assert {key: value for (name, key), value in found.items() if name == "service_up"} == {
        frozenset({("service", "redis")}): 1,
        frozenset({("service", "yolo26")}): 0,
    }


async def test_requests_are_counted_by_template_method_and_status(api: httpx.AsyncClient) -> None:
    asked = (
        ("GET", "/api/events/4711", {"endpoint": "/api/events/{event_id}", "method": "GET", "status": "404"}),
        ("GET", "/api/events/abc", {"endpoint": "/api/events/{event_id}", "method": "GET", "status": "422"}),
        ("HEAD", "/health", {"endpoint": "/health", "method": "HEAD", "status": "200"}),
        ("POST", "/api/events", {"endpoint": "unmatched", "method": "POST", "status": "405"}),
        ("GET", "/no/such/place", {"endpoint": "unmatched", "method": "GET", "status": "404"}),
        ("BREW", "/no/such/place", {"endpoint": "unmatched", "method": "OTHER", "status": "404"}),
    )
    for method, path, labels in asked:
        before = own("http_requests_total", **labels)
        await api.request(method, path)
        assert own("http_requests_total", **labels) == before + 1, labels


async def test_labels_stay_bounded_whatever_is_asked(api: httpx.AsyncClient) -> None:
    before = _values_of("endpoint")  # other tests of this process have had routes of their own
    for number in range(50):
        await api.request(f"M{number}", f"/api/nothing/{number}?x={number}")
        await api.get(f"/api/cameras/camera_{number}")
    assert _values_of("endpoint") <= before | EVERY_ENDPOINT | {"unmatched"}
    assert len(_values_of("method")) <= 8


def _values_of(label: str) -> set[str]:
    """What this label of the counted requests has been so far, in this process."""
    (family,) = (family for family in snapshot() if family.name == "http_requests_total")
    return {labels[family.labels.index(label)] for labels, _ in family.series}


async def test_a_request_is_timed(api: httpx.AsyncClient) -> None:
    labels = {"method": "GET", "endpoint": "/health"}
    before = own("http_request_duration_seconds_count", **labels)
    await api.get("/health")
    assert own("http_request_duration_seconds_count", **labels) == before + 1


async def test_under_load_and_over_killed_and_retired_processes_no_counter_falls(
    api: httpx.AsyncClient, services: Services, database: Pool, tmp_path: Path
) -> None:
    assert services.settings.database_url is not None
    environment = {"DATABASE_URL": services.settings.database_url.get_secret_value(), "DATA_DIR": str(tmp_path)}
    counting = (
        "def count():\n"
        "    while not told:\n"
        "        metrics.MEDIA.labels('detected').inc()\n"
        "        metrics.DETECTION_SECONDS.observe(metrics.MEDIA.labels('detected')._value.get() % 7)\n"
        "        flush_process()\n"
        "threading.Thread(target=count, daemon=True).start()"
    )
    seen: list[Scraped] = []
    with armed_child("one", environment) as one, armed_child("two", environment) as two:
        for child in (one, two):
            await asyncio.to_thread(child.do, counting)
        for turn in range(60):
            if turn == 15:
                one.kill()
            if turn in (25, 40):
                await MetricSnapshots(database).retire(timedelta(0))
            seen.append(await scraped(api))
        two.do("told['enough'] = True; flush_process()")
        seen.append(await scraped(api))
    for earlier, later in pairwise(seen):
        for key, value in earlier.items():
            if key[0].endswith(("_total", "_bucket", "_count", "_sum")) and key[0] != "active_events_count":
                assert later[key] >= value, key
    for one_scrape in seen:
        assert_histograms_are_consistent(one_scrape)
    detected = ("media_files_total", frozenset({("outcome", "detected")}))
    assert seen[-1][detected] > seen[14][detected] > 0
    assert seen[-1]["detection_latency_seconds_count", frozenset()] <= seen[-1][detected]


def assert_histograms_are_consistent(found: Scraped) -> None:
    for (name, labels), count in found.items():
        if not name.endswith("_count") or name == "active_events_count":
            continue
        bucket = name.removesuffix("_count") + "_bucket"
        by_bound = sorted(
            (float(dict(key)["le"]), value)
            for (other, key), value in found.items()
            if other == bucket and frozenset(pair for pair in key if pair[0] != "le") == labels
        )
        counts = [value for _, value in by_bound]
        assert counts == sorted(counts)
        assert (by_bound[-1][0], counts[-1]) == (float("inf"), count)


async def test_what_a_label_holds_is_escaped(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service('od"d\\\nname')
    assert (await scraped(api))["service_up", frozenset({("service", 'od"d\\\nname')})] == 1


async def test_without_postgresql_there_is_no_scrape(api_without_stores: httpx.AsyncClient) -> None:
    answer = await api_without_stores.get("/api/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/api/events", "/health"])
async def test_more_requests_than_are_logged_are_counted_all_the_same(
    api: httpx.AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="deployments.api.middleware")
    labels = {"method": "GET", "endpoint": path, "status": "200"}
    before = own("http_requests_total", **labels)
    for _ in range(100):
        await api.get(path)
    lines = [record for record in caplog.records if record.name == "deployments.api.middleware"]
    assert own("http_requests_total", **labels) == before + 100
    assert len(lines) < 100


def test_a_probe_gets_a_line_when_its_answer_changes() -> None:
    class Ready:
        path = "/api/system/health/ready"

    figures, scope = RequestFigures(), {"method": "GET", "route": Ready()}
    told = [figures.worth_a_line(scope, status, 0.01, 5.0) for status in (200, 200, 503, 503, 503, 200, 200)]
    assert told == [False, False, True, False, False, True, False]
