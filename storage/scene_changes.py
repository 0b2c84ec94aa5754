"""Scene changes and the usual view of each camera, written by whichever worker decides first."""

from collections.abc import Collection, Sequence

from schemas.frame import NewFrame
from schemas.frame_types import SceneChangeDetected, frame
from schemas.scene_change import NewSceneChange, SceneReference
from storage.postgres import Pool, PooledConnection, store_errors, transaction

KEPT_CHANGES = 1000
"""A camera; one that is moved about all day does not fill the table."""
_COLUMNS = "camera_id, view, frames, covered, learnt_at, last_at, version"


class SceneChanges:
    """The tables `scene_references` and `scene_changes`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def references(self, camera_ids: Collection[str]) -> dict[str, SceneReference]:
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM scene_references WHERE camera_id = ANY($1)", [*camera_ids]
        )
        return {row["camera_id"]: SceneReference(**row) for row in rows}

    @store_errors()
    async def save(self, references: Sequence[SceneReference]) -> set[str]:
        """Stores those that follow on the stored version, and names their cameras; version 1 is the first."""
        async with transaction(self._pool) as connection:
            return await _save(connection, references)

    @store_errors()
    async def record(self, change: NewSceneChange, reference: SceneReference) -> NewFrame | None:
        """The change and the view that it leads to; None when another worker has decided meanwhile."""
        async with transaction(self._pool) as connection:
            if not await _save(connection, [reference]):
                return None
            row = await connection.fetchrow(
                """
                INSERT INTO scene_changes (camera_id, detected_at, change_type, similarity_score, media_id)
                VALUES ($1, $2, $3, $4, (SELECT id FROM media WHERE id = $5))
                RETURNING id, camera_id, detected_at, change_type, similarity_score
                """,
                change.camera_id,
                change.detected_at,
                change.change_type.value,
                change.similarity_score,
                change.media_id,
            )
            await connection.execute(
                """
                DELETE FROM scene_changes WHERE id IN (
                    SELECT id FROM scene_changes WHERE camera_id = $1 ORDER BY detected_at DESC, id DESC OFFSET $2
                )
                """,
                change.camera_id,
                KEPT_CHANGES,
            )
        assert row is not None  # an INSERT that returns
        return frame(SceneChangeDetected(**row))


async def _save(connection: PooledConnection, references: Sequence[SceneReference]) -> set[str]:
    ordered = sorted(references, key=lambda reference: reference.camera_id)  # two writers lock in one order
    rows = await connection.fetch(
        f"""
        INSERT INTO scene_references AS r ({_COLUMNS})
        SELECT n.* FROM unnest($1::text[], $2::bytea[], $3::int[], $4::bool[], $5::timestamptz[], $6::timestamptz[],
                               $7::bigint[]) AS n({_COLUMNS})
        JOIN cameras c ON c.id = n.camera_id
        ON CONFLICT (camera_id) DO UPDATE SET
            view = excluded.view, frames = excluded.frames, covered = excluded.covered,
            learnt_at = excluded.learnt_at, last_at = excluded.last_at, version = excluded.version
        WHERE r.version = excluded.version - 1
        RETURNING camera_id
        """,
        *([getattr(reference, column) for reference in ordered] for column in _COLUMNS.split(", ")),
    )
    return {row["camera_id"] for row in rows}
