"""/api/system/cleanup: its state from rows, its work by the clean-up service."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import httpx
import pytest

from actors.ports import CleanupRunning
from deployments.api.app import create_app
from deployments.api.deps import Services
from deployments.api.examples.cleanup import CLEANUP_REPORT, CLEANUP_STATUS, ORPHAN_REPORT
from domain.retention import next_run
from schemas.audit import Caller
from schemas.cleanup import CleanupReport, CleanupStatus, OrphanReport
from tests.storage.rows import Rows


class FakeCleanup:
    """Answers the examples, or raises; keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool, Caller]] = []
        self.raises: Exception | None = None

    async def run(self, dry_run: bool, caller: Caller) -> CleanupReport:
        self._take("run", dry_run, caller)
        return CleanupReport.model_validate({**CLEANUP_REPORT, "dry_run": dry_run})

    async def orphans(self, dry_run: bool, caller: Caller) -> OrphanReport:
        self._take("orphans", dry_run, caller)
        return OrphanReport.model_validate({**ORPHAN_REPORT, "dry_run": dry_run})

    def _take(self, what: str, dry_run: bool, caller: Caller) -> None:
        if self.raises is not None:
            raise self.raises
        self.asked.append((what, dry_run, caller))


@pytest.fixture
def cleanup() -> FakeCleanup:
    return FakeCleanup()


@pytest.fixture
async def asking(services: Services, cleanup: FakeCleanup) -> httpx.AsyncClient:
    """The API of a system whose clean-up service is `cleanup`."""
    actors = replace(services.actors, cleanup=cleanup)
    transport = httpx.ASGITransport(create_app(replace(services, actors=actors)))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")


async def status(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.get("/api/system/cleanup/status")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def test_a_service_that_nobody_has_seen_has_no_next_run(api: httpx.AsyncClient) -> None:
    body = await status(api)
    assert body.pop("timestamp").endswith("Z")
    assert body == {
        "running": False,
        "retention_days": 30,
        "log_retention_days": 7,
        "cleanup_time": "03:00",
        "timezone": "Europe/Berlin",
        "delete_images": False,
        "next_cleanup": None,
        "last_cleanup": None,
    }


async def test_a_service_that_lives_runs_next_at_three_by_the_houses_clock(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service("cleanup_service")
    body = await status(api)
    assert body["running"]
    moment = datetime.fromisoformat(body["next_cleanup"])
    now = datetime.fromisoformat(body["timestamp"])
    assert moment == next_run(now, time(3), "Europe/Berlin")


async def test_a_service_that_was_not_seen_lately_is_not_running(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service("cleanup_service", checked_at=datetime.now(UTC) - timedelta(minutes=1))
    body = await status(api)
    assert (body["running"], body["next_cleanup"]) == (False, None)


async def test_a_run_that_is_due_is_next(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.service("cleanup_service")
    await rows.pool.execute("UPDATE schema_migrations SET applied_at = now() - interval '3 days'")
    body = await status(api)
    assert body["next_cleanup"] == body["timestamp"]


async def test_retention_and_the_last_run_are_those_of_the_rows(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.pool.execute("INSERT INTO runtime_config (id, value) VALUES (1, $1)", {"retention_days": 14})
    await rows.pool.execute(
        "INSERT INTO cleanup_runs (id, job_type, trigger, status, started_at) VALUES "
        "(gen_random_uuid(), 'cleanup', 'schedule', 'completed', '2025-12-30T02:00:00Z')"
    )
    body = await status(api)
    assert (body["retention_days"], body["last_cleanup"]) == (14, "2025-12-30T02:00:00Z")


async def test_a_run_deletes_unless_told_otherwise_and_a_search_only_lists(
    asking: httpx.AsyncClient, cleanup: FakeCleanup
) -> None:
    assert (await asking.post("/api/system/cleanup")).json() == CLEANUP_REPORT
    assert (await asking.post("/api/system/cleanup/orphaned-files")).json() == ORPHAN_REPORT
    assert (await asking.post("/api/system/cleanup?dry_run=true")).json()["dry_run"] is True
    assert (await asking.post("/api/system/cleanup/orphaned-files?dry_run=false")).json()["dry_run"] is False
    assert [(what, dry_run) for what, dry_run, _ in cleanup.asked] == [
        ("run", False),
        ("orphans", True),
        ("run", True),
        ("orphans", False),
    ]
    assert {caller.actor for _, _, caller in cleanup.asked} == {"local"}


@pytest.mark.parametrize("path", ["", "/orphaned-files"])
async def test_a_job_beside_another_is_a_conflict(asking: httpx.AsyncClient, cleanup: FakeCleanup, path: str) -> None:
    cleanup.raises = CleanupRunning("a clean-up")
    answer = await asking.post(f"/api/system/cleanup{path}")
    assert answer.status_code == 409
    assert answer.json()["detail"] == "a clean-up is running; try again when it has ended"


@pytest.mark.parametrize("path", ["", "/orphaned-files"])
async def test_without_the_service_the_answer_says_who_is_away(api: httpx.AsyncClient, path: str) -> None:
    answer = await api.post(f"/api/system/cleanup{path}")
    assert answer.status_code == 503
    assert "cleanup_service is away" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["dry_run=maybe", "dryrun=true", "dry_run=", "dry_run=true&force=1"])
@pytest.mark.parametrize("path", ["", "/orphaned-files"])
async def test_what_is_not_understood_deletes_nothing(
    asking: httpx.AsyncClient, cleanup: FakeCleanup, path: str, query: str
) -> None:
    answer = await asking.post(f"/api/system/cleanup{path}?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert cleanup.asked == []


@pytest.mark.parametrize(
    ("model", "example"),
    [(CleanupStatus, CLEANUP_STATUS), (CleanupReport, CLEANUP_REPORT), (OrphanReport, ORPHAN_REPORT)],
)
def test_every_example_is_what_the_system_would_answer(model: Any, example: dict[str, Any]) -> None:
    assert model.model_validate(example).model_dump(mode="json") == example


async def test_a_database_that_is_away_is_told_as_such(api_without_stores: httpx.AsyncClient) -> None:
    assert (await api_without_stores.get("/api/system/cleanup/status")).status_code == 503
