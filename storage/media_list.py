"""Every file that a camera sent, with what became of it and why: so that a refused one is not a mystery."""

from collections.abc import Sequence

import asyncpg
from pydantic import Field

from schemas.frozen import Frozen, UtcTime
from schemas.media import Media, MediaState, MediaType
from storage.detections import shown_path
from storage.errors import NotFound
from storage.filters import Filters
from storage.postgres import Pool, store_errors

_COLUMNS = """id, camera_id, path, media_type, size_bytes, state, reason, duplicate_of, captured_at, received_at,
    detected_at, attempts"""


class MediaFilter(Frozen):
    """Which files are listed; conditions that are set must all hold."""

    camera_id: str | None = Field(default=None, max_length=200)
    state: MediaState | None = None
    media_type: MediaType | None = None
    reason: str | None = Field(default=None, min_length=1, max_length=200)
    """Text in the reason, taken literally, letter case aside."""
    start_date: UtcTime | None = None
    """Files taken in then or later."""
    end_date: UtcTime | None = None
    """Files taken in then or earlier."""


EVERYTHING = MediaFilter()


class MediaList:
    """The reading side of the table `media`, newest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(
        self, wanted: MediaFilter = EVERYTHING, *, before: int | None = None, limit: int = 50, offset: int = 0
    ) -> Sequence[Media]:
        """At most `limit`, from the one after id = `before` on."""
        filters = Filters().equal("camera_id", wanted.camera_id)
        filters.equal("state", wanted.state and wanted.state.value)
        filters.equal("media_type", wanted.media_type and wanted.media_type.value)
        filters.contains(["reason"], wanted.reason).between("received_at", wanted.start_date, wanted.end_date)
        filters.before(["id"], None if before is None else [before])
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM media {filters.where} ORDER BY id DESC "
            f"LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}",
            *filters.arguments,
        )
        return [_media(row) for row in rows]

    @store_errors()
    async def get(self, media_id: int) -> Media:
        """Raises NotFound."""
        row = await self._pool.fetchrow(f"SELECT {_COLUMNS} FROM media WHERE id = $1", media_id)
        if row is None:
            raise NotFound(f"there is no media {media_id}")
        return _media(row)


def _media(row: asyncpg.Record) -> Media:
    values = dict(row)
    return Media(file_path=shown_path(values.pop("path")), **values)
