"""/api/system/services, with a real supervisor over services that do as they are told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import redis.asyncio

from actors.ports import NOBODY
from actors.supervised_service import Gone
from deployments.api.deps import Services
from domain.service_actions import Limits
from schemas.service import Health, ServiceCategory, ServiceStatus
from settings import Settings
from storage.audit import Audit
from storage.postgres import Pool
from tests.actors.supervising import House, Subject
from tests.storage.rows import Rows

SERVICES = "/api/system/services"


@pytest.fixture
def gpu_monitor() -> Subject:
    return Subject("gpu_monitor", category=ServiceCategory.MONITORING)


@pytest.fixture
async def house(database: Pool, redis_client: redis.asyncio.Redis, gpu_monitor: Subject) -> House:
    elsewhere = Limits("postgres runs elsewhere (DATABASE_URL is set): restart it there", "it cannot be disabled")
    nemotron = Subject(
        "nemotron",
        category=ServiceCategory.AI,
        restart=None,
        by_hand=None,
        status_when_idle=ServiceStatus.NOT_CONFIGURED,
    )
    made = House(database, redis_client, gpu_monitor, nemotron, Subject("postgres", elsewhere, restart=None))
    made.clock.advance((datetime.now(UTC) - made.clock.now()).total_seconds())
    await made.look()
    return made


@pytest.fixture
async def services(settings: Settings, house: House) -> AsyncIterator[Services]:
    opened = await Services.open(settings, actors=replace(NOBODY, supervisor=house.supervisor))
    yield opened
    await opened.close()


async def test_every_service_is_listed_with_a_summary_of_each_category(
    api: httpx.AsyncClient, house: House, gpu_monitor: Subject
) -> None:
    answer = (await api.get(SERVICES)).json()
    by_name = {one["name"]: one for one in answer["services"]}
    assert by_name.keys() == {"gpu_monitor", "nemotron", "postgres"}
    assert answer["count"] == 3
    monitor = by_name["gpu_monitor"]
    assert datetime.fromisoformat(monitor.pop("checked_at")) == house.clock.now()
    assert monitor == {
        "name": "gpu_monitor",
        "category": "monitoring",
        "status": "running",
        "enabled": True,
        "failure_count": 0,
        "last_restart": None,
        "restarts": 0,
        "next_restart_at": None,
        "message": None,
    }
    nothing = {"total": 0, "healthy": 0, "unhealthy": 0, "disabled": 0, "not_configured": 0}
    assert answer["summaries"] == {
        "infrastructure": nothing | {"total": 1, "healthy": 1},
        "ai": nothing | {"total": 1, "not_configured": 1},
        "monitoring": nothing | {"total": 1, "healthy": 1},
    }


async def test_the_list_is_filtered_by_category_and_the_summaries_are_not(api: httpx.AsyncClient) -> None:
    answer = (await api.get(SERVICES, params={"category": "ai"})).json()
    assert [one["name"] for one in answer["services"]] == ["nemotron"]
    assert answer["summaries"]["infrastructure"]["total"] == 1
    refused = await api.get(SERVICES, params={"category": "storage"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "category")
    assert (await api.get(SERVICES, params={"colour": "red"})).status_code == 422


async def test_what_the_supervisor_has_not_reported_lately_is_not_called_running(
    api: httpx.AsyncClient, rows: Rows
) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=20)
    await rows.pool.execute("UPDATE services SET checked_at = $1", long_ago)
    answer = (await api.get(SERVICES)).json()
    statuses = {one["name"]: one["status"] for one in answer["services"]}
    assert statuses == {"gpu_monitor": "unknown", "nemotron": "not_configured", "postgres": "unknown"}
    assert "has not reported since" in answer["services"][0]["message"]
    assert answer["summaries"]["monitoring"]["unhealthy"] == 1


async def test_a_restart_is_answered_as_documented_and_recorded(
    api: httpx.AsyncClient, gpu_monitor: Subject, database: Pool
) -> None:
    answer = await api.post(f"{SERVICES}/gpu_monitor/restart")
    assert answer.status_code == 200
    body = answer.json()
    assert body.keys() == {"action", "service", "success", "message", "service_info"}
    assert (body["action"], body["service"], body["success"]) == ("restart", "gpu_monitor", True)
    assert body["message"] == "Service gpu_monitor restarted successfully"
    info = body["service_info"]
    assert (info["name"], info["status"], info["enabled"], info["failure_count"]) == ("gpu_monitor", "running", True, 0)
    assert gpu_monitor.by_hand == ["restart"]
    (entry,) = await Audit(database).list()
    assert (entry.action, entry.resource_id, entry.actor) == ("service_restart", "gpu_monitor", "local")


async def test_disable_keeps_it_down_and_enable_starts_it_again(api: httpx.AsyncClient, gpu_monitor: Subject) -> None:
    disabled = (await api.post(f"{SERVICES}/gpu_monitor/disable")).json()
    assert (disabled["service_info"]["status"], disabled["service_info"]["enabled"]) == ("disabled", False)
    listed = (await api.get(SERVICES)).json()
    assert listed["summaries"]["monitoring"]["disabled"] == 1
    for action in ("restart", "start"):
        refused = await api.post(f"{SERVICES}/gpu_monitor/{action}")
        assert (refused.status_code, refused.json()["detail"]) == (400, "gpu_monitor is disabled: enable it first")
    enabled = (await api.post(f"{SERVICES}/gpu_monitor/enable")).json()
    assert (enabled["action"], enabled["service_info"]["status"]) == ("enable", "running")
    assert gpu_monitor.by_hand == ["disable", "enable"]


async def test_a_stopped_service_is_started_and_a_running_one_is_a_400(
    api: httpx.AsyncClient, gpu_monitor: Subject
) -> None:
    refused = await api.post(f"{SERVICES}/gpu_monitor/start")
    assert (refused.status_code, refused.json()["detail"]) == (400, "gpu_monitor is running already")
    gpu_monitor.state = Gone("dead")
    assert (await api.post(f"{SERVICES}/gpu_monitor/start")).json()["service_info"]["status"] == "running"
    assert gpu_monitor.state == Health(healthy=True)


@pytest.mark.parametrize("action", ["restart", "start", "enable", "disable"])
async def test_a_service_that_is_not_is_404_and_a_name_that_cannot_be_400(api: httpx.AsyncClient, action: str) -> None:
    for name in ("backend", "supervisor", "a" * 64):
        unknown = await api.post(f"{SERVICES}/{name}/{action}")
        assert (unknown.status_code, unknown.json()["detail"]) == (404, f"there is no service {name}")
    for name in ("a" * 65, "gpu%20monitor", "gpu.monitor", "%00", "gpu_monitor%0A", "k%C3%BCche"):
        refused = await api.post(f"{SERVICES}/{name}/{action}")
        assert refused.status_code == 400, name
        assert "letters, digits" in refused.json()["detail"]


async def test_what_cannot_be_is_a_400_that_says_why(api: httpx.AsyncClient) -> None:
    for name, action, words in (
        ("postgres", "restart", "DATABASE_URL"),
        ("postgres", "disable", "cannot be disabled"),
        ("nemotron", "restart", "nemotron is not configured"),
        ("nemotron", "enable", "nemotron is not configured"),
    ):
        refused = await api.post(f"{SERVICES}/{name}/{action}")
        assert refused.status_code == 400
        assert words in refused.json()["detail"]


async def test_of_ten_restarts_at_once_one_is_done_and_the_others_are_409(
    api: httpx.AsyncClient, gpu_monitor: Subject
) -> None:
    answers = await asyncio.gather(*(api.post(f"{SERVICES}/gpu_monitor/restart") for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert gpu_monitor.by_hand == ["restart"]


async def test_without_a_supervisor_wishes_are_503_and_the_list_is_still_there(settings: Settings, rows: Rows) -> None:
    from deployments.api.app import create_app

    await rows.service("gpu_monitor", category="monitoring")
    opened = await Services.open(settings)
    transport = httpx.ASGITransport(create_app(opened))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as api:
        answer = await api.post(f"{SERVICES}/gpu_monitor/restart")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "supervisor is away" in answer.json()["detail"]
        assert (await api.get(SERVICES)).status_code == 200
    await opened.close()


async def test_a_disabled_worker_is_named_by_readiness(api: httpx.AsyncClient, rows: Rows) -> None:
    message = "switched off by hand; enable it to start it again"
    await rows.service("detection_worker", status="disabled", enabled=False, message=message)
    answer = await api.get("/api/system/health/ready")
    workers = {worker["name"]: worker for worker in answer.json()["workers"]}
    assert answer.status_code == 503
    assert (workers["detection_worker"]["running"], workers["detection_worker"]["message"]) == (
        False,
        f"disabled: {message}",
    )
