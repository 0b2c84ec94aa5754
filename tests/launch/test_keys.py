"""Keys at start: made where one is needed, shown once, kept as a hash; replaced by command."""

import asyncio
from pathlib import Path

import pytest

from domain.api_keys import hashed
from launch.keys import passing_key, remove_key, replace_key, settle_keys
from schemas.api_key import ApiKey
from settings import Settings, SettingsError, load_settings
from storage.api_keys import ApiKeys
from storage.errors import StoreUnavailable
from storage.postgres import connect_pool
from storage.system_lock import acquire, read_system
from tests.storage.wire import Wire

KEY = "key-0123456789abcdef"


@pytest.fixture
async def address(database_url: str) -> str:
    return database_url


def _settings(address: str, **environment: str) -> Settings:
    return load_settings({"DATABASE_URL": address, "API_HOST": "0.0.0.0"} | environment)


def _kept(address: str) -> list[ApiKey]:
    async def look() -> list[ApiKey]:
        pool = await connect_pool(address, 1, 1, "tests")
        try:
            return list((await ApiKeys(pool).known()).keys)
        finally:
            await pool.close()

    return asyncio.run(look())


def _settle(settings: Settings) -> str:
    told: list[str] = []
    settle_keys(settings, told.append)
    return "\n".join(told)


def _shown(told: str) -> str:
    (key,) = [word for word in told.split() if word.startswith("hsi_")]
    return key


def test_the_first_start_beyond_loopback_makes_a_key_and_shows_it_once(address: str) -> None:
    key = _shown(_settle(_settings(address)))
    assert len(key) == 47
    assert _kept(address) == [hashed("owner", key)]
    assert _settle(_settings(address)) == ""
    assert _kept(address) == [hashed("owner", key)]


async def test_a_start_is_patient_with_a_server_that_takes_a_connection_late(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.CONNECT_SECONDS", 0.05)
    async with Wire(address) as wire:
        wire.hold()
        settling = asyncio.create_task(asyncio.to_thread(_settle, _settings(wire.address)))
        for _ in range(3):  # whoever has no more patience than usual gives up meanwhile
            with pytest.raises(StoreUnavailable):
                await connect_pool(wire.address, 1, 1, "tests")
        assert not settling.done()
        wire.release()
        assert _shown(await settling)


def test_on_loopback_one_is_made_only_when_keys_are_wanted(address: str) -> None:
    assert _settle(_settings(address, API_HOST="127.0.0.1")) == ""
    assert _kept(address) == []
    assert _shown(_settle(_settings(address, API_HOST="127.0.0.1", API_KEY_ENABLED="true")))


def test_keys_of_the_settings_are_taken_over_and_none_is_made(address: str) -> None:
    _settle(_settings(address))
    assert _settle(_settings(address, API_KEYS=f"mine:{KEY}")) == ""
    assert _kept(address) == [hashed("mine", KEY)]


def test_keys_cannot_be_switched_off_beyond_loopback(address: str) -> None:
    with pytest.raises(SettingsError, match="API_KEY_ENABLED=false"):
        _settle(_settings(address, API_KEY_ENABLED="false"))


def test_a_key_is_replaced_by_command(address: str) -> None:
    first = _shown(_settle(_settings(address)))
    second = replace_key(_settings(address), None, "owner")
    third = replace_key(_settings(address), None, "tablet")
    assert _kept(address) == [hashed("owner", second), hashed("tablet", third)]
    assert len({first, second, third}) == 3


def test_one_key_is_ended_by_command_and_the_others_stay(address: str) -> None:
    first = _shown(_settle(_settings(address)))
    replace_key(_settings(address), None, "phone")
    assert remove_key(_settings(address), None, "phone")
    assert not remove_key(_settings(address), None, "phone")
    assert _kept(address) == [hashed("owner", first)]


def test_no_key_is_made_by_command_where_the_settings_hold_them(address: str) -> None:
    with pytest.raises(SettingsError, match="API_KEYS is set"):
        replace_key(_settings(address, API_KEYS=KEY), None, "owner")


def test_a_program_of_ours_has_a_key_for_as_long_as_it_needs_one(address: str) -> None:
    with passing_key(_settings(address)) as headers:
        assert _kept(address) == [hashed("hsi-demo", headers["X-API-Key"])]
    assert _kept(address) == []
    with passing_key(_settings(address, API_HOST="127.0.0.1")) as headers:
        assert headers == {}


def test_a_program_that_was_killed_leaves_no_key_behind(address: str) -> None:
    with passing_key(_settings(address)):
        _settle(_settings(address, API_HOST="127.0.0.1"))
        assert _kept(address) == []


def test_with_our_own_store_a_key_is_made_while_the_system_is_down(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path)})
    key = replace_key(settings, None, "owner")
    assert key.startswith("hsi_")
    assert read_system(tmp_path) is None
    assert key not in "".join(path.read_text(errors="ignore") for path in tmp_path.glob("run/*") if path.is_file())


def test_while_it_is_starting_nothing_is_done(tmp_path: Path) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path)})
    with acquire(tmp_path) as lock, pytest.raises(SettingsError, match="starting"):
        replace_key(settings, lock.record, "owner")
