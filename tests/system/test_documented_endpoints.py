"""Every documented endpoint on the running system: its fields, types, defaults, ranges and statuses."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deployments.api.access.table import ROUTES
from tests.eventually import eventually_sync
from tests.system.documented.answers import Documented
from tests.system.documented.endpoints import DOCUMENTED
from tests.system.documented.refused import REFUSED
from tests.system.house import House
from tests.system.pictures import picture, upload
from tests.system.test_main_job import make_camera, make_rule

SETTINGS = ("/api/system/config", "/api/system/severity", "/api/system/anomaly-config", "/api/notification-preferences")


@pytest.fixture(scope="module")
def made(house: House) -> Iterator[dict[str, Any]]:
    """What the paths of the tables speak of, made as a person and a camera would; what was set is set back."""
    before = {path: house.get(path) for path in SETTINGS}
    camera = make_camera(house, "Documented")
    rule = make_rule(house, camera)
    spare = make_rule(house, camera, name="deleted soon", enabled=False)
    upload(house.cameras / "Documented", "a.jpg", picture(9001))
    eventually_sync(lambda: bool(house.get("/api/alerts", camera_id=camera)["alerts"]), 90)
    # The first figures and log lines are there some seconds after the start.
    eventually_sync(lambda: bool(house.get("/api/logs", limit=1)["logs"]), 60)
    eventually_sync(lambda: house.get("/api/system/performance/history")["count"] > 0, 60)
    period = {"label": "Nap", "start_time": "13:00", "end_time": "14:00", "days": ["sunday"]}
    yield {
        "camera": camera,
        "rule": rule["id"],
        "spare_rule": spare["id"],
        "alert": house.get("/api/alerts", camera_id=camera)["alerts"][0]["id"],
        "log": house.get("/api/logs", limit=1)["logs"][0]["id"],
        "period": house.api.post("/api/notification-preferences/quiet-hours", json=period).json()["id"],
    }
    house.api.patch("/api/system/config", json={"retention_days": before[SETTINGS[0]]["retention_days"]})
    anomaly = {name: before[SETTINGS[2]][name] for name in ("threshold_stdev", "min_samples")}
    house.api.patch(SETTINGS[2], json=anomaly)
    preferences = {name: before[SETTINGS[3]][name] for name in ("enabled", "sound", "risk_filters")}
    house.api.put(SETTINGS[3], json=preferences)
    for left in house.get("/api/notification-preferences/quiet-hours")["periods"]:
        house.api.delete(f"/api/notification-preferences/quiet-hours/{left['id']}")


def test_all_62_documented_endpoints_are_in_the_table() -> None:
    assert len({(row.method, re.sub(r"\{\w+\}", "{}", row.path)) for row in DOCUMENTED}) == 62


@pytest.mark.parametrize("row", DOCUMENTED, ids=str)
def test_the_endpoint_answers_as_documented(house: House, made: dict[str, Any], row: Documented) -> None:
    path = row.path.format(**made)
    response = house.api.request(row.method, path, params=dict(row.query), json=row.body)
    assert response.status_code in row.status, f"{row.section}: {response.status_code} {response.text[:2000]}"
    assert response.headers["x-request-id"]
    if response.status_code in (200, 201) and response.headers.get("content-type", "").startswith("application/json"):
        faults = list(row.answer.faults(response.json(), "answer"))
        assert faults == [], f"{row.section}: {faults}"


@pytest.mark.parametrize(("method", "path", "query", "body", "status"), REFUSED)
def test_what_lies_beyond_the_documented_is_refused_with_a_problem(
    house: House, made: dict[str, Any], method: str, path: str, query: dict[str, Any], body: Any, status: int
) -> None:
    response = house.api.request(method, path.format(**made), params=query, json=body)
    assert response.status_code == status, response.text[:2000]
    if path == "/api/logs/frontend/batch":
        assert response.json() == {"success": False, "count": 0} | {
            key: response.json()[key] for key in ("message", "errors")
        }
        return
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["status"] == status
    assert {"type", "title", "detail", "instance", "request_id"} <= problem.keys()
    if status == 422:
        assert all(fault["field"] and fault["message"] for fault in problem["errors"])
        assert problem["errors"]


def test_the_scrape_has_the_documented_metrics_and_can_be_parsed(house: House, made: dict[str, Any]) -> None:
    response = house.api.get("/api/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    families = {family.name: family.type for family in text_string_to_metric_families(response.text)}
    assert families["http_requests"] == "counter"
    assert families["detection_latency_seconds"] == "histogram"
    assert families["active_events_count"] == "gauge"


def test_every_route_of_the_reference_is_classified(house: House) -> None:
    described = house.get("/openapi.json")["paths"]
    routes = {(method.upper(), path) for path, operations in described.items() for method in operations}
    assert routes <= set(ROUTES)
