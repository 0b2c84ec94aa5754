"""The log of every process and page: written in batches, listed, counted, read by number."""

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import Field, field_validator

from schemas.frozen import Frozen, UtcTime
from schemas.log import Log, LogLevel, LogSource, LogStats, NewLog
from storage.errors import NotFound
from storage.filters import Filters
from storage.postgres import Connection, Pool, PooledConnection, store_errors, transaction

_COLUMNS = "id, timestamp, level, component, message, camera_id, request_id, duration_ms, extra, source"
COMPONENTS_SHOWN = 100


class LogFilter(Frozen):
    """Which lines are listed; conditions that are set must all hold."""

    level: LogLevel | None = None
    """DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case."""
    component: str | None = Field(default=None, min_length=1, max_length=100)
    camera_id: str | None = Field(default=None, min_length=1, max_length=200)
    source: LogSource | None = None
    search: str | None = Field(default=None, min_length=1, max_length=200)
    """Text in the message, taken literally, letter case aside."""
    start_date: UtcTime | None = None
    """Lines said then or later."""
    end_date: UtcTime | None = None
    """Lines said then or earlier."""

    @field_validator("level", "source", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        known = {member.value.lower(): member for kind in (LogLevel, LogSource) for member in kind}
        return known.get(value.lower(), value) if isinstance(value, str) else value


EVERYTHING = LogFilter()


class Logs:
    """The table `logs`, newest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def add(self, lines: Sequence[NewLog]) -> None:
        """All of them or none."""
        async with transaction(self._pool) as connection:
            await insert_logs(connection, lines)

    @store_errors()
    async def list(
        self,
        wanted: LogFilter = EVERYTHING,
        *,
        before: tuple[datetime, int] | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Sequence[Log]:
        """At most `limit`, from the one after (timestamp, id) = `before` on."""
        filters = Filters().equal("level", wanted.level and wanted.level.value)
        filters.equal("component", wanted.component).equal("camera_id", wanted.camera_id)
        filters.equal("source", wanted.source and wanted.source.value).contains(["message"], wanted.search)
        filters.between("timestamp", wanted.start_date, wanted.end_date).before(["timestamp", "id"], before)
        query = (
            f"SELECT {_COLUMNS} FROM logs {filters.where} ORDER BY timestamp DESC, id DESC "
            f"LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}"
        )
        async with transaction(self._pool) as connection:
            # How rare a level, a camera or a text is decides which index to walk: plan for these values.
            await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            rows = await connection.fetch(query, *filters.arguments)
        return [Log(**row) for row in rows]

    @store_errors()
    async def get(self, log_id: int) -> Log:
        """Raises NotFound."""
        row = await self._pool.fetchrow(f"SELECT {_COLUMNS} FROM logs WHERE id = $1", log_id)
        if row is None:
            raise NotFound(f"there is no log line {log_id}")
        return Log(**row)

    @store_errors()
    async def stats(self, since: datetime) -> LogStats:
        """Lines from then on; `since` is the start of a quarter of an hour, as every zone's midnight is."""
        rows = await self._pool.fetch(
            """
            SELECT component, level, sum(lines)::bigint AS lines FROM log_counts WHERE quarter >= $1
            GROUP BY GROUPING SETS ((), (level), (component))
            ORDER BY lines DESC, component COLLATE "C", level
            """,
            since,
        )
        by_level = {row["level"]: row["lines"] for row in rows if row["level"] is not None}
        components = {row["component"]: row["lines"] for row in rows if row["component"] is not None}
        return LogStats(
            total_today=sum(by_level.values()),
            errors_today=by_level.get("ERROR", 0) + by_level.get("CRITICAL", 0),
            warnings_today=by_level.get("WARNING", 0),
            by_component=dict([*components.items()][:COMPONENTS_SHOWN]),
            by_level=by_level,
            top_component=next(iter(components), None),
        )


async def insert_logs(connection: Connection | PooledConnection, lines: Sequence[NewLog]) -> None:
    """One statement for all of them."""
    await connection.execute(
        """
        INSERT INTO logs (timestamp, level, component, message, camera_id, request_id, duration_ms, extra, source)
        SELECT timestamp, level, component, message, camera_id, request_id, duration_ms, extra::jsonb, source
        FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[],
                    $8::text[], $9::text[]) WITH ORDINALITY
             AS t(timestamp, level, component, message, camera_id, request_id, duration_ms, extra, source, place)
        ORDER BY place
        """,
        [line.timestamp for line in lines],
        [line.level.value for line in lines],
        [line.component for line in lines],
        [line.message for line in lines],
        [line.camera_id for line in lines],
        [line.request_id for line in lines],
        [line.duration_ms for line in lines],
        [json.dumps(line.extra) for line in lines],
        [line.source.value for line in lines],
    )
