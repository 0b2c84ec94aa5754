"""The committed description of the API, and the page that shows it."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from deployments.api.examples import page, pipeline
from deployments.api.openapi import as_text, described
from deployments.api.pages import AlertPage, CameraPage, DeliveryPage, DetectionPage, EventPage, MediaPage, RulePage
from deployments.api.views.pipeline import PipelineStatus
from deployments.api.views.readiness import Readiness
from deployments.api.views.rule_test import RuleTestReport

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"


@pytest.fixture
async def document() -> dict[str, Any]:
    return await described()


def _operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


async def test_the_committed_description_is_the_one_of_this_code(document: dict[str, Any]) -> None:
    assert COMMITTED.read_text(encoding="utf-8") == as_text(document), (
        "the API has changed: python -m deployments.api.openapi > docs/openapi.json"
    )


async def test_every_operation_is_described_and_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    operations = _operations(document)
    assert all(operation["description"] for _, operation in operations)
    names = [operation["operationId"] for _, operation in operations]
    assert len(names) == len(set(names))


async def test_every_operation_tells_its_errors_as_problems(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for status, response in operation["responses"].items():
            of_its_own = (name, status) == ("POST /api/logs/frontend/batch", "422")  # the specification gives its shape
            if status >= "400" and "/health" not in name and "/ready" not in name and not of_its_own:
                assert list(response["content"]) == ["application/problem+json"], (name, status)
        if "{" in name and "{queue}" not in name:  # an unknown queue is a 422
            assert "404" in operation["responses"], name
        if "requestBody" in operation:
            assert {"413", "415", "422"} <= set(operation["responses"]), name
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert {"Problem", "FieldError"} <= set(document["components"]["schemas"])


async def test_every_answer_in_json_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for status in ("200", "201"):
            content = operation["responses"].get(status, {}).get("content", {})
            if "application/json" in content and not name.endswith(("/health", "/ready", "/live")):
                assert "example" in content["application/json"], name


@pytest.mark.parametrize(
    ("model", "example"),
    [
        (CameraPage, page("cameras", pipeline.CAMERA)),
        (EventPage, page("events", pipeline.EVENT)),
        (DetectionPage, page("detections", pipeline.DETECTION)),
        (MediaPage, page("media", pipeline.MEDIA)),
        (AlertPage, page("alerts", pipeline.ALERT)),
        (RulePage, page("rules", pipeline.RULE)),
        (DeliveryPage, page("deliveries", pipeline.DELIVERY)),
        (RuleTestReport, pipeline.RULE_TEST),
        (Readiness, pipeline.READINESS),
        (PipelineStatus, pipeline.PIPELINE),
    ],
)
def test_every_example_is_what_the_system_would_answer(model: type[BaseModel], example: dict[str, Any]) -> None:
    assert json.loads(model.model_validate(example).model_dump_json()) == example


async def test_the_reference_page_loads_nothing_from_elsewhere(api: httpx.AsyncClient) -> None:
    page = await api.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text
    for asset, kind in (
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
        ("start.js", "text/javascript"),
    ):
        assert f"docs/{asset}" in page.text
        answer = await api.get(f"/docs/{asset}")
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
    assert (await api.get("/openapi.json")).json()["openapi"].startswith("3.1")
