"""Leases: whose a row is, how it comes back, and how claims find their rows."""

import asyncio
from typing import Any

import pytest

from storage.leases import SUSPECT_AFTER, TABLES, bury_exhausted, claim_rows, fail_row, give_back_rows, release_leases
from storage.postgres import Pool
from tests.storage.pieces import LEASE, TRIES, expire_leases
from tests.storage.rows import NOON, Rows

ORDERS = {"media": "id", "batches": "closed_at", "deliveries": "queued_at"} | {"reassessments": "risk_score DESC, id"}
every_table = pytest.mark.parametrize("table", TABLES)


async def waiting_rows(pool: Pool, table: str, count: int) -> None:
    """So many rows more of a table that wait to be claimed."""
    rows = Rows(pool)
    there = await pool.fetchval(f"SELECT count(*) FROM {table}")
    if not await pool.fetchval("SELECT count(*) FROM cameras"):
        await rows.camera()
    for number in range(there, there + count):
        if table == "media":
            await rows.media(state="queued", path=f"/{number}.jpg".encode())
        elif table == "batches":
            await rows.batch(state="closed", closed_at=NOON)
        elif table == "reassessments":
            await rows.reassessment(await rows.event(assessment="provisional"))
        else:
            await rows.delivery(await rows.alert(await rows.event()), recipient=str(number))


async def claim(pool: Pool, table: str, owner: str = "worker", limit: int = 100, lease: float = LEASE) -> list[Any]:
    return list(await claim_rows(pool, table, owner, limit, lease, TRIES, "id", ORDERS[table]))


async def seen(pool: Pool, table: str) -> list[tuple[str, int]]:
    """State and attempts of every row."""
    column = TABLES[table][0]
    return [tuple(row) for row in await pool.fetch(f"SELECT {column}, attempts FROM {table} ORDER BY id")]


@every_table
async def test_a_claimed_row_is_nobody_elses(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 3)
    first = await claim(database, table, "one", limit=2)
    second = await claim(database, table, "two")
    assert (len(first), len(second)) == (2, 1)
    assert {row["id"] for row in first}.isdisjoint(row["id"] for row in second)
    assert await claim(database, table, "three") == []


@every_table
async def test_claims_at_once_are_disjoint_and_leave_nothing(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 12)
    claims = await asyncio.gather(*(claim(database, table, f"worker_{n}", limit=3) for n in range(8)))
    ids = [row["id"] for rows in claims for row in rows]
    ids += [row["id"] for row in await claim(database, table)]  # a row that was locked at the moment is passed over
    assert len(ids) == len(set(ids)) == 12


@every_table
async def test_an_expired_lease_is_claimable_and_the_tries_are_counted(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    (first,) = await claim(database, table, lease=-1.0)
    (second,) = await claim(database, table)
    assert (first["attempts"], second["attempts"]) == (1, 2)
    assert first["lease"] != second["lease"]


@every_table
async def test_a_lease_that_has_not_expired_is_not_claimable(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    await claim(database, table)
    assert await claim(database, table) == []


@every_table
async def test_release_frees_only_the_owners_rows(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 3)
    await claim(database, table, "worker", limit=1)
    await claim(database, table, "worker_2", limit=1)
    await claim(database, table, "work", limit=1)
    assert await release_leases(database, table, "worker") == 1
    held, free = TABLES[table][1:]
    assert sorted(state for state, _ in await seen(database, table)) == sorted([free, held, held])
    assert len(await claim(database, table, "worker")) == 1


@every_table
async def test_release_keeps_the_tries_counted(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    await claim(database, table)
    await release_leases(database, table, "worker")
    assert await seen(database, table) == [(TABLES[table][2], 1)]


@every_table
async def test_an_owners_name_is_no_pattern(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    await claim(database, table, "worker")
    assert await release_leases(database, table, "work%") == 0
    assert await release_leases(database, table, "_orker") == 0


@every_table
async def test_a_suspect_is_claimed_alone_and_after_the_others(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 2)
    for _ in range(SUSPECT_AFTER):
        await claim(database, table)
        await expire_leases(database, table)
    await waiting_rows(database, table, 2)
    assert [row["attempts"] for row in await claim(database, table)] == [1, 1]
    assert [row["attempts"] for row in await claim(database, table)] == [SUSPECT_AFTER + 1]
    assert [row["attempts"] for row in await claim(database, table)] == [SUSPECT_AFTER + 1]
    assert await claim(database, table) == []


@every_table
async def test_a_row_is_tried_so_often_and_then_dies_with_a_reason(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    for number in range(1, TRIES + 1):
        assert await bury_exhausted(database, table, TRIES, "no answer") == 0
        assert [row["attempts"] for row in await claim(database, table, lease=-1.0)] == [number]
    assert await claim(database, table) == []
    assert await bury_exhausted(database, table, TRIES, "no answer") == 1
    column = TABLES[table][0]
    reason = "error" if table == "deliveries" else "reason"
    row = await database.fetchrow(f"SELECT {column}, {reason}, lease, lease_until FROM {table}")
    assert row is not None
    assert tuple(row) == ("dead", "no answer", None, None)


@every_table
async def test_a_last_try_that_is_still_in_hand_is_not_buried(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    for _ in range(TRIES):
        await expire_leases(database, table)
        await claim(database, table)
    assert await bury_exhausted(database, table, TRIES, "no answer") == 0


@every_table
async def test_a_poison_row_never_blocks_the_rows_behind_it(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 4)
    poison = await database.fetchval(f"SELECT id FROM {table} ORDER BY {ORDERS[table]}, id LIMIT 1")
    done: set[Any] = set()
    while rows := await claim(database, table, limit=4, lease=-1.0):
        if poison not in {row["id"] for row in rows}:  # else the worker dies, and none of its claim is done
            done |= {row["id"] for row in rows}
            await database.execute(f"DELETE FROM {table} WHERE id = ANY($1)", [row["id"] for row in rows])
    assert len(done) == 3
    assert await bury_exhausted(database, table, TRIES, "it kills its worker") == 1


@every_table
async def test_a_failed_row_waits_and_then_dies_with_its_reason(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    (row,) = await claim(database, table)
    assert await fail_row(database, table, row["id"], row["lease"], "the first reason", 60.0)
    assert await claim(database, table) == []
    await database.execute(f"UPDATE {table} SET claimable_at = now()")
    (row,) = await claim(database, table)
    assert await fail_row(database, table, row["id"], row["lease"], "the last reason", None)
    assert await seen(database, table) == [("dead", 2)]


@every_table
async def test_a_failure_under_a_lost_lease_changes_nothing(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    (old,) = await claim(database, table, lease=-1.0)
    (new,) = await claim(database, table)
    assert not await fail_row(database, table, old["id"], old["lease"], "too late", None)
    assert await seen(database, table) == [(TABLES[table][1], new["attempts"])]


@every_table
async def test_a_row_that_is_given_back_waits_without_a_try_counted(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 2)
    given, kept = await claim(database, table)
    await give_back_rows(database, table, [(given["id"], given["lease"])], 60.0)
    assert await claim(database, table) == []
    await database.execute(f"UPDATE {table} SET claimable_at = now()")
    (again,) = await claim(database, table)
    assert (again["id"], again["attempts"], kept["attempts"]) == (given["id"], 1, 1)


@every_table
async def test_a_row_under_a_lost_lease_is_not_given_back(database: Pool, table: str) -> None:
    await waiting_rows(database, table, 1)
    (old,) = await claim(database, table, lease=-1.0)
    await claim(database, table)
    await give_back_rows(database, table, [(old["id"], old["lease"])], 0.0)
    assert await seen(database, table) == [(TABLES[table][1], 2)]


MANY = {
    "media": """
        INSERT INTO media (camera_id, path, size_bytes, modified_ns, content_hash, media_type, state, captured_at)
        SELECT 'front_door', convert_to('/' || n, 'UTF8'), n, n, '', 'image', 'detected', now()
        FROM generate_series(1, 100000) AS n
    """,
    "batches": """
        INSERT INTO batches (camera_id, state, started_at, ended_at, opened_at, last_activity_at, closed_at)
        SELECT 'front_door', 'assessed', now(), now(), now(), now(), now() FROM generate_series(1, 100000) AS n
    """,
    "deliveries": """
        INSERT INTO deliveries (alert_id, channel, recipient, status)
        SELECT (SELECT id FROM alerts LIMIT 1), 'email', n::text, 'delivered' FROM generate_series(1, 100000) AS n
    """,
    "reassessments": """
        ALTER TABLE reassessments DROP CONSTRAINT reassessments_id_fkey;  -- so that it need not have as many events
        INSERT INTO reassessments (id, risk_score, state) SELECT 1000 + n, 50, 'done'
        FROM generate_series(1, 100000) AS n
    """,
}


class Explaining:
    """A pool that keeps the plan of every statement that it runs."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.plans: list[str] = []

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        self.plans.append("\n".join(row[0] for row in await self._pool.fetch("EXPLAIN " + query, *arguments)))
        return list(await self._pool.fetch(query, *arguments))

    async def execute(self, query: str, *arguments: Any) -> str:
        self.plans.append("\n".join(row[0] for row in await self._pool.fetch("EXPLAIN " + query, *arguments)))
        return str(await self._pool.execute(query, *arguments))


@every_table
async def test_looking_for_work_among_100_000_finished_rows_reads_only_the_index_of_those_that_wait(
    database: Pool, table: str
) -> None:
    await waiting_rows(database, table, 3)
    await database.execute(MANY[table])
    await database.execute(f"VACUUM ANALYZE {table}")
    pool: Any = Explaining(database)
    await claim(pool, table)
    await claim(pool, table)
    await release_leases(pool, table, "worker")
    await bury_exhausted(pool, table, TRIES, "no answer")
    assert len(pool.plans) == 5
    for plan in pool.plans:
        assert f"{table}_waiting" in plan
        assert "Seq Scan" not in plan
