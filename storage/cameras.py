"""Cameras: one row a folder below the camera root, seen by the watcher or made by a person."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.camera import Camera, CameraStatus, CameraUpdate
from schemas.frame import NewFrame
from schemas.frame_types import CameraDisabled, CameraEnabled, frame
from storage.changed import Changed
from storage.errors import Conflict, NotFound
from storage.filters import Filters
from storage.postgres import Pool, store_errors

_COLUMNS = "id, name, folder_path, status, status_reason, enabled, created_at, last_seen_at"


class Cameras:
    """The table `cameras`; a deleted camera is left out everywhere, and its history stays."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(self, *, after: str | None = None, limit: int = 1000, offset: int = 0) -> Sequence[Camera]:
        """In the order of their ids, from the one after `after` on."""
        filters = Filters().add("deleted_at IS NULL").after(["id"], None if after is None else [after])
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM cameras {filters.where} ORDER BY id "
            f"LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}",
            *filters.arguments,
        )
        return [Camera(**row) for row in rows]

    @store_errors()
    async def get(self, camera_id: str) -> Camera:
        """Raises NotFound."""
        row = await self._pool.fetchrow(
            f"SELECT {_COLUMNS} FROM cameras WHERE id = $1 AND deleted_at IS NULL", camera_id
        )
        if row is None:
            raise _no_camera(camera_id)
        return Camera(**row)

    @store_errors()
    async def unknown(self, camera_ids: Sequence[str]) -> Sequence[str]:
        """Those of these ids that no camera has."""
        rows = await self._pool.fetch(
            """
            SELECT DISTINCT asked.id FROM unnest($1::text[]) AS asked(id)
            WHERE NOT EXISTS (SELECT FROM cameras c WHERE c.id = asked.id AND c.deleted_at IS NULL) ORDER BY asked.id
            """,
            [*camera_ids],
        )
        return [row["id"] for row in rows]

    @store_errors()
    async def create(self, camera_id: str, name: str, folder_path: str) -> Camera:
        """Raises Conflict when the id or the folder is a camera's already; a deleted one comes back to life."""
        row = await self._pool.fetchrow(
            f"""
            INSERT INTO cameras AS c (id, name, folder_path) VALUES ($1, $2, $3)
            ON CONFLICT (id) DO UPDATE SET name = $2, folder_path = $3, enabled = true, status = 'unknown',
                                           status_reason = NULL, deleted_at = NULL
                WHERE c.deleted_at IS NOT NULL
            RETURNING {_COLUMNS}
            """,
            camera_id,
            name,
            folder_path,
        )
        if row is None:
            raise Conflict(f"there is a camera {camera_id} already")
        return Camera(**row)

    @store_errors()
    async def update(self, camera_id: str, change: CameraUpdate) -> Changed[Camera]:
        """Changes the fields that are not null; raises NotFound."""
        row = await self._pool.fetchrow(
            f"""
            UPDATE cameras c SET name = coalesce($2, c.name), enabled = coalesce($3, c.enabled)
            FROM (SELECT id AS old_id, enabled AS was_enabled FROM cameras
                  WHERE id = $1 AND deleted_at IS NULL FOR UPDATE) old
            WHERE c.id = old.old_id RETURNING {_COLUMNS}, was_enabled, now() AS at
            """,
            camera_id,
            change.name,
            change.enabled,
        )
        if row is None:
            raise _no_camera(camera_id)
        values = dict(row)
        was_enabled, at = values.pop("was_enabled"), values.pop("at")
        camera = Camera(**values)
        news = (
            () if camera.enabled == was_enabled else (_enabled_frame(camera.id, camera.enabled, "set by a person", at),)
        )
        return Changed(camera, news)

    @store_errors()
    async def delete(self, camera_id: str) -> Changed[None]:
        """Marks it deleted: its folder is no longer looked at, its events stay. Raises NotFound."""
        at = await self._pool.fetchval(
            "UPDATE cameras SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL RETURNING deleted_at", camera_id
        )
        if at is None:
            raise _no_camera(camera_id)
        return Changed(None, (_enabled_frame(camera_id, False, "deleted", at),))

    @store_errors()
    async def see(self, camera_id: str, name: str, folder_path: str) -> Camera | None:
        """The watcher found this folder: makes its camera when there is none, and answers the camera of this id.

        One whose `folder_path` is another holds the id already: a conflict, and nothing is written. None when the
        camera was deleted, so that its folder is to be left alone.
        """
        row = await self._pool.fetchrow(
            f"""
            WITH made AS (
                INSERT INTO cameras (id, name, folder_path) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
                RETURNING {_COLUMNS}, deleted_at
            )
            SELECT * FROM made
            UNION ALL
            SELECT {_COLUMNS}, deleted_at FROM cameras WHERE id = $1 OR folder_path = $3
            ORDER BY deleted_at NULLS FIRST LIMIT 1
            """,
            camera_id,
            name,
            folder_path,
        )
        if row is None or row["deleted_at"] is not None:
            return None
        return Camera(**{field: value for field, value in row.items() if field != "deleted_at"})

    @store_errors()
    async def move(self, camera_id: str, folder_path: str) -> None:
        """The camera's folder lies elsewhere now: the whole camera root was moved."""
        await self._pool.execute("UPDATE cameras SET folder_path = $2 WHERE id = $1", camera_id, folder_path)

    @store_errors()
    async def set_status(self, camera_id: str, status: CameraStatus, reason: str | None) -> CameraStatus | None:
        """Answers the status before, None when there is no such camera; a healthy one has no reason."""
        previous = await self._pool.fetchval(
            """
            UPDATE cameras c SET status = $2, status_reason = $3
            FROM (SELECT id, status FROM cameras WHERE id = $1 AND deleted_at IS NULL FOR UPDATE) old
            WHERE c.id = old.id RETURNING old.status
            """,
            camera_id,
            status.value,
            reason,
        )
        return None if previous is None else CameraStatus(previous)

    @store_errors()
    async def touch(self, last_seen: Mapping[str, datetime]) -> None:
        """Notes when each camera's newest file was taken in; never goes back."""
        await self._pool.execute(
            """
            UPDATE cameras c SET last_seen_at = greatest(c.last_seen_at, t.at)
            FROM (SELECT * FROM unnest($1::text[], $2::timestamptz[])) AS t(id, at) WHERE c.id = t.id
            """,
            [*last_seen],
            [*last_seen.values()],
        )


def _no_camera(camera_id: str) -> NotFound:
    return NotFound(f"there is no camera {camera_id}")


def _enabled_frame(camera_id: str, enabled: bool, reason: str, at: datetime) -> NewFrame:
    if enabled:
        return frame(CameraEnabled(camera_id=camera_id, enabled_at=at))
    return frame(CameraDisabled(camera_id=camera_id, disabled_at=at, reason=reason))
