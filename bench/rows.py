"""What the database of the measured system says about its files."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bench.running import RunningSystem, SystemFailed
from domain.clock import SystemClock
from storage.postgres import Connection, connect_once

_PATIENCE_SECONDS = 600.0
_NEAR_THE_END = 64


@asynccontextmanager
async def rows_of(system: RunningSystem) -> AsyncIterator["Rows"]:
    connection = await connect_once(system.database_url, "bench")
    try:
        yield Rows(connection)
    finally:
        await connection.close()


class Rows:
    """The tables `media` and `detections`, read from outside."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def newest(self) -> int:
        return int(await self.connection.fetchval("SELECT coalesce(max(id), 0) FROM media"))

    async def until_detected(self, after: int, count: int) -> float:
        """When the last of the `count` files after row `after` was seen committed, in seconds since 1970.

        Looked at ten times a second, and a hundred times when it is nearly done. Raises SystemFailed for a file that
        came to another end.
        """
        clock = SystemClock()
        deadline = clock.monotonic() + _PATIENCE_SECONDS
        while clock.monotonic() < deadline:
            states = await self._states(after)
            detected = states.get("detected", 0)
            if detected >= count:
                return clock.now().timestamp()
            if states.get("dead") or states.get("duplicate"):
                raise SystemFailed(f"not every file was looked at: {states}; {await self._reason(after)}")
            await asyncio.sleep(0.1 if count - detected > _NEAR_THE_END else 0.01)
        raise SystemFailed(f"after {_PATIENCE_SECONDS:.0f} s only these files were done: {states}")

    async def received(self, after: int) -> tuple[float, float]:
        """When the first and the last file after row `after` were written as rows, in seconds since 1970."""
        row = await self.connection.fetchrow(
            "SELECT min(received_at) AS first, max(received_at) AS last FROM media WHERE id > $1", after
        )
        if row is None or row["first"] is None:
            raise SystemFailed("there are no rows of the files that were placed")
        return row["first"].timestamp(), row["last"].timestamp()

    async def detections(self, after: int) -> int:
        return int(await self.connection.fetchval("SELECT count(*) FROM detections WHERE media_id > $1", after))

    async def _states(self, after: int) -> dict[str, int]:
        rows = await self.connection.fetch(
            "SELECT state, count(*) AS files FROM media WHERE id > $1 GROUP BY state", after
        )
        return {row["state"]: row["files"] for row in rows}

    async def _reason(self, after: int) -> str:
        reasons: Sequence[str] = [
            row["reason"]
            for row in await self.connection.fetch(
                "SELECT DISTINCT reason FROM media WHERE id > $1 AND reason IS NOT NULL LIMIT 3", after
            )
        ]
        return "; ".join(reasons)
