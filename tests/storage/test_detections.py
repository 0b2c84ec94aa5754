"""Detections, and where the picture of each is found."""

import os
from datetime import timedelta

import pytest

from storage.detections import DetectionFilter, Detections
from storage.errors import NotFound
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    for camera in ("front_door", "garden"):
        await made.camera(camera)
    return made


async def _ids(detections: Detections, **wanted: object) -> list[int]:
    return [detection.id for detection in await detections.list(DetectionFilter(**wanted))]  # type: ignore[arg-type]


async def test_a_detection_knows_its_file_its_event_and_its_picture(rows: Rows) -> None:
    batch, media = await rows.batch(), await rows.media()
    detection_id = await rows.detection(batch, media, confidence=0.9, x=1.1, frame_offset_seconds=4.1)
    event_id = await rows.event(batch_id=batch)
    detection = await Detections(rows.pool).get(detection_id)
    assert (detection.event_id, detection.batch_id) == (event_id, str(batch))
    assert detection.file_path == "/srv/cameras/front_door/1.jpg"
    assert (detection.confidence, detection.bbox.x, detection.frame_offset_seconds) == (0.9, 1.1, 4.1)
    assert (detection.picture_width, detection.picture_height) == (1280, 720)


async def test_a_detection_of_an_open_batch_has_no_event_yet(rows: Rows) -> None:
    detection_id = await rows.detection(await rows.batch(state="open"), await rows.media())
    assert (await Detections(rows.pool).get(detection_id)).event_id is None


async def test_a_file_name_that_is_not_utf8_is_shown_with_question_marks(rows: Rows) -> None:
    media = await rows.media(path=b"/srv/cameras/front_door/caf\xe9.jpg")
    detection_id = await rows.detection(await rows.batch(), media)
    detections = Detections(rows.pool)
    assert (await detections.get(detection_id)).file_path == "/srv/cameras/front_door/caf?.jpg"
    assert os.fsencode((await detections.source(detection_id)).path) == b"/srv/cameras/front_door/caf\xe9.jpg"


async def test_each_filter_keeps_what_it_names(rows: Rows) -> None:
    detections = Detections(rows.pool)
    batch, other = await rows.batch(), await rows.batch("garden")
    media = await rows.media()
    person = await rows.detection(batch, media)
    car = await rows.detection(
        other, media, camera_id="garden", object_type="car", confidence=0.6, detected_at=NOON + timedelta(hours=1)
    )
    event_id = await rows.event(batch_id=batch)
    assert await _ids(detections) == [car, person]
    assert await _ids(detections, camera_id="garden") == [car]
    assert await _ids(detections, object_type="person") == [person]
    assert await _ids(detections, object_type="vehicle") == [car]
    assert await _ids(detections, min_confidence=0.9) == [person]
    assert await _ids(detections, min_confidence=0.6) == [car, person]
    assert await _ids(detections, start_date=NOON + timedelta(minutes=1)) == [car]
    assert await _ids(detections, end_date=NOON) == [person]
    assert await _ids(detections, event_id=event_id) == [person]
    assert await _ids(detections, event_id=event_id + 1) == []


async def test_pages_over_equal_times_leave_out_nothing_and_repeat_nothing(rows: Rows) -> None:
    detections = Detections(rows.pool)
    batch, media = await rows.batch(), await rows.media()
    made = [await rows.detection(batch, media) for _ in range(10)]
    seen: list[int] = []
    place = None
    while page := await detections.list(before=place, limit=3):
        seen += [detection.id for detection in page]
        place = (page[-1].detected_at, page[-1].id)
    assert seen == sorted(made, reverse=True)


async def test_the_detections_of_many_events_come_with_one_question(rows: Rows) -> None:
    media = await rows.media()
    batches = [await rows.batch(), await rows.batch()]
    events = [await rows.event(batch_id=batch) for batch in batches]
    found = [await rows.detection(batch, media) for batch in batches]
    by_event = await Detections(rows.pool).of_events([*events, 999])
    assert {event: [d.id for d in detections] for event, detections in by_event.items()} == {
        events[0]: [found[0]],
        events[1]: [found[1]],
        999: [],
    }


async def test_a_source_says_which_frame_and_what_else_is_in_it(rows: Rows) -> None:
    detections = Detections(rows.pool)
    batch, media = await rows.batch(), await rows.media(media_type="video")
    first = await rows.detection(batch, media, frame_offset_seconds=4.1)
    await rows.detection(batch, media, frame_offset_seconds=4.1, object_type="dog")
    await rows.detection(batch, media, frame_offset_seconds=8.2, object_type="car")
    source = await detections.source(first)
    assert source.frame_offset_seconds == pytest.approx(4.1)
    assert source.subject is not None
    assert source.subject.object_type == "person"
    assert [seen.object_type for seen in await detections.objects(source)] == ["person", "dog"]


async def test_the_newest_source_of_a_camera_is_one_that_could_be_looked_at(rows: Rows) -> None:
    detections = Detections(rows.pool)
    await rows.media()
    newest = await rows.media(state="queued")
    await rows.media(state="dead", reason="broken")
    assert (await detections.newest_source("front_door")).media_id == newest
    with pytest.raises(NotFound, match="garden has not sent a picture yet"):
        await detections.newest_source("garden")


async def test_what_does_not_exist_is_not_found(rows: Rows) -> None:
    for asked in (Detections(rows.pool).get, Detections(rows.pool).source):
        with pytest.raises(NotFound, match="there is no detection 7"):
            await asked(7)
