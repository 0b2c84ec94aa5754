"""The model zoo through the API: the registry, what is known of each model, and what is not claimed."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from deployments.api.examples import models as examples
from deployments.api.views.models import ModelHistory, ModelList, ZooStatus
from domain.clock import SystemClock
from domain.model_registry import REGISTRY, registered
from schemas.model import ModelStatus, ZooModel
from schemas.service import Service, ServiceCategory, ServiceStatus
from storage.latency import LatencySamples
from storage.models import Models
from storage.postgres import Pool
from storage.services import Services

NOW = SystemClock().now


def model(name: str = "yolo11-face", **values: Any) -> ZooModel:
    entry = registered(name)
    given: dict[str, Any] = {
        "name": name,
        "display_name": entry.display_name,
        "category": entry.category,
        "status": "loaded",
        "enabled": True,
        "available": True,
        "reason": None,
        "vram_mb": 96,
        "vram_measured": True,
        "device": "cpu",
        "path": "/srv/zoo/yolo11-face.onnx",
        "last_used": "2025-12-23T10:30:00Z",
        "load_count": 2,
        "load_time_ms": 340,
        "inference_count": 17,
    }
    return ZooModel.model_validate(given | values)


async def zoo_is(pool: Pool, status: ServiceStatus, seconds_ago: float = 0, message: str | None = None) -> None:
    row = Service(
        name="model_zoo",
        category=ServiceCategory.AI,
        status=status,
        message=message,
        checked_at=NOW() - timedelta(seconds=seconds_ago),
    )
    await Services(pool).upsert_many([row])


async def zoo_has(pool: Pool, *models: ZooModel) -> None:
    await Models(pool).upsert_many(models, NOW())


async def test_the_registry_is_the_eighteen_in_their_order(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/api/system/models")).json()
    assert [one["name"] for one in answer["models"]] == [one.name for one in REGISTRY]
    assert (answer["vram_budget_mb"], answer["vram_used_mb"], answer["vram_available_mb"]) == (1650, 0, 1650)


async def test_before_the_zoo_has_ever_run_every_model_says_so(api: httpx.AsyncClient) -> None:
    models = (await api.get("/api/system/models")).json()["models"]
    for one in models:
        assert one["status"] == ("unloaded" if one["enabled"] else "disabled")
        assert not one["available"]
        assert "not reported" in one["reason"]
        assert (one["last_used"], one["load_time_ms"], one["inference_count"]) == (None, None, 0)


async def test_what_the_running_zoo_wrote_is_shown(api: httpx.AsyncClient, database: Pool) -> None:
    await zoo_is(database, ServiceStatus.RUNNING)
    await zoo_has(database, model(), model("yolo11-license-plate", status="loading", vram_mb=300, device=None))
    answer = (await api.get("/api/system/models")).json()
    assert (answer["vram_used_mb"], answer["vram_available_mb"]) == (396, 1254)
    face = next(one for one in answer["models"] if one["name"] == "yolo11-face")
    assert face == json.loads(model().model_dump_json())
    assert (await api.get("/api/system/models/yolo11-face")).json() == face


@pytest.mark.parametrize(
    ("status", "seconds_ago"),
    [(ServiceStatus.STOPPED, 0), (ServiceStatus.STARTING, 0), (ServiceStatus.DISABLED, 0), (ServiceStatus.RUNNING, 60)],
)
async def test_no_model_is_called_loaded_while_the_zoo_is_away(
    api: httpx.AsyncClient, database: Pool, status: ServiceStatus, seconds_ago: float
) -> None:
    await zoo_is(database, status, seconds_ago, "no actor of this name")
    await zoo_has(database, model())
    answer = (await api.get("/api/system/models")).json()
    face = (await api.get("/api/system/models/yolo11-face")).json()
    assert (answer["vram_used_mb"], answer["vram_available_mb"]) == (0, 1650)
    assert (face["status"], face["device"], face["available"]) == ("unloaded", None, False)
    assert face["reason"].startswith("the model zoo is ")
    assert (face["inference_count"], face["load_time_ms"]) == (17, 340)
    compact = (await api.get("/api/system/model-zoo/status")).json()
    assert sum(category["loaded"] for category in compact["categories"].values()) == 0


async def test_the_compact_status_counts_by_category(api: httpx.AsyncClient, database: Pool) -> None:
    await zoo_is(database, ServiceStatus.RUNNING)
    await zoo_has(database, model(), model("yolo26-general", status="error", reason="broken"))
    answer = (await api.get("/api/system/model-zoo/status")).json()
    assert len(answer["models"]) == 18
    assert answer["models"][1] == {
        "name": "yolo11-face",
        "category": "detection",
        "status": "loaded",
        "vram_mb": 96,
    }
    assert answer["categories"]["detection"] == {"loaded": 1, "total": 5}
    assert sum(category["total"] for category in answer["categories"].values()) == 18
    assert answer["timestamp"].endswith("Z")


@pytest.mark.parametrize("path", ["models/insightface", "model-zoo/latency/history?model=insightface"])
async def test_an_unknown_model_is_not_found(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.get(f"/api/system/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "there is no model 'insightface'"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "model"),
        ("model=yolo11-face&since=0", "since"),
        ("model=yolo11-face&since=1441", "since"),
        ("model=yolo11-face&bucket_seconds=9", "bucket_seconds"),
        ("model=yolo11-face&bucket_seconds=3601", "bucket_seconds"),
        ("model=yolo11-face&buckets=3", "buckets"),
        ("model=%00", "query"),
    ],
)
async def test_a_bad_history_is_refused_by_its_field(api: httpx.AsyncClient, query: str, field: str) -> None:
    answer = await api.get(f"/api/system/model-zoo/latency/history?{query}")
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


async def test_the_latency_history_has_exact_figures_and_null_where_nothing_ran(
    api: httpx.AsyncClient, database: Pool
) -> None:
    now = NOW()
    samples = [(now - timedelta(seconds=90), float(ms)) for ms in range(1, 101)]
    await LatencySamples(database).add("model:yolo11-face", samples)
    await LatencySamples(database).add("model:yolo11-license-plate", [(now, 9.0)])
    answer = (await api.get("/api/system/model-zoo/latency/history?model=yolo11-face&since=10")).json()
    assert answer["model"] == "yolo11-face"
    assert answer["count"] == len(answer["snapshots"])
    full = [one for one in answer["snapshots"] if one["sample_count"]]
    assert [(one["avg_ms"], one["p50_ms"], one["p95_ms"], one["sample_count"]) for one in full] == [
        (50.5, 50.5, pytest.approx(95.05, abs=0.06), 100)
    ]
    assert all(one["avg_ms"] is None for one in answer["snapshots"] if not one["sample_count"])


async def test_without_samples_the_history_is_all_null(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/api/system/model-zoo/latency/history?model=clip-vit-l&since=1&bucket_seconds=10")).json()
    assert answer["snapshots"]
    assert {(one["p50_ms"], one["sample_count"]) for one in answer["snapshots"]} == {(None, 0)}


@pytest.mark.parametrize(
    "path", ["models", "models/yolo11-face", "model-zoo/status", "model-zoo/latency/history?model=yolo11-face"]
)
async def test_without_a_database_the_answer_is_503(api_without_stores: httpx.AsyncClient, path: str) -> None:
    assert (await api_without_stores.get(f"/api/system/{path}")).status_code == 503


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        (ModelList, examples.MODEL_LIST),
        (ZooModel, examples.MODEL),
        (ZooStatus, examples.ZOO_STATUS),
        (ModelHistory, examples.HISTORY),
    ],
)
def test_the_examples_are_what_the_system_would_answer(kind: type[BaseModel], example: dict[str, Any]) -> None:
    assert json.loads(kind.model_validate(example).model_dump_json()) == example


async def test_rows_are_read_back_in_the_registrys_order_and_the_newer_stays(database: Pool) -> None:
    rows, now = Models(database), NOW()
    await rows.upsert_many([model(), model("yolo11-license-plate")], now)
    await rows.upsert_many([model(status="unloaded")], now - timedelta(seconds=1))
    assert [(one.name, one.status) for one in await rows.list()] == [
        ("yolo11-license-plate", ModelStatus.LOADED),
        ("yolo11-face", ModelStatus.LOADED),
    ]
