"""Events: filters, pages over ties, changes."""

from datetime import timedelta

import pytest

from schemas.event import EventUpdate
from storage.errors import NotFound
from storage.events import EventFilter, Events
from storage.postgres import Pool
from tests.storage.rows import NOON, Rows


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    for camera in ("front_door", "garden"):
        await made.camera(camera)
    return made


async def _ids(events: Events, **wanted: object) -> list[int]:
    return [event.id for event in await events.list(EventFilter(**wanted))]  # type: ignore[arg-type]


async def test_an_event_is_read_with_the_ids_of_its_detections(rows: Rows) -> None:
    batch = await rows.batch()
    found = [await rows.detection(batch, await rows.media()) for _ in range(3)]
    event_id = await rows.event(batch_id=batch, detection_count=3)
    event = await Events(rows.pool).get(event_id)
    assert event.detection_ids == tuple(found)
    assert event.batch_id == str(batch)


async def test_an_event_without_detections_has_none(rows: Rows) -> None:
    event = await Events(rows.pool).get(await rows.event())
    assert event.detection_ids == ()


async def test_an_event_that_does_not_exist_is_not_found(rows: Rows) -> None:
    with pytest.raises(NotFound, match="there is no event 7"):
        await Events(rows.pool).get(7)
    with pytest.raises(NotFound):
        await Events(rows.pool).update(7, EventUpdate(reviewed=True))


async def test_each_filter_keeps_what_it_names(rows: Rows) -> None:
    events = Events(rows.pool)
    low = await rows.event(risk_score=10, risk_level="low", object_types=["dog"], summary="A dog ran by")
    high = await rows.event("garden", started_at=NOON + timedelta(hours=1), reviewed=True)
    assert await _ids(events) == [high, low]
    assert await _ids(events, camera_id="garden") == [high]
    assert await _ids(events, risk_level="low") == [low]
    assert await _ids(events, object_type="dog") == [low]
    assert await _ids(events, object_type="animal") == [low]
    assert await _ids(events, object_type="cat") == []
    assert await _ids(events, reviewed=True) == [high]
    assert await _ids(events, reviewed=False) == [low]
    assert await _ids(events, min_score=70) == [high]
    assert await _ids(events, min_score=0) == [high, low]
    assert await _ids(events, start_date=NOON + timedelta(hours=1)) == [high]
    assert await _ids(events, end_date=NOON) == [low]
    assert await _ids(events, search="DOG RAN") == [low]
    assert await _ids(events, search="the hour") == [high, low]
    assert await _ids(events, camera_id="garden", risk_level="low") == []


async def test_a_search_takes_wildcards_literally(rows: Rows) -> None:
    events = Events(rows.pool)
    percent = await rows.event(summary="100% certain")
    await rows.event(summary="1000 certain")
    assert await _ids(events, search="100%") == [percent]
    assert await _ids(events, search="_") == []
    assert await _ids(events, search="'; DROP TABLE events; --") == []


async def test_pages_over_equal_times_leave_out_nothing_and_repeat_nothing(rows: Rows) -> None:
    events = Events(rows.pool)
    made = [await rows.event(started_at=NOON + timedelta(seconds=number // 5)) for number in range(20)]
    seen: list[int] = []
    place = None
    while page := await events.list(before=place, limit=3):
        seen += [event.id for event in page]
        place = (page[-1].started_at, page[-1].id)
    assert seen == sorted(made, reverse=True)


async def test_an_offset_passes_over_rows(rows: Rows) -> None:
    made = [await rows.event() for _ in range(4)]
    page = await Events(rows.pool).list(limit=2, offset=1)
    assert [event.id for event in page] == [made[2], made[1]]


async def test_only_named_fields_change_and_only_changes_are_told(rows: Rows) -> None:
    events = Events(rows.pool)
    event_id = await rows.event()
    first = await events.update(event_id, EventUpdate(reviewed=True, notes="the postman"))
    assert (first.value.reviewed, first.value.notes) == (True, "the postman")
    assert [frame.type for frame in first.news] == ["event.updated"]
    assert first.news[0].data == {
        "id": event_id,
        "updated_fields": ["notes", "reviewed"],
        "risk_score": 70,
        "risk_level": "high",
    }
    again = await events.update(event_id, EventUpdate(reviewed=True))
    assert again.news == ()
    assert again.value.notes == "the postman"
    cleared = await events.update(event_id, EventUpdate(notes=None))
    assert (cleared.value.reviewed, cleared.value.notes) == (True, None)


async def test_named_events_are_read_together(rows: Rows) -> None:
    first, second = await rows.event(), await rows.event()
    assert [event.id for event in await Events(rows.pool).named([first, second, 999])] == [second, first]
