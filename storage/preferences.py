"""What a person wants to be told of: preferences, settings by camera, quiet hours; each change with its audit row.

They are read in the event's own transaction (`storage.assessments`), so a change holds from the next event on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from domain.quiet_hours import quiet_period
from schemas.audit import AuditAction, Caller, NewAuditEntry, changes
from schemas.notification import CameraNotificationSetting, NewQuietHours, NotificationPreferences, QuietHours
from storage.audit import write_audit
from storage.errors import Conflict, NotFound
from storage.postgres import Pool, PooledConnection, store_errors, transaction

MOST_QUIET_HOURS = 100
"""Every event reads all of them."""

_PREFERENCES = "id, enabled, sound, risk_filters, critical_passes_quiet_hours"
_CAMERA = "id, camera_id, enabled, risk_threshold"
_QUIET = "id, label, start_time, end_time, days"


class Preferences:
    """The tables `notification_preferences`, `camera_notification_settings` and `quiet_hours`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def get(self) -> NotificationPreferences:
        row = await self._pool.fetchrow(f"SELECT {_PREFERENCES} FROM notification_preferences WHERE id = 1")
        return _preferences_of(row)

    @store_errors()
    async def change(self, named: Mapping[str, Any], caller: Caller) -> NotificationPreferences:
        """Replaces the fields that are named; of many changes at once each sees the one before it."""
        async with transaction(self._pool) as connection:
            before = await _locked_preferences(connection)
            after = NotificationPreferences.model_validate({**before.model_dump(), **named})
            if after == before:
                return before
            plain = after.model_dump(mode="json")
            await connection.execute(
                """
                UPDATE notification_preferences
                SET enabled = $1, sound = $2, risk_filters = $3, critical_passes_quiet_hours = $4 WHERE id = 1
                """,
                plain["enabled"],
                plain["sound"],
                plain["risk_filters"],
                plain["critical_passes_quiet_hours"],
            )
            changed = changes(before.model_dump(mode="json"), plain)
            await _audit(connection, "notification_preferences", None, changed, caller)
        return after

    @store_errors()
    async def cameras(self) -> Sequence[CameraNotificationSetting]:
        """The settings that were made, by camera; a deleted camera's are not shown."""
        rows = await self._pool.fetch(
            f"""
            SELECT {_CAMERA} FROM camera_notification_settings s
            WHERE EXISTS (SELECT FROM cameras c WHERE c.id = s.camera_id AND c.deleted_at IS NULL) ORDER BY camera_id
            """
        )
        return [CameraNotificationSetting(**row) for row in rows]

    @store_errors()
    async def camera(self, camera_id: str) -> CameraNotificationSetting:
        """Raises NotFound until it has been set."""
        row = await self._pool.fetchrow(
            f"""
            SELECT {_CAMERA} FROM camera_notification_settings s WHERE camera_id = $1
              AND EXISTS (SELECT FROM cameras c WHERE c.id = s.camera_id AND c.deleted_at IS NULL)
            """,
            camera_id,
        )
        if row is None:
            raise NotFound(f"there are no notification settings for camera {camera_id}")
        return CameraNotificationSetting(**row)

    @store_errors()
    async def change_camera(
        self, camera_id: str, named: Mapping[str, Any], caller: Caller
    ) -> CameraNotificationSetting:
        """Replaces the fields that are named, or sets them for the first time. Raises NotFound without the camera."""
        async with transaction(self._pool) as connection:
            # Its lock also orders two first settings of one camera.
            known = await connection.fetchval(
                "SELECT id FROM cameras WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE", camera_id
            )
            if known is None:
                raise NotFound(f"there is no camera {camera_id}")
            row = await connection.fetchrow(
                f"SELECT {_CAMERA} FROM camera_notification_settings WHERE camera_id = $1", camera_id
            )
            before = None if row is None else CameraNotificationSetting(**row)
            wanted = {"id": 0, "camera_id": camera_id} if before is None else before.model_dump()
            after = CameraNotificationSetting.model_validate({**wanted, **named})
            if after == before:
                return after
            number = await connection.fetchval(
                """
                INSERT INTO camera_notification_settings (camera_id, enabled, risk_threshold) VALUES ($1, $2, $3)
                ON CONFLICT (camera_id) DO UPDATE SET enabled = $2, risk_threshold = $3 RETURNING id
                """,
                camera_id,
                after.enabled,
                after.risk_threshold,
            )
            changed = changes(_choices(before), _choices(after))
            await _audit(connection, "camera_notification_settings", camera_id, changed, caller)
        return after.model_copy(update={"id": number})

    @store_errors()
    async def quiet_hours(self) -> Sequence[QuietHours]:
        """In the order in which they were made."""
        rows = await self._pool.fetch(f"SELECT {_QUIET} FROM quiet_hours ORDER BY id")
        return [QuietHours.model_validate(dict(row)) for row in rows]

    async def quiet_at(self, at: datetime, timezone: str) -> bool:
        """Whether the household wants quiet at the aware moment `at`, by the clock of this IANA zone."""
        return quiet_period(await self.quiet_hours(), at, timezone) is not None

    @store_errors()
    async def add_quiet_hours(self, new: NewQuietHours, caller: Caller) -> QuietHours:
        """Raises Conflict when there are too many."""
        async with transaction(self._pool) as connection:
            await _locked_preferences(connection)  # one at a time, so that the count holds
            if await connection.fetchval("SELECT count(*) FROM quiet_hours") >= MOST_QUIET_HOURS:
                raise Conflict(f"there are {MOST_QUIET_HOURS} quiet hours already; delete one first")
            plain = new.model_dump(mode="json")
            number = await connection.fetchval(
                "INSERT INTO quiet_hours (label, start_time, end_time, days) VALUES ($1, $2, $3, $4) RETURNING id",
                plain["label"],
                plain["start_time"],
                plain["end_time"],
                plain["days"],
            )
            await _audit(connection, "quiet_hours", str(number), changes({}, plain), caller)
        return QuietHours(id=number, **new.model_dump())

    @store_errors()
    async def delete_quiet_hours(self, period_id: int, caller: Caller) -> None:
        """Raises NotFound."""
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(
                f"DELETE FROM quiet_hours WHERE id = $1::bigint RETURNING {_QUIET}", period_id
            )
            if row is None:
                raise NotFound(f"there are no quiet hours {period_id}")
            old = {field: value for field, value in row.items() if field != "id"}
            await _audit(connection, "quiet_hours", str(period_id), changes(old, {}), caller)


async def _locked_preferences(connection: PooledConnection) -> NotificationPreferences:
    await connection.execute("INSERT INTO notification_preferences (id) VALUES (1) ON CONFLICT (id) DO NOTHING")
    row = await connection.fetchrow(f"SELECT {_PREFERENCES} FROM notification_preferences WHERE id = 1 FOR UPDATE")
    return _preferences_of(row)


def _preferences_of(row: asyncpg.Record | None) -> NotificationPreferences:
    """The defaults while there is no row."""
    return NotificationPreferences.model_validate(dict(row or {}))


def _choices(setting: CameraNotificationSetting | None) -> dict[str, Any]:
    return {} if setting is None else setting.model_dump(mode="json", exclude={"id", "camera_id"})


async def _audit(
    connection: PooledConnection,
    resource_type: str,
    resource_id: str | None,
    changed: dict[str, dict[str, Any]],
    caller: Caller,
) -> None:
    await write_audit(
        connection,
        NewAuditEntry(
            action=AuditAction.SETTINGS_CHANGED,
            resource_type=resource_type,
            resource_id=resource_id,
            caller=caller,
            details={"changes": changed},
        ),
    )
