"""Models of the zoo: what the zoo's actor last wrote of each."""

from collections.abc import Sequence
from datetime import datetime

from domain.model_registry import MODELS
from schemas.model import ZooModel
from storage.postgres import Pool, store_errors

_COLUMNS = (
    "name, status, enabled, available, reason, vram_mb, vram_measured, device, path, last_used, load_count, "
    "load_time_ms, inference_count"
)


class Models:
    """The table `models`, by name. Names, categories and their order are the registry's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(self) -> Sequence[ZooModel]:
        """In the registry's order; a model of which nothing has been written is not there."""
        rows = {row["name"]: row for row in await self._pool.fetch(f"SELECT {_COLUMNS} FROM models")}
        return [
            ZooModel(**rows[name], display_name=model.display_name, category=model.category)
            for name, model in MODELS.items()
            if name in rows
        ]

    @store_errors()
    async def upsert_many(self, models: Sequence[ZooModel], at: datetime) -> None:
        """One statement for all that changed; a row written later than `at` stays as it is."""
        await self._pool.execute(
            f"""
            INSERT INTO models AS m ({_COLUMNS}, updated_at)
            SELECT {_COLUMNS}, $14
            FROM unnest($1::text[], $2::text[], $3::bool[], $4::bool[], $5::text[], $6::int[], $7::bool[], $8::text[],
                        $9::text[], $10::timestamptz[], $11::bigint[], $12::int[], $13::bigint[]) AS t({_COLUMNS})
            ON CONFLICT (name) DO UPDATE SET
                status = excluded.status, enabled = excluded.enabled, available = excluded.available,
                reason = excluded.reason, vram_mb = excluded.vram_mb, vram_measured = excluded.vram_measured,
                device = excluded.device, path = excluded.path, last_used = excluded.last_used,
                load_count = excluded.load_count, load_time_ms = excluded.load_time_ms,
                inference_count = excluded.inference_count, updated_at = excluded.updated_at
            WHERE m.updated_at <= excluded.updated_at
            """,
            [m.name for m in models],
            [m.status.value for m in models],
            [m.enabled for m in models],
            [m.available for m in models],
            [m.reason if m.reason is None else m.reason.replace("\x00", " ") for m in models],
            [m.vram_mb for m in models],
            [m.vram_measured for m in models],
            [m.device for m in models],
            [m.path for m in models],
            [m.last_used for m in models],
            [m.load_count for m in models],
            [m.load_time_ms for m in models],
            [m.inference_count for m in models],
            at,
        )
