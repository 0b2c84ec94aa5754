"""Media rows on their way through detection: taking files in, claiming, giving back, burying."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from schemas.media import ClaimedMedia, NewMedia
from storage.leases import bury_exhausted, claim_rows, fail_row, give_back_rows, release_leases
from storage.postgres import Pool, PooledConnection, store_errors, transaction

SAME_BYTES_WINDOW_SECONDS = 300.0


@dataclass(frozen=True)
class Intake:
    """What became of the files of one `add`."""

    queued: int
    duplicates: int
    refused: int
    known: int


class MediaQueue:
    """The pipeline's side of the table `media`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def known(self, camera_id: str, files: Sequence[tuple[str, int, int]]) -> set[str]:
        """Which of these (path, modified_ns, size_bytes) have a row already, by path."""
        rows = await self._pool.fetch(
            """
            SELECT i.path FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS i(path, modified_ns, size_bytes)
            JOIN media m ON m.camera_id = $1 AND m.path = i.path AND m.modified_ns = i.modified_ns
                        AND m.size_bytes = i.size_bytes
            """,
            camera_id,
            [os.fsencode(path) for path, _, _ in files],
            [modified for _, modified, _ in files],
            [size for _, _, size in files],
        )
        return {os.fsdecode(row["path"]) for row in rows}

    @store_errors()
    async def add(self, files: Sequence[NewMedia]) -> Intake:
        """Makes a row of each file that has none; the same bytes of one camera within 300 s are one.

        A camera's files are added by one writer at a time, so two identical uploads cannot both find nothing before
        them.
        """
        states: list[str] = []
        async with transaction(self._pool) as connection:
            for camera_id in sorted({file.camera_id for file in files}):
                await lock_intake(connection, camera_id)
            for group in _without_twins(files):
                states += [row["state"] for row in await _insert(connection, group)]
        return Intake(
            queued=states.count("queued"),
            duplicates=states.count("duplicate"),
            refused=states.count("dead"),
            known=len(files) - len(states),
        )

    @store_errors()
    async def claim(self, owner: str, limit: int, lease_seconds: float, tries: int) -> list[ClaimedMedia]:
        columns = "id, camera_id, path, size_bytes, modified_ns, media_type, captured_at"
        rows = await claim_rows(self._pool, "media", owner, limit, lease_seconds, tries, columns, "id")
        return [
            ClaimedMedia(**{**row, "path": os.fsdecode(row["path"])}) for row in sorted(rows, key=lambda r: r["id"])
        ]

    @store_errors()
    async def release(self, owner: str, tried: bool = True) -> int:
        """Frees what a claim of this owner that was broken off still holds; see storage/leases.py."""
        return await release_leases(self._pool, "media", owner, tried)

    @store_errors()
    async def bury_exhausted(self, tries: int) -> int:
        return await bury_exhausted(
            self._pool, "media", tries, f"{tries} tries ended without an answer: the file kills its worker"
        )

    @store_errors()
    async def give_back(self, files: Sequence[ClaimedMedia], wait_seconds: float) -> None:
        """Puts claimed rows back as if they had not been tried: the detector was away, the files are not to blame."""
        await give_back_rows(self._pool, "media", [(file.id, file.lease) for file in files], wait_seconds)

    @store_errors()
    async def fail(self, file: ClaimedMedia, reason: str, retry_in: float | None) -> None:
        """One tried and failed file: waits `retry_in` seconds, or dies with its reason when that is None.

        The first duplicate of one that dies takes its place: what was uploaded again may be readable there.
        """
        if retry_in is not None:
            await fail_row(self._pool, "media", file.id, file.lease, reason, retry_in)
            return
        async with transaction(self._pool) as connection:
            await lock_intake(connection, file.camera_id)
            if await fail_row(connection, "media", file.id, file.lease, reason, None):
                await _promote_duplicate(connection, file.id)

    @store_errors()
    async def waiting(self) -> int:
        """Files queued or in work."""
        return int(await self._pool.fetchval("SELECT count(*) FROM media WHERE state IN ('queued', 'detecting')"))


def _without_twins(files: Sequence[NewMedia]) -> list[list[NewMedia]]:
    """Groups in which no two files have the same bytes, to be inserted one after the other: a twin finds rows."""
    groups: list[list[NewMedia]] = []
    seen: Counter[tuple[str, bytes]] = Counter()
    for file in files:
        number = 0
        if file.refused is None:
            key = (file.camera_id, file.content_hash)
            number = seen[key]
            seen[key] += 1
        if number == len(groups):
            groups.append([])
        groups[number].append(file)
    return groups


async def lock_intake(connection: PooledConnection, camera_id: str) -> None:
    """Until the commit, nobody else decides what is a duplicate at this camera."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", "media:" + camera_id)


async def _promote_duplicate(connection: PooledConnection, dead: int) -> None:
    promoted = await connection.fetchval(
        """
        UPDATE media SET state = 'queued', reason = NULL, duplicate_of = NULL WHERE id = (
            SELECT twin.id FROM media dead
            JOIN media twin ON twin.camera_id = dead.camera_id AND twin.content_hash = dead.content_hash
            WHERE dead.id = $1 AND twin.duplicate_of = $1 AND twin.state = 'duplicate' ORDER BY twin.id LIMIT 1
        ) RETURNING id
        """,
        dead,
    )
    if promoted is not None:
        await connection.execute(
            """
            UPDATE media twin SET duplicate_of = $2, reason = 'same bytes as media ' || $2 FROM media dead
            WHERE dead.id = $1 AND twin.camera_id = dead.camera_id AND twin.content_hash = dead.content_hash
              AND twin.duplicate_of = $1 AND twin.id <> $2
            """,
            dead,
            promoted,
        )


async def _insert(connection: PooledConnection, files: Sequence[NewMedia]) -> list[asyncpg.Record]:
    return await connection.fetch(
        """
        INSERT INTO media (camera_id, path, size_bytes, modified_ns, content_hash, media_type, captured_at,
                           settled_at, state, reason, duplicate_of, died_at)
        SELECT i.camera_id, i.path, i.size_bytes, i.modified_ns, i.content_hash, i.media_type, i.captured_at,
               i.settled_at,
               CASE WHEN i.refused IS NOT NULL THEN 'dead' WHEN earlier.id IS NOT NULL THEN 'duplicate'
                    ELSE 'queued' END,
               CASE WHEN i.refused IS NOT NULL THEN i.refused
                    WHEN earlier.id IS NOT NULL THEN 'same bytes as media ' || earlier.id END,
               earlier.id, CASE WHEN i.refused IS NOT NULL THEN now() END
        FROM unnest($1::text[], $2::bytea[], $3::bigint[], $4::bigint[], $5::bytea[], $6::text[], $7::timestamptz[],
                    $8::text[], $10::timestamptz[])
             AS i(camera_id, path, size_bytes, modified_ns, content_hash, media_type, captured_at, refused, settled_at)
        LEFT JOIN LATERAL (
            SELECT m.id FROM media m
            WHERE i.refused IS NULL AND m.camera_id = i.camera_id AND m.content_hash = i.content_hash
              AND m.captured_at BETWEEN i.captured_at - make_interval(secs => $9)
                                    AND i.captured_at + make_interval(secs => $9)
              AND m.state IN ('queued', 'detecting', 'detected')
            ORDER BY m.id DESC LIMIT 1
        ) earlier ON true
        ON CONFLICT (camera_id, path, modified_ns, size_bytes) DO NOTHING
        RETURNING state
        """,
        [f.camera_id for f in files],
        [os.fsencode(f.path) for f in files],
        [f.size_bytes for f in files],
        [f.modified_ns for f in files],
        [f.content_hash for f in files],
        [f.media_type.value for f in files],
        [f.captured_at for f in files],
        [f.refused for f in files],
        SAME_BYTES_WINDOW_SECONDS,
        [f.settled_at for f in files],
    )
