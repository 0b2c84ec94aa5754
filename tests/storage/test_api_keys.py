"""Keys and sessions as rows: hashes only, taken over from the settings, ended together."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.api_keys import digest, hashed
from storage.api_keys import MOST_SESSIONS_A_KEY, ApiKeys
from storage.errors import NotFound
from storage.postgres import Pool

LATER = datetime.now(UTC) + timedelta(days=1)
A, B, OTHER_A = (
    hashed("a", "key-of-a-0123456789"),
    hashed("b", "key-of-b-0123456789"),
    hashed("a", "new-key-of-a-012345"),
)


@pytest.fixture
def keys(database: Pool) -> ApiKeys:
    return ApiKeys(database)


async def _names(keys: ApiKeys) -> list[str]:
    return [key.name for key in (await keys.known()).keys]


async def test_the_settings_keys_are_taken_over_and_let_go(keys: ApiKeys) -> None:
    await keys.adopt([A, B])
    assert (await keys.known()).keys == [A, B]
    await keys.adopt([B])
    assert (await keys.known()).keys == [B]
    await keys.adopt([])
    assert await _names(keys) == []


async def test_taking_over_again_changes_nothing(keys: ApiKeys) -> None:
    await keys.adopt([A])
    await keys.open_session(digest(b"s"), A.key_sha256, LATER)
    await keys.adopt([A])
    assert len((await keys.known()).sessions) == 1


async def test_keys_of_the_settings_are_the_only_ones(keys: ApiKeys) -> None:
    await keys.replace(A)
    await keys.adopt([])
    assert await _names(keys) == ["a"]
    await keys.adopt([B])
    assert await _names(keys) == ["b"]


async def test_a_key_that_was_made_may_be_put_into_the_settings(keys: ApiKeys) -> None:
    await keys.replace(A)
    await keys.adopt([A])
    await keys.adopt([])
    assert await _names(keys) == []


async def test_a_key_of_the_same_name_takes_the_place_of_the_old_one_with_its_sessions(keys: ApiKeys) -> None:
    await keys.adopt([A])
    await keys.open_session(digest(b"s"), A.key_sha256, LATER)
    await keys.adopt([OTHER_A])
    known = await keys.known()
    assert (known.keys, known.sessions) == ([OTHER_A], [])
    await keys.open_session(digest(b"s"), OTHER_A.key_sha256, LATER)
    await keys.replace(A)
    known = await keys.known()
    assert (known.keys, known.sessions) == ([A], [])


async def test_a_swap_of_names_is_possible(keys: ApiKeys) -> None:
    await keys.adopt([A, B])
    swapped = [hashed("a", "key-of-b-0123456789"), hashed("b", "key-of-a-0123456789")]
    await keys.adopt(swapped)
    assert (await keys.known()).keys == swapped


async def test_the_first_key_is_made_once(keys: ApiKeys) -> None:
    made = await asyncio.gather(*(keys.create_first(hashed("owner", f"key-{n}-0123456789")) for n in range(10)))
    assert sorted(made) == [False] * 9 + [True]
    assert await _names(keys) == ["owner"]


async def test_no_first_key_is_made_beside_others(keys: ApiKeys) -> None:
    await keys.adopt([A])
    assert not await keys.create_first(B)


async def test_a_session_knows_its_key_until_it_ends(keys: ApiKeys) -> None:
    await keys.adopt([A])
    await keys.open_session(digest(b"s"), A.key_sha256, LATER)
    (session,) = (await keys.known()).sessions
    assert (session.id_sha256, session.key_name, session.expires_at) == (digest(b"s"), "a", LATER)
    await keys.end_session(digest(b"s"))
    await keys.end_session(digest(b"s"))
    assert (await keys.known()).sessions == []


async def test_a_session_of_no_key_is_not_opened(keys: ApiKeys) -> None:
    with pytest.raises(NotFound):
        await keys.open_session(digest(b"s"), A.key_sha256, LATER)


async def test_an_expired_session_is_not_known_and_is_cleared_away(keys: ApiKeys, database: Pool) -> None:
    await keys.adopt([A])
    await keys.open_session(digest(b"old"), A.key_sha256, datetime.now(UTC) - timedelta(seconds=1))
    assert (await keys.known()).sessions == []
    await keys.open_session(digest(b"new"), A.key_sha256, LATER)
    assert await database.fetchval("SELECT count(*) FROM api_sessions") == 1


async def test_a_key_has_only_so_many_sessions_the_newest(keys: ApiKeys) -> None:
    await keys.adopt([A, B])
    await keys.open_session(digest(b"b"), B.key_sha256, LATER)
    for number in range(MOST_SESSIONS_A_KEY + 5):
        await keys.open_session(digest(str(number).encode()), A.key_sha256, LATER)
    ids = {session.id_sha256 for session in (await keys.known()).sessions}
    assert len(ids) == MOST_SESSIONS_A_KEY + 1
    assert digest(b"b") in ids
    assert digest(b"4") not in ids
    assert digest(b"5") in ids
