"""Services: what the supervisor last saw of every part of the system, and what a person has switched off."""

import json
from collections.abc import Sequence

from schemas.audit import NewAuditEntry
from schemas.service import Service, ServiceCategory
from storage.audit import write_audit
from storage.postgres import Pool, store_errors, transaction

_COLUMNS = """name, category, status, enabled, failure_count, last_restart, restarts, next_restart_at, message, detail,
    checked_at"""


class Services:
    """The table `services`, by name, and beside it `disabled_services`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(self, category: ServiceCategory | None = None) -> Sequence[Service]:
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM services WHERE $1::text IS NULL OR category = $1 ORDER BY name",
            category and category.value,
        )
        return [Service(**row) for row in rows]

    @store_errors()
    async def upsert_many(self, services: Sequence[Service]) -> None:
        """One statement for the whole check; of two reports of one service the newer stays."""
        await self._pool.execute(
            f"""
            INSERT INTO services AS s ({_COLUMNS})
            SELECT name, category, status, enabled, failure_count, last_restart, restarts, next_restart_at, message,
                   detail::jsonb, checked_at
            FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::int[], $6::timestamptz[], $7::int[],
                        $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[]) AS t({_COLUMNS})
            ON CONFLICT (name) DO UPDATE SET
                category = excluded.category, status = excluded.status, enabled = excluded.enabled,
                failure_count = excluded.failure_count, last_restart = excluded.last_restart,
                restarts = excluded.restarts, next_restart_at = excluded.next_restart_at,
                message = excluded.message, detail = excluded.detail, checked_at = excluded.checked_at
            WHERE s.checked_at <= excluded.checked_at
            """,
            [s.name for s in services],
            [s.category.value for s in services],
            [s.status.value for s in services],
            [s.enabled for s in services],
            [s.failure_count for s in services],
            [s.last_restart for s in services],
            [s.restarts for s in services],
            [s.next_restart_at for s in services],
            [s.message if s.message is None else s.message.replace("\x00", " ") for s in services],
            [json.dumps(s.detail) for s in services],
            [s.checked_at for s in services],
        )

    @store_errors()
    async def keep_only(self, names: Sequence[str]) -> None:
        """Forgets services that this version or configuration no longer has."""
        await self._pool.execute("DELETE FROM services WHERE name <> ALL($1::text[])", list(names))

    @store_errors()
    async def disabled(self) -> frozenset[str]:
        """What a person has switched off."""
        return frozenset(row["name"] for row in await self._pool.fetch("SELECT name FROM disabled_services"))

    @store_errors()
    async def switch(self, name: str, enabled: bool, entry: NewAuditEntry) -> bool:
        """Stores the wish, and the audit entry with it; False, and no entry, when it was so already."""
        async with transaction(self._pool) as connection:
            done = await connection.execute(
                "DELETE FROM disabled_services WHERE name = $1"
                if enabled
                else "INSERT INTO disabled_services (name) VALUES ($1) ON CONFLICT (name) DO NOTHING",
                name,
            )
            if done.endswith(" 0"):
                return False
            await write_audit(connection, entry)
            return True
