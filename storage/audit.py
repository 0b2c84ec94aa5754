"""The audit trail: written with the change it tells of, read by the API, never changed."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from schemas.audit import AuditAction, AuditEntry, AuditStatus, NewAuditEntry
from schemas.frozen import Frozen, UtcTime
from storage.errors import NotFound
from storage.filters import Filters
from storage.postgres import Pool, PooledConnection, store_errors

_COLUMNS = "id, timestamp, action, resource_type, resource_id, actor, ip_address, details, status"


class AuditFilter(Frozen):
    """Which entries are listed; conditions that are set must all hold."""

    action: AuditAction | None = None
    resource_type: str | None = Field(default=None, max_length=100)
    resource_id: str | None = Field(default=None, max_length=200)
    actor: str | None = Field(default=None, max_length=200)
    status: AuditStatus | None = None
    start_date: UtcTime | None = None
    """Entries made then or later."""
    end_date: UtcTime | None = None
    """Entries made then or earlier."""


EVERYTHING = AuditFilter()


class Audit:
    """The table `audit`, newest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def record(self, entry: NewAuditEntry) -> None:
        """For an action that no transaction of ours holds, such as a restart; a change of rows calls `write_audit`."""
        await write_audit(self._pool, entry)

    @store_errors()
    async def list(
        self,
        wanted: AuditFilter = EVERYTHING,
        *,
        before: tuple[datetime, int] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Sequence[AuditEntry]:
        """At most `limit`, from the one after (timestamp, id) = `before` on."""
        filters = Filters().equal("action", wanted.action and wanted.action.value)
        filters.equal("resource_type", wanted.resource_type).equal("resource_id", wanted.resource_id)
        filters.equal("actor", wanted.actor).equal("status", wanted.status and wanted.status.value)
        filters.between("timestamp", wanted.start_date, wanted.end_date).before(["timestamp", "id"], before)
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM audit {filters.where} ORDER BY timestamp DESC, id DESC "
            f"LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}",
            *filters.arguments,
        )
        return [AuditEntry(**row) for row in rows]

    @store_errors()
    async def get(self, entry_id: int) -> AuditEntry:
        """Raises NotFound."""
        row = await self._pool.fetchrow(f"SELECT {_COLUMNS} FROM audit WHERE id = $1", entry_id)
        if row is None:
            raise NotFound(f"there is no audit entry {entry_id}")
        return AuditEntry(**row)


async def write_audit(connection: Pool | PooledConnection, entry: NewAuditEntry) -> None:
    """Give it the connection of the change's own transaction: both are there or neither.

    The time is that of this moment, not of the transaction's start: of changes that waited for one another's lock, the
    later one has the later time.
    """
    await connection.execute(
        """
        INSERT INTO audit (timestamp, action, resource_type, resource_id, actor, ip_address, details, status)
        VALUES (clock_timestamp(), $1, $2, $3, $4, $5, $6, $7)
        """,
        entry.action.value,
        entry.resource_type,
        entry.resource_id,
        entry.caller.actor,
        entry.caller.ip_address,
        entry.details,
        entry.status.value,
    )
