"""The page's session: got with a key, carried in a cookie, and of no use to another site."""

import asyncio
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie

import httpx
import pytest

from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import Settings
from storage.api_keys import ApiKeys
from storage.postgres import Pool
from tests.api.access.conftest import ALICE, BOB, HOST, KEYS
from tests.eventually import eventually

HERE = {"Origin": HOST}
RULE = {"name": "x"}


@pytest.fixture
def environment() -> dict[str, str]:
    return KEYS | {"TRUSTED_PROXY_IPS": "127.0.0.1", "RATE_LIMIT_SIGN_IN_PER_MINUTE": "1000"}


@pytest.fixture
async def other_replica(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    services = await Services.open(settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(services)), base_url=HOST) as client:
        yield client
    await services.close()


async def _sign_in(api: httpx.AsyncClient, key: str = ALICE, **headers: str) -> httpx.Response:
    answer = await api.post("/api/session", json={"api_key": key}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer


async def test_a_page_signs_in_and_goes_on_by_cookie(api: httpx.AsyncClient) -> None:
    made = (await _sign_in(api)).json()
    assert (made["actor"], made["keys_required"]) == ("alice", True)
    who = await api.get("/api/session")
    assert (who.status_code, who.json()) == (200, made)
    assert (await api.get("/api/events")).status_code == 200


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(api: httpx.AsyncClient) -> None:
    morsel = SimpleCookie((await _sign_in(api)).headers["set-cookie"])["hsi_session"]
    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "strict", "/")
    assert (morsel["secure"], morsel["domain"], morsel["max-age"]) == ("", "", str(30 * 24 * 3600))
    assert len(morsel.value) >= 43


async def test_it_is_secure_when_a_trusted_proxy_says_https(api: httpx.AsyncClient) -> None:
    answer = await _sign_in(api, **{"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"})
    assert SimpleCookie(answer.headers["set-cookie"])["hsi_session"]["secure"] is True


async def test_ids_are_random_and_kept_as_hashes_only(api: httpx.AsyncClient, database: Pool) -> None:
    ids = [SimpleCookie((await _sign_in(api)).headers["set-cookie"])["hsi_session"].value for _ in range(3)]
    assert len(set(ids)) == 3
    rows = str(await database.fetch("SELECT * FROM api_sessions")) + str(await database.fetch("SELECT * FROM api_keys"))
    assert not [secret for secret in (*ids, ALICE, BOB) if secret in rows]


@pytest.mark.parametrize("key", ["wrong-key-0123456789", "alice", f"{ALICE} ", f"alice:{ALICE}", "ü" * 20])
async def test_a_wrong_key_gets_no_session(api: httpx.AsyncClient, key: str) -> None:
    answer = await api.post("/api/session", json={"api_key": key})
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert answer.headers["www-authenticate"].startswith("ApiKey ")
    assert key not in answer.text


@pytest.mark.parametrize("body", [{}, {"api_key": ""}, {"api_key": None}, {"api_key": "x" * 600}, {"api_key": 7}, []])
async def test_a_body_without_a_key_is_refused_by_its_field(api: httpx.AsyncClient, body: object) -> None:
    answer = await api.post("/api/session", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_another_replica_lets_it_in_at_once(api: httpx.AsyncClient, other_replica: httpx.AsyncClient) -> None:
    assert (await other_replica.get("/api/events", headers={"X-API-Key": ALICE})).status_code == 200
    await _sign_in(api)
    other_replica.cookies = api.cookies
    assert (await other_replica.get("/api/events")).status_code == 200


async def test_signing_out_ends_it_here_at_once_and_elsewhere_soon(
    api: httpx.AsyncClient, other_replica: httpx.AsyncClient
) -> None:
    await _sign_in(api)
    cookie = {"Cookie": f"hsi_session={api.cookies['hsi_session']}"}
    assert (await other_replica.get("/api/events", headers=cookie)).status_code == 200
    answer = await api.delete("/api/session", headers=HERE)
    assert (answer.status_code, answer.content) == (204, b"")
    assert 'hsi_session=""' in answer.headers["set-cookie"]
    assert (await api.get("/api/events", headers=cookie)).status_code == 401

    async def is_out() -> bool:
        return (await other_replica.get("/api/events", headers=cookie)).status_code == 401

    await eventually(is_out)


async def test_a_session_ends_with_its_key(api: httpx.AsyncClient, database: Pool) -> None:
    await _sign_in(api, BOB)
    await ApiKeys(database).delete("bob")
    assert await database.fetchval("SELECT count(*) FROM api_sessions") == 0

    async def is_out() -> bool:
        return (await api.get("/api/events")).status_code == 401

    await eventually(is_out)


async def test_a_cookie_alone_changes_nothing(api: httpx.AsyncClient) -> None:
    """Other sites can have a browser send it, other programs of the same machine even with SameSite."""
    await _sign_in(api)
    answer = await api.post("/api/alerts/rules", json=RULE)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert (await api.get("/api/alerts/rules")).json()["rules"] == []


@pytest.mark.parametrize("headers", [HERE, {"Sec-Fetch-Site": "same-origin"}, HERE | {"Sec-Fetch-Site": "same-origin"}])
async def test_our_own_page_may_change_things_by_cookie(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    await _sign_in(api)
    assert (await api.post("/api/alerts/rules", json=RULE, headers=headers)).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "http://127.0.0.1:8000.evil.example"},
        {"Origin": "http://user@127.0.0.1:8000"},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Referer": HOST},
    ],
)
async def test_no_other_page_may(api: httpx.AsyncClient, headers: dict[str, str]) -> None:
    await _sign_in(api)
    assert (await api.post("/api/alerts/rules", json=RULE, headers=headers)).status_code == 403


async def test_another_page_cannot_sign_somebody_in(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/session", json={"api_key": BOB}, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


@pytest.mark.parametrize(
    "cookie",
    ["hsi_session=", "hsi_session=x", "hsi_session=" + "x" * 5000, "hsi_session=ü", 'hsi_session="', "hsi_session",
     "hsi_session=a=b; hsi_session=c", "x=y; HSI_SESSION=abc", "hsi_session=%00"],
)  # fmt: skip
async def test_no_made_up_cookie_opens(api: httpx.AsyncClient, cookie: str) -> None:
    assert (await api.get("/api/events", headers={b"Cookie": cookie.encode()})).status_code == 401


async def test_a_key_that_is_shown_counts_before_the_cookie(api: httpx.AsyncClient) -> None:
    await _sign_in(api)
    assert (await api.get("/api/session", headers={"X-API-Key": BOB})).json()["actor"] == "bob"
    assert (await api.get("/api/session", headers={"X-API-Key": "wrong"})).status_code == 401


async def test_many_sign_ins_keep_the_newest(api: httpx.AsyncClient, database: Pool) -> None:
    await asyncio.gather(*(_sign_in(api) for _ in range(210)))
    assert await database.fetchval("SELECT count(*) FROM api_sessions") == 200


async def test_guessing_is_slowed_down_by_a_limit_of_its_own(settings: Settings) -> None:
    strict = settings.model_copy(update={"rate_limit_sign_in_per_minute": 5})
    services = await Services.open(strict)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(services)), base_url=HOST) as api:
        guesses = [(await api.post("/api/session", json={"api_key": f"guess-{n:015}"})).status_code for n in range(7)]
        assert guesses == [401] * 5 + [429] * 2
        assert (await api.get("/api/events", headers={"X-API-Key": ALICE})).status_code == 200
    await services.close()
