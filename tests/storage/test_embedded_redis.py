"""Our own Redis: private, durable to the last second, healed, and never left behind."""

import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from storage.embedded import EmbeddedRedis
from tests.eventually import eventually_sync
from tests.storage.embedded_stores import SurvivingRedis, all_arguments, is_alive, kill, killed_system, processes_below
from tests.stores import data_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(folder)
    yield server
    server.stop()


def client(address: str) -> "redis.Redis":
    return redis.Redis.from_url(address, decode_responses=True)


def test_it_serves_only_who_has_the_password(server: EmbeddedRedis) -> None:
    address = server.start()
    with client(address) as known, client(f"redis://127.0.0.1:{urlsplit(address).port}/0") as stranger:
        assert known.ping()
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_the_password_is_in_private_files_and_nowhere_else(server: EmbeddedRedis, folder: Path) -> None:
    password = urlsplit(server.start()).password
    assert password is not None
    assert server.pid is not None
    assert password not in all_arguments(server.pid)
    assert password not in server.log.read_text()
    for name in ("password", "redis.conf"):
        assert stat.S_IMODE((folder / "redis" / name).stat().st_mode) == 0o600


def test_its_settings_are_those_of_a_small_machine_that_forgets_nothing(server: EmbeddedRedis) -> None:
    with client(server.start()) as known:
        settings = known.config_get("*")
    assert (settings["appendonly"], settings["appendfsync"]) == ("yes", "everysec")
    assert (settings["maxmemory"], settings["maxmemory-policy"]) == (str(256 * 1024 * 1024), "volatile-ttl")
    assert settings["bind"] == "127.0.0.1"


def test_address_and_keys_are_the_same_after_a_restart(server: EmbeddedRedis) -> None:
    address = server.start()
    with client(address) as known:
        known.set("kept", "1")
    server.stop()
    assert server.start() == address
    with client(address) as known:
        assert known.get("kept") == "1"


def test_a_killed_server_comes_back_at_the_same_address_with_its_keys(server: EmbeddedRedis) -> None:
    address = server.start()
    with client(address) as known:
        known.set("kept", "1")
        kill(server)
        assert server.restart_if_dead() is True
        assert known.get("kept") == "1"


def test_a_file_that_redis_cannot_read_is_set_aside(server: EmbeddedRedis, folder: Path) -> None:
    server.start()
    server.stop()
    (folder / "redis" / "data" / "appendonly.aof").write_text("this was never a command\n" * 10)
    with client(server.start()) as known:
        assert known.dbsize() == 0
    assert (folder / "redis" / "data" / "appendonly.unreadable").exists()


def test_a_file_that_ends_in_the_middle_of_a_command_loses_that_command_only(
    server: EmbeddedRedis, folder: Path
) -> None:
    with client(server.start()) as known:
        known.set("kept", "1")
    server.stop()
    with (folder / "redis" / "data" / "appendonly.aof").open("a") as file:
        file.write("*3\r\n$3\r\nSET\r\n$4\r\nlost")
    with client(server.start()) as known:
        assert known.keys() == ["kept"]


def test_the_server_ends_when_its_parent_is_killed(folder: Path) -> None:
    (pid,) = killed_system(folder, EmbeddedRedis)
    eventually_sync(lambda: not is_alive(pid))
    assert processes_below(folder) == []


def test_a_server_that_outlived_its_parent_is_ended(server: EmbeddedRedis, folder: Path) -> None:
    (leftover,) = killed_system(folder, SurvivingRedis)
    assert is_alive(leftover)
    with client(server.start()) as known:
        assert known.ping()
    assert not is_alive(leftover)


def test_a_path_with_quotes_spaces_and_umlauts_serves_as_well(folder: Path) -> None:
    server = EmbeddedRedis(folder / 'it\'s a "Gerät" \\ here')
    with client(server.start()) as known:
        known.set("kept", "1")
    server.stop()
    assert (folder / 'it\'s a "Gerät" \\ here' / "redis" / "data" / "appendonly.aof").exists()


def test_nothing_is_left_after_stop(server: EmbeddedRedis, folder: Path) -> None:
    server.start()
    pid = server.pid
    server.stop()
    assert pid is not None
    assert not is_alive(pid)
