"""The pictures that go along with a question: small JPEGs of what is still there, and what is kept of them."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import redis.asyncio

from actors.key_pictures import KeyPictures
from domain.prompt import render
from schemas.detection import Detection
from schemas.media import MediaType
from schemas.why import Why
from storage.batches import Batches
from storage.detections import Detections
from storage.postgres import Pool
from tests.actors.model_desk import ModelDesk
from tests.eventually import eventually
from tests.storage.rows import NOON, Rows
from tests.vision.pictures import jpeg, level_at, scene, write_clip
from vision.reading import read_picture


@pytest.fixture
async def rows(database: Pool) -> Rows:
    await Rows(database).camera(created_at=NOON - timedelta(days=60))
    return Rows(database)


async def _seen(rows: Rows, batch: UUID, file: Path, second: float = 0.0, **media: Any) -> None:
    number = await rows.media(file=file, **media)
    offset = second if media else 0.0
    await rows.detection(batch, number, detected_at=NOON + timedelta(seconds=second), frame_offset_seconds=offset)


async def _of(rows: Rows, batch: UUID) -> tuple[Detection, ...]:
    return await Batches(rows.pool).detections(str(batch))


async def test_pictures_are_scaled_down_and_known_by_their_hash(rows: Rows, tmp_path: Path) -> None:
    batch, file = await rows.batch(), tmp_path / "large.jpg"
    file.write_bytes(jpeg(scene(900, 1600)))
    await _seen(rows, batch, file)
    (sent,) = await KeyPictures(Detections(rows.pool)).of(await _of(rows, batch))
    picture = read_picture(sent.jpeg)
    assert (picture.format, picture.width, picture.height) == ("JPEG", 768, 432)
    assert sent.kept.sha256 == hashlib.sha256(sent.jpeg).hexdigest()


async def test_nothing_is_drawn_into_them(rows: Rows, tmp_path: Path) -> None:
    batch, file = await rows.batch(), tmp_path / "grey.jpg"
    file.write_bytes(jpeg(np.full((400, 600, 3), 128, np.uint8)))
    await _seen(rows, batch, file)
    (sent,) = await KeyPictures(Detections(rows.pool)).of(await _of(rows, batch))
    assert np.ptp(read_picture(sent.jpeg).pixels) <= 3


async def test_of_a_clip_it_is_the_frame_in_which_something_was_seen(rows: Rows, tmp_path: Path) -> None:
    batch, file = await rows.batch(), write_clip(tmp_path / "a.mp4", seconds=8)
    await _seen(rows, batch, file, 4.0, media_type=MediaType.VIDEO.value)
    (sent,) = await KeyPictures(Detections(rows.pool)).of(await _of(rows, batch))
    assert abs(float(np.median(read_picture(sent.jpeg).pixels)) - level_at(4.0)) <= 4


async def test_what_is_gone_replaced_or_unreadable_is_left_out(rows: Rows, tmp_path: Path) -> None:
    batch = await rows.batch()
    files = [tmp_path / f"{number}.jpg" for number in range(4)]
    for number, file in enumerate(files):
        file.write_bytes(jpeg() if number != 2 else b"no picture at all")
        await _seen(rows, batch, file, float(number))
    files[0].unlink()
    files[1].write_bytes(jpeg(scene(80, 60)))
    sent = await KeyPictures(Detections(rows.pool)).of(await _of(rows, batch))
    assert [one.kept.detection_id for one in sent] == [(await _of(rows, batch))[3].id]


async def test_a_question_states_as_many_pictures_as_go_along_and_the_event_keeps_which(
    rows: Rows, database: Pool, redis_client: redis.asyncio.Redis, tmp_path: Path
) -> None:
    batch = await rows.batch(closed_at=NOON, detection_count=3)
    for number in range(3):
        file = tmp_path / f"{number}.jpg"
        file.write_bytes(jpeg())
        await _seen(rows, batch, file, float(number))
    (tmp_path / "1.jpg").unlink()
    await database.execute("UPDATE batches SET state = 'closed'")
    desk = ModelDesk(database, database, redis_client, pictures=KeyPictures(Detections(database)))
    await desk.worker.start()
    await eventually(lambda: desk.has("final", 1))
    await desk.worker.stop()
    (event,), (question,) = await desk.events(), desk.model.questions
    trace = Why.model_validate(event["why"]).model
    assert trace is not None
    assert (len(question.pictures), trace.facts.pictures, len(trace.pictures)) == (2, 2, 2)
    assert [one.sha256 for one in trace.pictures] == [hashlib.sha256(one).hexdigest() for one in question.pictures]
    assert render(trace.facts, trace.prompt_version).user == question.user
