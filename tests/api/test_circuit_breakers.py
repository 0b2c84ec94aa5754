"""/api/system/circuit-breakers, with the real breakers."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from actors.circuit_breakers import CircuitBreakers
from actors.pipeline import BREAKERS
from actors.ports import NOBODY
from deployments.api.app import create_app
from deployments.api.deps import Services
from domain.circuit_breaker import Admitted
from settings import Settings
from storage.audit import Audit
from storage.postgres import Pool
from tests.actors.fakes import FakeClock

PATH = "/api/system/circuit-breakers"


@pytest.fixture
def breakers() -> CircuitBreakers:
    return CircuitBreakers(FakeClock(), BREAKERS)


@pytest.fixture
async def services(settings: Settings, breakers: CircuitBreakers) -> AsyncIterator[Services]:
    opened = await Services.open(settings, actors=replace(NOBODY, breakers=breakers))
    yield opened
    await opened.close()


async def fail(breakers: CircuitBreakers, times: int) -> None:
    for _ in range(times):
        admitted = await breakers.admit("yolo26")
        assert isinstance(admitted, Admitted)
        await breakers.failed("yolo26", admitted)


async def test_every_breaker_is_shown_with_every_field(api: httpx.AsyncClient, breakers: CircuitBreakers) -> None:
    await fail(breakers, 5)
    await breakers.admit("yolo26")
    answer = (await api.get(PATH)).json()
    assert answer.keys() == {"circuit_breakers", "total_count", "open_count", "timestamp"}
    assert (answer["total_count"], answer["open_count"]) == (2, 1)
    assert answer["circuit_breakers"]["yolo26"] == {
        "name": "yolo26",
        "state": "open",
        "failure_count": 5,
        "success_count": 0,
        "total_calls": 6,
        "rejected_calls": 1,
        "last_failure_time": "2025-12-23T12:00:00Z",
        "opened_at": "2025-12-23T12:00:00Z",
        "last_failure": "2025-12-23T12:00:00Z",
        "last_state_change": "2025-12-23T12:00:00Z",
        "config": {
            "failure_threshold": 5,
            "recovery_timeout": 30.0,
            "half_open_max_calls": 3,
            "success_threshold": 2,
        },
    }
    uncalled = answer["circuit_breakers"]["nemotron"]
    assert (uncalled["state"], uncalled["total_calls"], uncalled["last_state_change"]) == ("closed", 0, None)


async def test_a_reset_closes_it_and_is_recorded(
    api: httpx.AsyncClient, breakers: CircuitBreakers, database: Pool
) -> None:
    await fail(breakers, 5)
    body = (await api.post(f"{PATH}/yolo26/reset")).json()
    assert body.pop("timestamp").endswith("Z")
    assert body == {
        "name": "yolo26",
        "previous_state": "open",
        "new_state": "closed",
        "message": "Circuit breaker 'yolo26' reset successfully from open to closed",
    }
    assert (await api.get(PATH)).json()["open_count"] == 0
    (entry,) = await Audit(database).list()
    assert (entry.action, entry.resource_type, entry.resource_id) == ("breaker_reset", "circuit_breaker", "yolo26")
    assert entry.details == {
        "changes": {"state": {"old": "open", "new": "closed"}, "failure_count": {"old": 5, "new": 0}}
    }


async def test_a_reset_that_changes_nothing_is_answered_and_not_recorded(
    api: httpx.AsyncClient, breakers: CircuitBreakers, database: Pool
) -> None:
    body = (await api.post(f"{PATH}/yolo26/reset")).json()
    assert (body["previous_state"], body["new_state"]) == ("closed", "closed")
    assert list(await Audit(database).list()) == []
    await fail(breakers, 2)
    await api.post(f"{PATH}/yolo26/reset")
    (entry,) = await Audit(database).list()
    assert entry.details == {"changes": {"failure_count": {"old": 2, "new": 0}}}


async def test_an_unknown_breaker_is_404_and_a_name_that_cannot_be_400(api: httpx.AsyncClient) -> None:
    unknown = await api.post(f"{PATH}/rtdetr/reset")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "there is no circuit breaker rtdetr")
    assert (await api.post(f"{PATH}/{'a' * 64}/reset")).status_code == 404
    for name in ("a" * 65, "yolo%2026", "yolo.26", "yolo26%0A", "%00", "%27%3BDROP"):
        refused = await api.post(f"{PATH}/{name}/reset")
        assert refused.status_code == 400, name
        assert refused.json()["errors"] == [
            {"field": "name", "message": "a name has 1 to 64 letters, digits, hyphens and underscores"}
        ]


async def test_while_their_actor_is_away_they_are_503(settings: Settings) -> None:
    opened = await Services.open(settings)
    transport = httpx.ASGITransport(create_app(opened))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as api:
        for answer in (await api.get(PATH), await api.post(f"{PATH}/yolo26/reset")):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert "circuit_breakers is away" in answer.json()["detail"]
    await opened.close()
