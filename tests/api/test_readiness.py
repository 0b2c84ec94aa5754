"""The decision behind readiness, case by case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deployments.api.views.readiness import Readiness, StoreAnswers, judge
from domain.health import OTHER_WORKERS, PIPELINE_WORKERS
from schemas.service import Service

NOW = datetime(2025, 12, 23, 12, 0, tzinfo=UTC)


def _service(name: str, **values: Any) -> Service:
    given = {"category": "infrastructure", "status": "running", "checked_at": NOW}
    return Service.model_validate({"name": name} | given | values)


def _judged(*changed: Service, without: tuple[str, ...] = (), **answers: Any) -> Readiness:
    rows = {name: _service(name) for name in (*PIPELINE_WORKERS, "yolo26", "nemotron") if name not in without}
    rows |= {service.name: service for service in changed}
    given = {"services": list(rows.values()), "database_fault": None, "redis_version": "6.2.14", "redis_fault": None}
    return judge(StoreAnswers(**(given | answers)), NOW)


def test_all_well_is_ready() -> None:
    assert (_judged().ready, _judged().status) == (True, "ready")


@pytest.mark.parametrize("worker", PIPELINE_WORKERS)
@pytest.mark.parametrize("status", ["starting", "unhealthy", "stopped", "disabled"])
def test_a_pipeline_worker_that_does_not_run_is_not_ready(worker: str, status: str) -> None:
    judged = _judged(_service(worker, status=status, message="why"))
    told = next(health for health in judged.workers if health.name == worker)
    assert (judged.ready, judged.status) == (False, "not_ready")
    assert (told.running, told.message) == (False, f"{status}: why")


@pytest.mark.parametrize("worker", PIPELINE_WORKERS)
def test_a_pipeline_worker_that_was_never_reported_is_not_ready(worker: str) -> None:
    assert _judged(without=(worker,)).status == "not_ready"


def test_another_worker_that_does_not_run_is_told_and_no_obstacle() -> None:
    judged = _judged(_service("gpu_monitor", status="stopped"))
    assert judged.ready
    told = next(worker for worker in judged.workers if worker.name == "gpu_monitor")
    assert told.model_dump() == {"name": "gpu_monitor", "running": False, "message": "stopped"}
    assert [worker.name for worker in judged.workers] == [*PIPELINE_WORKERS, *OTHER_WORKERS]


def test_redis_down_is_degraded_and_not_ready() -> None:
    judged = _judged(redis_version=None, redis_fault="Redis is away")
    assert (judged.ready, judged.status) == (False, "degraded")
    assert judged.services["redis"].status == "unhealthy"


def test_database_down_is_not_ready_whatever_else() -> None:
    judged = _judged(services=None, database_fault="Database is away")
    assert (judged.ready, judged.status) == (False, "not_ready")
    assert all(worker.message == "not known while the database is away" for worker in judged.workers)


def test_a_language_model_that_is_away_is_degraded_and_ready() -> None:
    judged = _judged(_service("nemotron", status="unhealthy", message="no answer"))
    assert (judged.ready, judged.status) == (True, "degraded")
    assert judged.services["ai"].status == "degraded"
    assert judged.services["ai"].details == {"yolo26": "healthy", "nemotron": "unhealthy"}


@pytest.mark.parametrize(
    "rows", [{"without": ("nemotron",)}, {"changed": _service("nemotron", status="not_configured")}]
)
def test_a_language_model_that_is_not_configured_is_no_fault(rows: dict[str, Any]) -> None:
    judged = _judged(*[rows["changed"]] if "changed" in rows else [], without=rows.get("without", ()))
    assert judged.status == "ready"
    assert judged.services["ai"].details == {"yolo26": "healthy", "nemotron": "not_configured"}


def test_a_report_of_just_fifteen_seconds_ago_still_counts() -> None:
    assert _judged(_service("file_watcher", checked_at=NOW - timedelta(seconds=15))).ready
    assert not _judged(_service("file_watcher", checked_at=NOW - timedelta(seconds=15, milliseconds=1))).ready
