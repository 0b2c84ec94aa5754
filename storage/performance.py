"""Performance: what the stores and the detector's rows say of now, and the snapshots that were taken of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis.asyncio
from redis.exceptions import ResponseError

from schemas.performance import PerformanceSnapshot
from storage.postgres import Pool, store_errors
from storage.redis import redis_errors

KEPT = timedelta(hours=2)
FRAMES_OVER = timedelta(seconds=60)


@dataclass(frozen=True)
class DatabaseUse:
    connections: int
    """Open now, everybody's."""
    most_connections: int
    """That may be open at once, those kept for the superuser left out."""


@dataclass(frozen=True)
class RedisUse:
    memory_mb: float | None
    """Null where this account may not ask."""


class PerformanceRows:
    """The table `performance_snapshots`, and the questions whose answers go into one."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def frames_per_second(self) -> float:
        """Frames that the detector finished in the last 60 s, divided by 60."""
        frames = await self._pool.fetchval(
            """
            SELECT coalesce(sum(frames), 0) FROM media
            WHERE state = 'detected' AND detected_at > now() - $1::interval
            """,
            FRAMES_OVER,
        )
        return round(float(frames) / FRAMES_OVER.total_seconds(), 2)

    @store_errors()
    async def database_use(self) -> DatabaseUse:
        row = await self._pool.fetchrow(
            """
            SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
                   current_setting('max_connections')::int
                   - current_setting('superuser_reserved_connections')::int AS most_connections
            """
        )
        return DatabaseUse(**dict(row or {}))

    @store_errors()
    async def add(self, snapshot: PerformanceSnapshot) -> None:
        await self._pool.execute(
            "INSERT INTO performance_snapshots (recorded_at, snapshot) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            snapshot.timestamp,
            snapshot.model_dump(mode="json"),
        )

    @store_errors()
    async def newest(self) -> PerformanceSnapshot | None:
        stored = await self._pool.fetchval(
            "SELECT snapshot FROM performance_snapshots ORDER BY recorded_at DESC LIMIT 1"
        )
        return None if stored is None else PerformanceSnapshot.model_validate(stored)

    @store_errors()
    async def history(self, since: datetime, every: timedelta) -> Sequence[PerformanceSnapshot]:
        """From `since` on, oldest first, thinned to the newest of each span of `every`."""
        rows = await self._pool.fetch(
            """
            SELECT DISTINCT ON (div(extract(epoch FROM recorded_at - $1), extract(epoch FROM $2::interval))) snapshot
            FROM performance_snapshots WHERE recorded_at > $1
            ORDER BY div(extract(epoch FROM recorded_at - $1), extract(epoch FROM $2::interval)), recorded_at DESC
            """,
            since,
            every,
        )
        return [PerformanceSnapshot.model_validate(row["snapshot"]) for row in rows]

    @store_errors()
    async def prune(self, now: datetime) -> None:
        await self._pool.execute("DELETE FROM performance_snapshots WHERE recorded_at < $1", now - KEPT)


async def redis_use(client: redis.asyncio.Redis) -> RedisUse:
    """Raises StoreUnavailable when Redis is away."""
    with redis_errors():
        await client.ping()
        try:
            memory = await client.info("memory")
        except ResponseError:  # an account that may not ask
            return RedisUse(None)
    return RedisUse(round(int(memory["used_memory"]) / 2**20, 1))
