"""What is known by heart: fresh enough, cheap, and neither open nor shut because the database is away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from deployments.api.access.key_ring import KeyRing
from deployments.api.app import create_app
from deployments.api.deps import Services
from domain.api_keys import digest, hashed
from schemas.api_key import ApiKey, ApiSession
from settings import load_settings
from storage.api_keys import ApiKeys, KnownAccess
from storage.errors import StoreUnavailable
from tests.api.access.conftest import ALICE, HOST, KEYS, Make

GIVEN, MADE = hashed("given", "given-key-0123456789"), hashed("made", "made-key-0123456789")


class StillClock:
    """Stands until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Shelf(ApiKeys):
    """Keys that are looked at without a database, and counted."""

    def __init__(self) -> None:
        self.keys: list[ApiKey] = [MADE]
        self.sessions: list[ApiSession] = []
        self.looks = 0
        self.away = False
        self.hangs = False

    async def known(self) -> KnownAccess:
        self.looks += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise StoreUnavailable("away")
        return KnownAccess(list(self.keys), list(self.sessions))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def ring(shelf: Shelf, clock: StillClock) -> KeyRing:
    return KeyRing(shelf, clock, [GIVEN])


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_requests_in_a_row_cost_one_look(ring: KeyRing, shelf: Shelf) -> None:
    for _ in range(100):
        await ring.keep_fresh()
        assert ring.key_name(b"made-key-0123456789") == "made"
    assert shelf.looks == 1


async def test_what_is_ageing_is_looked_at_again_beside_the_request(
    ring: KeyRing, shelf: Shelf, clock: StillClock
) -> None:
    await ring.keep_fresh()
    clock.seconds += 2
    shelf.keys.clear()
    await ring.keep_fresh()
    assert ring.key_name(b"made-key-0123456789") == "made"
    await _settled()
    assert ring.key_name(b"made-key-0123456789") is None


async def test_what_is_old_is_looked_at_first(ring: KeyRing, shelf: Shelf, clock: StillClock) -> None:
    await ring.keep_fresh()
    shelf.keys.clear()
    clock.seconds += 3600
    await ring.keep_fresh()
    assert ring.key_name(b"made-key-0123456789") is None


async def test_a_key_that_was_just_made_is_found(ring: KeyRing, shelf: Shelf, clock: StillClock) -> None:
    await ring.keep_fresh()
    shelf.keys.append(hashed("new", "new-key-0123456789"))
    clock.seconds += 0.5
    assert ring.key_name(b"new-key-0123456789") is None
    await ring.look_now()
    assert ring.key_name(b"new-key-0123456789") == "new"


async def test_many_unknown_keys_at_once_cost_one_look(ring: KeyRing, shelf: Shelf, clock: StillClock) -> None:
    await ring.keep_fresh()
    clock.seconds += 0.5
    await asyncio.gather(*(ring.look_now() for _ in range(200)))
    assert shelf.looks == 2


async def test_a_database_that_went_away_shuts_nobody_out_and_lets_nobody_in(
    ring: KeyRing, shelf: Shelf, clock: StillClock
) -> None:
    await ring.keep_fresh()
    shelf.away = True
    clock.seconds += 86_400
    await ring.keep_fresh()
    assert ring.key_name(b"made-key-0123456789") == "made"
    assert ring.key_name(b"wrong") is None
    with pytest.raises(StoreUnavailable):
        await ring.look_now()


async def test_the_settings_keys_open_though_the_database_never_answered(ring: KeyRing, shelf: Shelf) -> None:
    shelf.away = True
    await ring.keep_fresh()
    assert ring.key_name(b"given-key-0123456789") == "given"
    assert ring.key_name(b"made-key-0123456789") is None


async def test_a_database_that_hangs_holds_up_one_request_and_then_none(
    ring: KeyRing, shelf: Shelf, clock: StillClock
) -> None:
    shelf.hangs = True
    await ring.keep_fresh()
    assert shelf.looks == 1
    others = [asyncio.create_task(ring.keep_fresh()) for _ in range(100)]
    for _ in range(20):  # turns of the loop, not time: nobody waits for the database
        await asyncio.sleep(0)
    assert all(other.done() for other in others)
    ring.close()


async def test_a_session_ends_by_the_clock(ring: KeyRing, shelf: Shelf, clock: StillClock) -> None:
    ends = clock.now() + timedelta(seconds=10)
    shelf.sessions.append(ApiSession(id_sha256=digest(b"s"), key_name="made", expires_at=ends))
    await ring.keep_fresh()
    assert ring.session(b"s") is not None
    clock.seconds += 10
    assert ring.session(b"s") is None


@pytest.fixture
async def api_without_database(make_settings: Make, redis_url: str) -> AsyncIterator[httpx.AsyncClient]:
    nowhere = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": redis_url}
    services = await Services.open(load_settings(KEYS | nowhere | {"DATA_DIR": "/nowhere"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(services)), base_url=HOST) as client:
        yield client
    await services.close()


async def test_without_a_database_a_settings_key_opens_and_another_is_told_to_wait(
    api_without_database: httpx.AsyncClient,
) -> None:
    assert (await api_without_database.get("/api/session", headers={"X-API-Key": ALICE})).status_code == 200
    unknown = await api_without_database.get("/api/session", headers={"X-API-Key": "x" * 40})
    assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "2")
    assert (await api_without_database.get("/api/session")).status_code == 401
    assert (await api_without_database.get("/api/system/health/live")).status_code == 200
