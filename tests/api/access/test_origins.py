"""Names and pages: rebound names are refused, pages of other sites change nothing, listed ones are let in."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.datastructures import Headers
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from deployments.api.access.origin import Hosts
from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import load_settings
from tests.api.access.conftest import ALICE, HOST, KEYS

PAGE = "https://cameras.example.org"
AS_ALICE = {"X-API-Key": ALICE}
PREFLIGHT = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type, x-api-key"}


@pytest.fixture
def environment() -> dict[str, str]:
    return KEYS | {"CORS_ALLOWED_ORIGINS": f"{PAGE}, http://localhost:5173", "ALLOWED_HOSTS": "home.lan, *.example.org"}


@pytest.fixture
async def open_api(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """No key is asked for, and no page is listed."""
    settings = load_settings({"DATA_DIR": str(services.settings.data_dir)} | _stores(services))
    opened = await Services.open(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(opened)), base_url=HOST) as client:
        yield client
    await opened.close()


def _stores(services: Services) -> dict[str, str]:
    database, store = services.settings.database_url, services.settings.redis_url
    assert database is not None
    assert store is not None
    return {"DATABASE_URL": database.get_secret_value(), "REDIS_URL": store.get_secret_value()}


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "localhost", "LOCALHOST:8000", "localhost.", "[::1]:8000", "192.168.1.5", "[fe80::1]:80",
     "home.lan", "home.lan:443", "HOME.LAN.", "a.example.org", "a.b.example.org:8443"],
)  # fmt: skip
async def test_addresses_and_listed_names_are_ours(api: httpx.AsyncClient, host: str) -> None:
    assert (await api.get("/api/session", headers=AS_ALICE | {"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:8000", "example.org",
     "notexample.org", "home.lan.evil.example", "", " ", "localhost@evil.example", "evil.example@localhost",
     "127.0.0.1:8000:8000", "localhost:x", "localhost/..", "localhost?x", "localhost#", "[::1", "lo calhost",
     "127.1.evil", "0x7f000001.evil", "ö.lan", "localhost\\evil", "localhost,evil.example"],
)  # fmt: skip
async def test_a_name_that_was_made_to_lead_here_is_refused(api: httpx.AsyncClient, host: str) -> None:
    answer = await api.get("/api/session", headers={b"X-API-Key": ALICE.encode(), b"Host": host.encode()})
    assert (answer.status_code, answer.headers["content-type"]) == (421, "application/problem+json")
    assert "evil" not in answer.text


def test_one_name_is_needed_and_only_one() -> None:
    hosts = Hosts(load_settings({}))
    assert not hosts.is_ours(Headers(raw=[]))
    assert not hosts.is_ours(Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")]))
    assert not hosts.is_ours(Headers(raw=[(b"host", b"localhost"), (b"host", b"localhost")]))


async def test_the_probes_answer_under_any_name(api: httpx.AsyncClient) -> None:
    assert (await api.get("/health", headers={"Host": "balancer.example"})).status_code == 200


async def test_a_socket_under_a_foreign_name_is_refused(served: str) -> None:
    rebound = {"Host": "evil.example", "Origin": "http://evil.example"}
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{served}/ws/events?api_key={ALICE}", additional_headers=rebound):
            pass
    assert refused.value.response.status_code == 403


async def test_a_listed_page_may_ask_beforehand_without_a_key(api: httpx.AsyncClient) -> None:
    answer = await api.options("/api/system/config", headers=PREFLIGHT | {"Origin": PAGE})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "PATCH" in answer.headers["access-control-allow-methods"]
    assert "X-API-Key" in answer.headers["access-control-allow-headers"]
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", f"{PAGE}.evil.example", f"{PAGE}:444", "http://cameras.example.org"],
)
async def test_no_other_page_may(api: httpx.AsyncClient, origin: str) -> None:
    answer = await api.options("/api/system/config", headers=PREFLIGHT | {"Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_a_listed_page_may_read_every_answer_even_a_refusal(api: httpx.AsyncClient) -> None:
    for headers, status in ((AS_ALICE, 200), ({}, 401), ({"X-API-Key": "wrong"}, 401)):
        answer = await api.get("/api/events", headers=headers | {"Origin": PAGE})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "X-RateLimit-Remaining" in answer.headers["access-control-expose-headers"]


async def test_a_page_that_is_not_listed_may_read_nothing(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/events", headers=AS_ALICE | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


async def test_a_listed_page_may_change_things(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/alerts/rules", json={"name": "x"}, headers=AS_ALICE | {"Origin": PAGE})
    assert answer.status_code == 201


async def test_where_nothing_is_listed_nothing_is_said_of_pages(open_api: httpx.AsyncClient) -> None:
    answer = await open_api.get("/api/events", headers={"Origin": PAGE})
    assert [name for name in answer.headers if name.startswith("access-control") or name == "vary"] == []


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_without_keys_no_foreign_page_changes_anything(
    open_api: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    """A browser sends a form to 127.0.0.1 for any page of the web, and asks nobody."""
    for path in ("/api/system/cleanup", "/api/system/services/redis/restart", "/api/alerts/rules"):
        answer = await open_api.post(path, content=b"", headers=headers)
        assert answer.status_code == 403, path


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": HOST}, {"Origin": "http://localhost:5173"}, {"Sec-Fetch-Site": "same-origin"}],
)
async def test_without_keys_programs_and_pages_of_this_machine_may(
    open_api: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await open_api.post("/api/alerts/rules", json={"name": "x"}, headers=headers)
    assert answer.status_code == 201


async def test_without_keys_everybody_is_local_and_cannot_sign_in(open_api: httpx.AsyncClient) -> None:
    who = (await open_api.get("/api/session", headers=AS_ALICE)).json()
    assert who == {"actor": "local", "keys_required": False, "expires_at": None}
    assert (await open_api.post("/api/session", json={"api_key": ALICE})).status_code == 409
    assert (await open_api.delete("/api/session")).status_code == 204
