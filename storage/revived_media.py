"""Files that are looked at again: the same bytes of one camera within 300 s stay one, however they come."""

from collections.abc import Sequence

import asyncpg

from storage.media import SAME_BYTES_WINDOW_SECONDS, lock_intake
from storage.postgres import PooledConnection


async def settle_duplicates(connection: PooledConnection, dead: Sequence[asyncpg.Record]) -> set[int]:
    """Of these dead files, makes those `duplicate` whose bytes are, or are now to be, looked at as another file."""
    for camera_id in sorted({row["camera_id"] for row in dead}):
        await lock_intake(connection, camera_id)
    twins = await _living_twins(connection, [row["id"] for row in dead])
    chosen: dict[tuple[str, bytes], list[asyncpg.Record]] = {}
    for row in sorted(dead, key=lambda row: row["id"]):
        if row["id"] in twins or not row["content_hash"]:
            continue
        others = chosen.setdefault((row["camera_id"], row["content_hash"]), [])
        first = next((one for one in others if _within_window(one, row)), None)
        if first is None:
            others.append(row)
        else:
            twins[row["id"]] = first["id"]
    await connection.execute(
        """
        UPDATE media m SET state = 'duplicate', reason = 'same bytes as media ' || t.twin, duplicate_of = t.twin,
               died_at = NULL
        FROM unnest($1::bigint[], $2::bigint[]) AS t(id, twin) WHERE m.id = t.id
        """,
        list(twins.keys()),
        list(twins.values()),
    )
    return set(twins)


async def _living_twins(connection: PooledConnection, ids: list[int]) -> dict[int, int]:
    rows = await connection.fetch(
        """
        SELECT dead.id, twin.id AS twin FROM media dead
        JOIN LATERAL (
            SELECT m.id FROM media m
            WHERE m.camera_id = dead.camera_id AND m.content_hash = dead.content_hash
              AND m.captured_at BETWEEN dead.captured_at - make_interval(secs => $2)
                                    AND dead.captured_at + make_interval(secs => $2)
              AND m.state IN ('queued', 'detecting', 'detected')
            ORDER BY m.id DESC LIMIT 1
        ) twin ON true
        WHERE dead.id = ANY($1) AND dead.content_hash <> ''::bytea
        """,
        ids,
        SAME_BYTES_WINDOW_SECONDS,
    )
    return {row["id"]: row["twin"] for row in rows}


def _within_window(one: asyncpg.Record, other: asyncpg.Record) -> bool:
    return bool(abs((one["captured_at"] - other["captured_at"]).total_seconds()) <= SAME_BYTES_WINDOW_SECONDS)
