"""Migrations: each file once, in order, whole or not at all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.errors import MigrationRefused, StoreUnavailable
from storage.migrate import Migration, migrate, shipped_migrations
from storage.postgres import Pool, connect_once, connect_pool
from tests.storage.wire import Wire
from tests.stores import fresh_database

FIRST = Migration(1, "0001_first.sql", "CREATE TABLE first (id integer);")
SECOND = Migration(2, "0002_second.sql", "CREATE TABLE second (id integer); INSERT INTO first VALUES (2);")


@pytest_asyncio.fixture
async def empty_url(postgres_server: str) -> AsyncIterator[str]:
    async with fresh_database(postgres_server, template="template0") as address:
        yield address


@pytest_asyncio.fixture
async def empty(empty_url: str) -> AsyncIterator[Pool]:
    pool = await connect_pool(empty_url, 1, 2, "tests")
    yield pool
    await pool.close()


async def test_the_shipped_files_make_the_schema(empty_url: str, empty: Pool) -> None:
    applied = await migrate(empty_url)
    assert applied == tuple(migration.name for migration in shipped_migrations())
    assert await empty.fetchval("SELECT count(*) FROM events") == 0


async def test_a_second_run_does_nothing(empty_url: str, empty: Pool) -> None:
    await migrate(empty_url, [FIRST])
    assert await migrate(empty_url, [FIRST]) == ()


async def test_only_what_is_missing_is_applied(empty_url: str, empty: Pool) -> None:
    await migrate(empty_url, [FIRST])
    assert await migrate(empty_url, [FIRST, SECOND]) == ("0002_second.sql",)
    assert await empty.fetchval("SELECT id FROM first") == 2


async def test_what_was_applied_is_on_record(empty_url: str, empty: Pool) -> None:
    await migrate(empty_url, [FIRST, SECOND])
    rows = await empty.fetch("SELECT version, name, sha256 FROM schema_migrations ORDER BY version")
    assert [tuple(row) for row in rows] == [(1, FIRST.name, FIRST.sha256), (2, SECOND.name, SECOND.sha256)]


async def test_a_start_is_patient_with_a_server_that_takes_a_connection_late(
    empty_url: str, empty: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.CONNECT_SECONDS", 0.05)
    async with Wire(empty_url) as wire:
        wire.hold()
        migrating = asyncio.create_task(migrate(wire.address, [FIRST]))
        for _ in range(3):  # whoever has no more patience than usual gives up meanwhile
            with pytest.raises(StoreUnavailable):
                await connect_once(wire.address, "tests")
        assert not migrating.done()
        wire.release()
        assert await migrating == (FIRST.name,)


async def test_two_migrators_at_once_apply_each_file_once(empty_url: str, empty: Pool) -> None:
    slow = Migration(1, "0001_slow.sql", "SELECT pg_sleep(0.2); CREATE TABLE first (id integer);")
    answers = await asyncio.gather(*(migrate(empty_url, [slow, SECOND]) for _ in range(4)))
    assert sorted(answers) == [(), (), (), (slow.name, SECOND.name)]
    assert await empty.fetchval("SELECT count(*) FROM first") == 1


async def test_a_file_that_fails_halfway_leaves_nothing_of_itself_and_keeps_those_before(
    empty_url: str, empty: Pool
) -> None:
    broken = Migration(2, "0002_broken.sql", "CREATE TABLE second (id integer); SELECT nothing FROM nowhere;")
    with pytest.raises(MigrationRefused, match=r"0002_broken\.sql failed and was undone"):
        await migrate(empty_url, [FIRST, broken])
    assert await empty.fetchval("SELECT to_regclass('first') IS NOT NULL AND to_regclass('second') IS NULL")


async def test_after_a_failure_the_mended_file_applies(empty_url: str, empty: Pool) -> None:
    with pytest.raises(MigrationRefused):
        await migrate(empty_url, [FIRST, Migration(2, "0002_second.sql", "nonsense")])
    assert await migrate(empty_url, [FIRST, SECOND]) == (SECOND.name,)


async def test_an_edited_file_is_refused(empty_url: str, empty: Pool) -> None:
    await migrate(empty_url, [FIRST])
    edited = Migration(1, FIRST.name, FIRST.sql + " -- better")
    with pytest.raises(MigrationRefused, match="differs from the one this database was made with"):
        await migrate(empty_url, [edited, SECOND])
    assert await empty.fetchval("SELECT to_regclass('second') IS NULL")


async def test_a_database_of_a_newer_program_is_refused(empty_url: str, empty: Pool) -> None:
    await migrate(empty_url, [FIRST, SECOND])
    with pytest.raises(MigrationRefused, match="update this program"):
        await migrate(empty_url, [FIRST])


async def test_a_file_that_was_numbered_before_an_applied_one_is_refused(empty_url: str, empty: Pool) -> None:
    third = Migration(3, "0003_third.sql", "SELECT 1")
    await migrate(empty_url, [FIRST, third])
    with pytest.raises(MigrationRefused, match="give it the next number"):
        await migrate(empty_url, [FIRST, SECOND, third])


async def test_no_server_is_an_outage() -> None:
    with pytest.raises(StoreUnavailable):
        await migrate("postgresql://hsi:secret@127.0.0.1:1/hsi")


def test_files_are_taken_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("0010_b.sql", "0002_c.sql", "README.md"):
        (tmp_path / name).write_text("SELECT 1")
    assert [migration.name for migration in shipped_migrations(tmp_path)] == ["0002_c.sql", "0010_b.sql"]


def test_line_ends_do_not_make_another_migration(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_bytes(b"SELECT 1;\r\n")
    assert shipped_migrations(tmp_path)[0].sha256 == Migration(1, "0001_a.sql", "SELECT 1;\n").sha256


def test_two_files_of_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0001_b.sql"):
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationRefused, match="the same number"):
        shipped_migrations(tmp_path)


def test_a_misnamed_file_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "1_a.sql").write_text("SELECT 1")
    with pytest.raises(MigrationRefused, match="NNNN"):
        shipped_migrations(tmp_path)
