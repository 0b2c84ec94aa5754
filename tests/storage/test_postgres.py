"""The pool, and what becomes of the driver's errors."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from storage.errors import Conflict, InvalidValue, StoreError, StoreUnavailable
from storage.postgres import Pool, acquired, connect_pool, store_errors, transaction
from tests.eventually import eventually


@store_errors()
async def run(pool: Pool, statement: str, *arguments: Any) -> Any:
    return await pool.fetchval(statement, *arguments)


async def insert_camera(pool: Pool, name: str) -> None:
    await run(pool, "INSERT INTO cameras (id, name, folder_path) VALUES ($1, $1, '/cameras/' || $1)", name)


async def test_every_test_begins_with_an_empty_database(database: Pool) -> None:
    assert await run(database, "SELECT count(*) FROM cameras") == 0
    await insert_camera(database, "front_door")


async def test_and_so_does_the_next_one(database: Pool) -> None:
    assert await run(database, "SELECT count(*) FROM cameras") == 0


async def test_jsonb_comes_back_as_it_went_in(database: Pool) -> None:
    value = {"a": [1, 2.5, None, True], "ü": "Tür"}
    assert await run(database, "SELECT $1::jsonb", value) == value


async def test_times_come_back_in_utc(database: Pool) -> None:
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert await run(database, "SELECT $1::timestamptz", moment) == moment
    assert await run(database, "SHOW timezone") == "UTC"


async def test_ids_come_back_as_uuids(database: Pool) -> None:
    assert isinstance(await run(database, "SELECT gen_random_uuid()"), UUID)


async def test_a_second_row_of_a_unique_value_is_a_conflict_that_names_the_constraint(database: Pool) -> None:
    await insert_camera(database, "front_door")
    with pytest.raises(Conflict) as conflict:
        await insert_camera(database, "front_door")
    assert conflict.value.constraint == "cameras_pkey"


async def test_a_missing_reference_is_a_conflict(database: Pool) -> None:
    statement = "INSERT INTO camera_notification_settings (camera_id) VALUES ('nowhere')"
    with pytest.raises(Conflict):
        await run(database, statement)


async def test_a_value_outside_the_allowed_ones_is_a_conflict(database: Pool) -> None:
    await insert_camera(database, "front_door")
    with pytest.raises(Conflict):
        await run(database, "UPDATE cameras SET status = 'asleep'")


@pytest.mark.parametrize(
    ("statement", "value"),
    [("SELECT $1::text", "a\x00b"), ("SELECT $1::integer", 2**40), ("SELECT $1::jsonb", {"a": "\x00"})],
)
async def test_a_value_that_postgresql_cannot_hold_is_invalid(database: Pool, statement: str, value: Any) -> None:
    with pytest.raises(InvalidValue):
        await run(database, statement, value)


async def test_sql_that_postgresql_refuses_is_a_defect_and_not_an_outage(database: Pool) -> None:
    with pytest.raises(StoreError) as refused:
        await run(database, "SELECT nothing FROM nowhere")
    assert type(refused.value) is StoreError


async def test_a_statement_that_takes_too_long_is_an_outage(database: Pool) -> None:
    async with acquired(database) as connection:
        await connection.execute("SET statement_timeout = '10ms'")
        with pytest.raises(StoreUnavailable), store_errors():
            await connection.execute("SELECT pg_sleep(60)")


async def test_a_closed_pool_is_an_outage(database_url: str) -> None:
    pool = await connect_pool(database_url, 1, 2, "tests")
    await pool.close()
    with pytest.raises(StoreUnavailable):
        await run(pool, "SELECT 1")


async def test_a_connection_that_the_server_ends_is_an_outage_and_the_next_call_works(database: Pool) -> None:
    with pytest.raises(StoreUnavailable):
        await run(database, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert await run(database, "SELECT 1") == 1


async def test_an_error_that_is_not_the_drivers_passes_through(database: Pool) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction(database):
            raise ZeroDivisionError


async def test_a_transaction_that_raises_leaves_nothing(database: Pool) -> None:
    async def insert_and_fail() -> None:
        async with transaction(database) as connection:
            await connection.execute("INSERT INTO cameras (id, name, folder_path) VALUES ('a', 'a', '/a')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await insert_and_fail()
    assert await run(database, "SELECT count(*) FROM cameras") == 0


async def test_a_cancelled_transaction_leaves_nothing_and_gives_its_connection_back(database: Pool) -> None:
    entered = asyncio.Event()

    async def insert_and_wait() -> None:
        async with transaction(database) as connection:
            await connection.execute("INSERT INTO cameras (id, name, folder_path) VALUES ('a', 'a', '/a')")
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(insert_and_wait())
    await entered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await eventually(lambda: database.get_idle_size() == database.get_size())
    assert await run(database, "SELECT count(*) FROM cameras") == 0


async def test_no_server_at_the_address_is_an_outage() -> None:
    with pytest.raises(StoreUnavailable):
        await connect_pool("postgresql://hsi:secret@127.0.0.1:1/hsi", 0, 1, "tests")


@pytest.mark.parametrize(
    "address", ["mysql://u:pa55word@h/d", "postgresql://u:p#pa55word@h/d", "postgresql://u:pa55word@h:x/d"]
)
async def test_an_address_that_makes_no_sense_is_explained_without_quoting_it(address: str) -> None:
    with pytest.raises(StoreUnavailable, match="postgresql://user:password@host") as refused:
        await connect_pool(address, 1, 1, "tests")
    assert "pa55word" not in str(refused.value)


async def test_a_wrong_password_is_an_outage_that_does_not_tell_it(postgres_server: str) -> None:
    wrong = postgres_server.replace("hsi:", "hsi:wrong", 1)
    with pytest.raises(StoreUnavailable, match="password authentication failed") as refused:
        await connect_pool(wrong, 1, 1, "tests")
    assert "wrong" not in str(refused.value)


async def test_an_unknown_database_is_an_outage_that_names_it(postgres_server: str) -> None:
    with pytest.raises(StoreUnavailable, match="elsewhere"):
        await connect_pool(f"{postgres_server}_elsewhere", 1, 1, "tests")
