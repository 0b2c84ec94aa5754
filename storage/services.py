"""Services: what the supervisor last saw of every part of the system."""

import json
from collections.abc import Sequence

from schemas.service import Service, ServiceCategory
from storage.postgres import Pool, store_errors

_COLUMNS = "name, category, status, enabled, failure_count, last_restart, message, detail, checked_at"


class Services:
    """The table `services`, by name."""

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
            SELECT name, category, status, enabled, failure_count, last_restart, message, detail::jsonb, checked_at
            FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::int[], $6::timestamptz[], $7::text[],
                        $8::text[], $9::timestamptz[]) AS t({_COLUMNS})
            ON CONFLICT (name) DO UPDATE SET
                category = excluded.category, status = excluded.status, enabled = excluded.enabled,
                failure_count = excluded.failure_count, last_restart = excluded.last_restart,
                message = excluded.message, detail = excluded.detail, checked_at = excluded.checked_at
            WHERE s.checked_at <= excluded.checked_at
            """,
            [s.name for s in services],
            [s.category.value for s in services],
            [s.status.value for s in services],
            [s.enabled for s in services],
            [s.failure_count for s in services],
            [s.last_restart for s in services],
            [s.message if s.message is None else s.message.replace("\x00", " ") for s in services],
            [json.dumps(s.detail) for s in services],
            [s.checked_at for s in services],
        )
