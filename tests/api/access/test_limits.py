"""Limits: told on every answer, counted over all replicas, and held without Redis too."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import redis.asyncio

from deployments.api.access import limiter as limiter_module
from deployments.api.access.limiter import RateLimiter
from deployments.api.access.table import Access
from deployments.api.app import create_app
from deployments.api.deps import Services
from domain.clock import SystemClock
from domain.rate_limit import Verdict
from settings import Settings
from storage.rate_limits import RateLimits
from storage.redis import connect_redis
from tests.api.access.conftest import ALICE, BOB, HOST, KEYS, Make
from tests.api.access.test_key_ring import StillClock

AS_ALICE, AS_BOB = {"X-API-Key": ALICE}, {"X-API-Key": BOB}


@pytest.fixture
def environment() -> dict[str, str]:
    return KEYS | {
        "RATE_LIMIT_READ_PER_MINUTE": "6",
        "RATE_LIMIT_CHANGE_PER_MINUTE": "2",
        "RATE_LIMIT_LOGS_PER_MINUTE": "3",
    }


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, a replica waits for Redis."""
    monkeypatch.setattr(limiter_module, "REDIS_SECONDS", 60)


@pytest.fixture
async def other_replica(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    services = await Services.open(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(services)), base_url=HOST) as client:
        yield client
    await services.close()


async def _statuses(api: httpx.AsyncClient, count: int, headers: dict[str, str]) -> list[int]:
    return [(await api.get("/api/events", headers=headers)).status_code for _ in range(count)]


async def test_every_counted_answer_says_how_much_is_left(api: httpx.AsyncClient) -> None:
    for path, left in (("/api/events", "5"), ("/api/events/999", "4"), ("/api/nothing", "3"), ("/openapi.json", "2")):
        headers = (await api.get(path, headers=AS_ALICE)).headers
        assert (headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"]) == ("6", left)
        assert int(headers["x-ratelimit-reset"]) == pytest.approx((6 - int(left)) * 10, abs=5)


async def test_one_too_many_is_told_when_to_come_again(api: httpx.AsyncClient) -> None:
    assert await _statuses(api, 6, AS_ALICE) == [200] * 6
    answer = await api.get("/api/events", headers=AS_ALICE)
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.json()["title"] == "Too Many Requests"


async def test_each_key_and_each_tier_has_its_own(api: httpx.AsyncClient) -> None:
    assert (await _statuses(api, 7, AS_ALICE))[-1] == 429
    assert await _statuses(api, 6, AS_BOB) == [200] * 6
    changes = [await api.post("/api/alerts/rules", json={"name": "x"}, headers=AS_ALICE) for _ in range(3)]
    assert [answer.status_code for answer in changes] == [201, 201, 429]


async def test_the_probes_are_not_counted(api: httpx.AsyncClient) -> None:
    for _ in range(20):
        assert (await api.get("/api/system/health/live")).status_code == 200


@pytest.mark.usefixtures("patient")
async def test_replicas_count_together(api: httpx.AsyncClient, other_replica: httpx.AsyncClient) -> None:
    turns = [(api, other_replica)[n % 2] for n in range(8)]
    statuses = [(await replica.get("/api/events", headers=AS_ALICE)).status_code for replica in turns]
    assert statuses == [200] * 6 + [429] * 2


@pytest.mark.usefixtures("patient")
async def test_requests_at_once_get_no_more_than_one_after_the_other(
    api: httpx.AsyncClient, other_replica: httpx.AsyncClient
) -> None:
    asked = [replica.get("/api/events", headers=AS_ALICE) for replica in (api, other_replica) for _ in range(10)]
    statuses = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert (statuses.count(200), statuses.count(429)) == (6, 14)


@pytest.mark.usefixtures("patient")
async def test_a_refused_client_costs_redis_nothing(api: httpx.AsyncClient, redis_client: redis.asyncio.Redis) -> None:
    await _statuses(api, 7, AS_ALICE)
    before = (await redis_client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert await _statuses(api, 10, AS_ALICE) == [429] * 10
    assert (await redis_client.info("commandstats"))["cmdstat_evalsha"]["calls"] == before


@pytest.mark.usefixtures("patient")
async def test_a_large_limit_is_taken_in_shares(redis_url: str, make_settings: Make) -> None:
    client = connect_redis(redis_url)
    limiter = RateLimiter(RateLimits(client), make_settings(RATE_LIMIT_READ_PER_MINUTE="60000"), StillClock())
    await client.config_resetstat()
    verdicts = [await limiter.take(Access.READ, "x") for _ in range(100)]
    assert [verdict.remaining for verdict in verdicts if verdict] == list(range(59_999, 59_899, -1))
    assert (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] == 1
    await client.aclose()


@pytest.mark.parametrize("address", ["redis://127.0.0.1:1/0", "redis://192.0.2.1:6379/0"])
async def test_without_redis_a_replica_counts_by_itself_and_nobody_waits(make_settings: Make, address: str) -> None:
    client = connect_redis(address)
    clock = SystemClock()
    limiter = RateLimiter(RateLimits(client), make_settings(RATE_LIMIT_READ_PER_MINUTE="5"), clock)
    verdicts = [await limiter.take(Access.READ, "x") for _ in range(7)]
    assert [verdict.allowed for verdict in verdicts if verdict] == [True] * 5 + [False] * 2
    await client.aclose()


async def test_it_can_be_switched_off(make_settings: Make, redis_client: redis.asyncio.Redis) -> None:
    settings = make_settings(RATE_LIMIT_ENABLED="false", RATE_LIMIT_READ_PER_MINUTE="1")
    limiter = RateLimiter(RateLimits(redis_client), settings, SystemClock())
    assert [await limiter.take(Access.READ, "x") for _ in range(3)] == [None] * 3


async def test_many_clients_do_not_fill_the_memory(make_settings: Make) -> None:
    client = connect_redis("redis://127.0.0.1:1/0")
    limiter = RateLimiter(RateLimits(client), make_settings(), SystemClock())
    for number in range(10_050):
        verdict = await limiter.take(Access.READ, f"address:{number}")
        assert isinstance(verdict, Verdict)
    assert len(limiter._shares) == 10_000
    await client.aclose()
