"""Our own PostgreSQL: started from nothing, found again, healed, and never left behind."""

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from storage.embedded import EmbeddedPostgres
from storage.errors import AlreadyRunning, StoreSetupFailed, StoreUnavailable
from storage.postgres import acquired, connect_pool, store_errors
from tests.eventually import eventually, eventually_sync
from tests.storage.embedded_stores import (
    SurvivingPostgres,
    all_arguments,
    ask,
    is_alive,
    kill,
    killed_system,
    processes_below,
)
from tests.stores import data_folder


@pytest.fixture(scope="module")
def shared_folder() -> Iterator[Path]:
    """One DATA_DIR with a database in it, for tests that leave it as they found it: making one takes a second."""
    with data_folder() as folder:
        server = EmbeddedPostgres(folder)
        try:
            server.start()
        finally:
            server.stop()
        yield folder


@pytest.fixture
def server(shared_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(shared_folder)
    yield server
    server.stop()


def test_the_programs_role_owns_its_database_and_is_no_superuser(server: EmbeddedPostgres) -> None:
    address = server.start()
    assert ask(address, "SELECT current_user || ' ' || current_database()") == "hsi hsi"
    assert ask(address, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_it_is_durable_and_knows_unicode_whatever_the_machine_is_set_to(server: EmbeddedPostgres) -> None:
    address = server.start()
    assert ask(address, "SELECT current_setting('fsync') || current_setting('synchronous_commit')") == "onon"
    assert ask(address, "SELECT lower('TÜR') || current_setting('timezone')") == "türUTC"
    assert ask(address, "SELECT current_setting('idle_in_transaction_session_timeout')") == "1min"


def test_address_and_rows_are_the_same_after_a_restart(server: EmbeddedPostgres) -> None:
    first = server.start()
    ask(first, "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    server.stop()
    assert not server.is_running()
    assert server.start() == first
    assert ask(first, "SELECT answer FROM kept") == 42


def test_a_second_start_of_a_running_server_changes_nothing(server: EmbeddedPostgres) -> None:
    address, pid = server.start(), server.pid
    assert server.start() == address
    assert server.pid == pid


def test_the_password_is_in_one_private_file_and_nowhere_else(server: EmbeddedPostgres, shared_folder: Path) -> None:
    password = urlsplit(server.start()).password
    assert password is not None
    assert server.pid is not None
    assert password not in all_arguments(server.pid)
    assert password not in server.log.read_text()
    file = shared_folder / "postgres" / "password"
    assert file.read_text() == password
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_it_listens_on_this_machine_only_and_on_no_socket_file(server: EmbeddedPostgres) -> None:
    port = urlsplit(server.start()).port
    connections = psutil.Process(server.pid).net_connections(kind="all")
    listening = [connection.laddr for connection in connections if connection.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", port)]
    assert not any(connection.laddr for connection in connections if connection.family == socket.AF_UNIX)


def test_a_taken_port_is_exchanged_for_another(server: EmbeddedPostgres) -> None:
    port = urlsplit(server.start()).port
    server.stop()
    with socket.create_server(("127.0.0.1", port or 0)):
        address = server.start()
        assert urlsplit(address).port != port
        assert ask(address, "SELECT 1") == 1


def test_a_killed_server_comes_back_at_the_same_address_with_every_committed_row(server: EmbeddedPostgres) -> None:
    address = server.start()
    ask(address, "CREATE TABLE IF NOT EXISTS survives AS SELECT 7 AS seven")
    kill(server)
    assert server.restart_if_dead() is True
    assert ask(address, "SELECT seven FROM survives") == 7


async def test_a_pool_finds_a_killed_server_again(server: EmbeddedPostgres) -> None:
    pool = await connect_pool(await asyncio.to_thread(server.start), 2, 4, "tests")
    async with acquired(pool) as connection:  # a statement that nobody will answer any more
        running = asyncio.create_task(connection.execute("SELECT pg_sleep(60)"))
        asleep = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')"
        await eventually(lambda: pool.fetchval(asleep))
        await asyncio.to_thread(kill, server)
        with pytest.raises(StoreUnavailable), store_errors():
            await running
    await asyncio.to_thread(server.restart_if_dead)
    assert await pool.fetchval("SELECT 1") == 1
    pool.terminate()


def test_a_port_that_was_taken_while_the_server_was_dead_is_waited_for(server: EmbeddedPostgres) -> None:
    address = server.start()
    kill(server)
    with socket.create_server(("127.0.0.1", urlsplit(address).port or 0)):
        with pytest.raises(StoreUnavailable, match="taken by another program"):
            server.restart_if_dead()
    assert server.restart_if_dead() is True
    assert ask(address, "SELECT 1") == 1


def test_a_living_server_is_left_alone(server: EmbeddedPostgres) -> None:
    server.start()
    pid = server.pid
    assert server.restart_if_dead() is False
    assert server.pid == pid


def test_a_stopped_server_stays_stopped(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    assert server.restart_if_dead() is False
    assert not server.is_running()


def test_nothing_is_left_after_stop(server: EmbeddedPostgres, shared_folder: Path) -> None:
    server.start()
    server.stop()
    assert processes_below(shared_folder) == []


def test_the_server_ends_when_its_parent_is_killed(shared_folder: Path) -> None:
    (pid,) = killed_system(shared_folder, EmbeddedPostgres)
    eventually_sync(lambda: not is_alive(pid))
    eventually_sync(lambda: processes_below(shared_folder) == [])


def test_a_server_that_outlived_its_parent_is_ended_and_its_rows_are_kept(
    server: EmbeddedPostgres, shared_folder: Path
) -> None:
    (leftover,) = killed_system(shared_folder, SurvivingPostgres)
    assert is_alive(leftover)
    address = server.start()
    assert not is_alive(leftover)
    assert server.pid != leftover
    assert ask(address, "SELECT 1") == 1


def test_a_process_that_got_the_old_servers_id_is_not_touched(server: EmbeddedPostgres, shared_folder: Path) -> None:
    server.start()
    server.stop()
    data = shared_folder / "postgres" / "data"
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1700000000\n5432\n\n127.0.0.1\n\nready\n")
    assert ask(server.start(), "SELECT 1") == 1


def test_two_programs_do_not_run_a_server_on_one_folder(server: EmbeddedPostgres, shared_folder: Path) -> None:
    address = server.start()
    with pytest.raises(AlreadyRunning, match="stop it first"):
        EmbeddedPostgres(shared_folder).start()
    assert ask(address, "SELECT 1") == 1


def test_a_lost_password_is_replaced(server: EmbeddedPostgres, shared_folder: Path) -> None:
    before = server.start()
    server.stop()
    (shared_folder / "postgres" / "password").unlink()
    after = server.start()
    assert after != before
    assert ask(after, "SELECT 1") == 1


def test_an_operators_own_settings_win(server: EmbeddedPostgres, shared_folder: Path) -> None:
    local = shared_folder / "postgres" / "local.conf"
    before = local.read_text()
    local.write_text("work_mem = 7MB\n")
    assert ask(server.start(), "SELECT current_setting('work_mem')") == "7MB"
    local.write_text(before)


def test_a_setting_that_postgresql_refuses_is_told_in_its_words(server: EmbeddedPostgres, shared_folder: Path) -> None:
    local = shared_folder / "postgres" / "local.conf"
    before = local.read_text()
    local.write_text("work_mem = plenty\n")
    with pytest.raises(StoreSetupFailed, match="work_mem"):
        server.start()
    local.write_text(before)
    assert ask(server.start(), "SELECT 1") == 1


def test_a_folder_of_another_version_is_refused_with_the_mend(server: EmbeddedPostgres, shared_folder: Path) -> None:
    file = shared_folder / "postgres" / "data" / "PG_VERSION"
    file.write_text("16\n")
    with pytest.raises(StoreSetupFailed, match=r"made by PostgreSQL 16.*pg_dump"):
        server.start()
    file.write_text("18\n")


def test_a_start_that_was_killed_halfway_is_begun_again() -> None:
    with data_folder() as folder:
        half_made = folder / "postgres" / "data.new"
        half_made.mkdir(parents=True)
        (half_made / "PG_VERSION").write_text("18\n")
        server = EmbeddedPostgres(folder)
        assert ask(server.start(), "SELECT 1") == 1
        server.stop()


def test_a_long_path_with_quotes_spaces_and_umlauts_serves_as_well() -> None:
    with data_folder() as folder:
        server = EmbeddedPostgres(folder / ("d" * 120) / 'it\'s a "Gerät" \\ here')
        assert ask(server.start(), "SELECT 1") == 1
        server.stop()


def test_a_data_dir_that_is_a_file_is_refused_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreSetupFailed, match="set DATA_DIR"):
        EmbeddedPostgres(tmp_path / "data", outside=tmp_path / "outside").start()
