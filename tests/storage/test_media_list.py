"""Files with what became of them."""

from datetime import timedelta

import pytest

from storage.errors import NotFound
from storage.media_list import MediaFilter, MediaList
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows


async def test_a_refused_file_is_listed_with_its_reason(database: Pool) -> None:
    rows, media = Rows(database), MediaList(database)
    await rows.camera()
    await rows.media()
    refused = await rows.media(state="dead", reason="the JPEG is cut off: its end is missing")
    assert [file.id for file in await media.list(MediaFilter(reason="CUT OFF"))] == [refused]
    found = await media.list(MediaFilter(state="dead"))  # type: ignore[arg-type]
    assert [(file.id, file.reason) for file in found] == [(refused, "the JPEG is cut off: its end is missing")]
    assert (await media.get(refused)).state == "dead"


async def test_files_are_filtered_and_paged_newest_first(database: Pool) -> None:
    rows, media = Rows(database), MediaList(database)
    await rows.camera()
    await rows.camera("garden")
    made = [await rows.media(received_at=NOON + timedelta(minutes=number)) for number in range(4)]
    clip = await rows.media("garden", media_type="video", received_at=NOON)
    assert [file.id for file in await media.list(limit=2)] == [clip, made[3]]
    assert [file.id for file in await media.list(before=made[3], limit=2)] == [made[2], made[1]]
    assert [file.id for file in await media.list(MediaFilter(camera_id="garden"))] == [clip]
    assert [file.id for file in await media.list(MediaFilter(media_type="video"))] == [clip]  # type: ignore[arg-type]
    assert [file.id for file in await media.list(MediaFilter(start_date=NOON + timedelta(minutes=2)))] == made[:1:-1]


async def test_a_file_that_does_not_exist_is_not_found(database: Pool) -> None:
    with pytest.raises(NotFound, match="there is no media 1"):
        await MediaList(database).get(1)
