"""The connection by which a process writes its log: it comes back by itself, and one bad line harms no other."""

from contextlib import suppress

import pytest

from storage.errors import StoreUnavailable
from storage.log_writer import LogWriter
from storage.logs import Logs
from storage.postgres import Pool
from tests.storage.test_logs import line, messages

CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'worker log' AND datname = current_database()"
)


async def test_lines_are_stored_over_one_connection_that_is_given_back(database: Pool, database_url: str) -> None:
    writer = LogWriter(database_url, "worker")
    assert await database.fetchval(CONNECTIONS) == 0
    for number in range(3):
        assert await writer.write([line(str(number))]) == 1
    assert await database.fetchval(CONNECTIONS) == 1
    await writer.close()
    assert messages(await Logs(database).list()) == ["2", "1", "0"]


async def test_a_line_that_the_database_cannot_hold_is_left_out(database: Pool, database_url: str) -> None:
    writer = LogWriter(database_url, "worker")
    assert await writer.write([line("one"), line("bad\x00"), line("two")]) == 2
    assert messages(await Logs(database).list()) == ["two", "one"]
    await writer.close()


async def test_after_its_connection_was_cut_the_next_call_works(database: Pool, database_url: str) -> None:
    writer = LogWriter(database_url, "worker")
    await writer.write([line("one")])
    await database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'worker log'"
    )
    with suppress(StoreUnavailable):  # unless it was told of the end in time
        await writer.write([line("two")])
    assert await writer.write([line("three")]) == 1
    assert messages(await Logs(database).list())[-1] == "one"
    assert messages(await Logs(database).list())[0] == "three"
    await writer.close()


async def test_a_server_that_is_away_is_said_so() -> None:
    with pytest.raises(StoreUnavailable):
        await LogWriter("postgresql://nobody@127.0.0.1:1/none", "worker").write([line()])
