"""Which files some row refers to."""

import os
from collections.abc import Sequence

from storage.postgres import Pool, store_errors


class References:
    """Rows that name files, asked about a number of files at a time."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def hashes(self, detection_ids: Sequence[int]) -> dict[int, bytes]:
        """Of those of these detections that exist, the hash of the file that each was seen in."""
        rows = await self._pool.fetch(
            "SELECT d.id, m.content_hash FROM detections d JOIN media m ON m.id = d.media_id WHERE d.id = ANY($1)",
            [*detection_ids],
        )
        return {row["id"]: row["content_hash"] for row in rows}

    @store_errors()
    async def uploads(self, paths: Sequence[str]) -> set[str]:
        """Those of these files that some row of an upload names, whatever became of it."""
        rows = await self._pool.fetch(
            "SELECT m.path FROM cameras c JOIN media m ON m.camera_id = c.id AND m.path = ANY($1)",
            [os.fsencode(path) for path in paths],
        )
        return {os.fsdecode(row["path"]) for row in rows}
