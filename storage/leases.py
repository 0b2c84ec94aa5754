"""Leases: how a worker owns a row for a while, and how the row comes back when the worker is gone."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg

from domain.plain_text import plain
from storage.postgres import Pool, PooledConnection

TABLES = {"media": ("state", "detecting", "queued"), "batches": ("state", "assessing", "closed")} | {
    "deliveries": ("status", "sending", "queued"),
    "reassessments": ("state", "assessing", "waiting"),
}
CLAIM_STAMPS = {"media": "started_at = now(), ", "batches": "analysis_started_at = now(), ", "deliveries": ""} | {
    "reassessments": "started_at = now(), "
}
LONGEST_REASON = 1000
SUSPECT_AFTER = 2
"""A row tried this often without an answer is claimed alone, so that one that kills its worker takes no other along."""


def new_lease(owner: str) -> str:
    """A token that no other claim has; it starts with the owner's name, so that its successor can let go of it."""
    return f"{owner}/{uuid4().hex}"


async def release_leases(pool: Pool, table: str, owner: str, tried: bool = True) -> int:
    """Frees what `owner` still holds of a claim that was broken off; call it before its next claim.

    `tried` says whether that counts as a try: it does where the worker died over it (its row may be what kills), and
    not where a store was away.

    Safe because an actor's name is unique in the cluster: whoever held these leases under this name is dead, and a
    late commit of its would fail on the lease.
    """
    column, held, free = TABLES[table]
    done = await pool.execute(
        f"UPDATE {table} SET {column} = $3, lease = NULL, lease_until = NULL, "
        f"attempts = greatest(attempts - $4, 0) WHERE {column} = $2 AND starts_with(lease, $1 || '/')",
        owner,
        held,
        free,
        0 if tried else 1,
    )
    return int(done.split()[-1])


async def claim_rows(
    pool: Pool,
    table: str,
    owner: str,
    limit: int,
    lease_seconds: float,
    tries: int,
    columns: str,
    order: str,
    channel: str | None = None,
    closed_before: datetime | None = None,
) -> list[asyncpg.Record]:
    """Leases up to `limit` waiting rows, the first in `order`; rows tried `tries` times without an answer stay.

    An expired lease is claimable again. Fresh rows come first; when there are none, one suspect is taken alone.
    `channel` narrows a claim of deliveries, `closed_before` one of batches.
    """
    column, held, free = TABLES[table]
    waiting = (
        f"(({column} = '{free}' AND claimable_at <= now()) OR ({column} = '{held}' AND lease_until < now()))"
        f" AND attempts >= $4 AND attempts < $5"
    )
    only: list[str | datetime] = []
    if channel is not None:
        only.append(channel)
        waiting += " AND channel = $6"
    if closed_before is not None:
        only.append(closed_before)
        waiting += f" AND closed_at < ${5 + len(only)}"
    query = f"""
        UPDATE {table} SET {column} = '{held}', {CLAIM_STAMPS[table]}attempts = attempts + 1, lease = $1,
               lease_until = now() + make_interval(secs => $2)
        WHERE id IN (SELECT id FROM {table} WHERE {waiting} ORDER BY {order} LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING {columns}, attempts, lease
    """
    lease = new_lease(owner)
    rows = await pool.fetch(query, lease, lease_seconds, limit, 0, SUSPECT_AFTER, *only)
    if not rows:
        rows = await pool.fetch(query, lease, lease_seconds, 1, SUSPECT_AFTER, tries, *only)
    return rows


async def give_back_rows(pool: Pool, table: str, rows: Sequence[tuple[int | UUID, str]], retry_in: float) -> None:
    """Rows, each with its lease, that nobody has tried after all: they wait again and the claim counts for nothing."""
    column, held, free = TABLES[table]
    await pool.execute(
        f"""
        UPDATE {table} SET {column} = '{free}', lease = NULL, lease_until = NULL,
               attempts = greatest(attempts - 1, 0), claimable_at = now() + make_interval(secs => $3)
        WHERE id = ANY($1) AND lease = ANY($2) AND {column} = '{held}'
        """,
        [row for row, _ in rows],
        list({lease for _, lease in rows}),
        retry_in,
    )


async def fail_row(
    pool: Pool | PooledConnection, table: str, row: int | UUID, lease: str, reason: str, retry_in: float | None
) -> bool:
    """One tried and failed row waits `retry_in` seconds, or dies when that is None. False when the lease is lost."""
    column, held, free = TABLES[table]
    done = await pool.execute(
        f"""
        UPDATE {table} SET {column} = CASE WHEN $4::float8 IS NULL THEN 'dead' ELSE '{free}' END,
               {_reason_column(table)} = $3, lease = NULL, lease_until = NULL,
               died_at = CASE WHEN $4::float8 IS NULL THEN now() END,
               claimable_at = now() + make_interval(secs => coalesce($4::float8, 0))
        WHERE id = $1 AND lease = $2 AND {column} = '{held}'
        """,
        row,
        lease,
        plain(reason, LONGEST_REASON),
        retry_in,
    )
    return done == "UPDATE 1"


async def bury_exhausted(pool: Pool | PooledConnection, table: str, tries: int, reason: str) -> int:
    """Rows whose last try ended without an answer (the worker died each time) become dead letters."""
    column, held, free = TABLES[table]
    done = await pool.execute(
        f"UPDATE {table} SET {column} = 'dead', died_at = now(), {_reason_column(table)} = $2, "
        f"lease = NULL, lease_until = NULL "
        f"WHERE attempts >= $1 AND ({column} = '{free}' OR ({column} = '{held}' AND lease_until < now()))",
        tries,
        reason,
    )
    return int(done.split()[-1])


def _reason_column(table: str) -> str:
    return "error" if table == "deliveries" else "reason"
