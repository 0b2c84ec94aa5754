"""/api/events, /api/detections and /api/media: lists and changes."""

from datetime import timedelta

import httpx
import pytest

from deployments.api.deps import Services
from schemas.frame import LiveChannel
from tests.storage.rows import NOON, Rows


@pytest.fixture(autouse=True)
async def _cameras(rows: Rows) -> None:
    for camera in ("front_door", "garden"):
        await rows.camera(camera)


async def test_an_event_is_answered_with_every_field(api: httpx.AsyncClient, rows: Rows) -> None:
    batch = await rows.batch()
    detection = await rows.detection(batch, await rows.media())
    event_id = await rows.event(batch_id=batch, detection_count=1)
    assert (await api.get(f"/api/events/{event_id}")).json() == {
        "id": event_id,
        "batch_id": str(batch),
        "camera_id": "front_door",
        "started_at": "2025-12-23T12:00:00Z",
        "ended_at": "2025-12-23T12:00:30Z",
        "risk_score": 70,
        "risk_level": "high",
        "summary": "A person at the door",
        "reasoning": "because of the hour",
        "assessment": "final",
        "assessed_by": "deterministic",
        "reviewed": False,
        "notes": None,
        "object_types": ["person"],
        "detection_count": 1,
        "detection_ids": [detection],
    }


async def test_filters_come_from_the_query(api: httpx.AsyncClient, rows: Rows) -> None:
    quiet = await rows.event(risk_score=10, risk_level="low")
    loud = await rows.event("garden", summary="Glass breaks", started_at=NOON + timedelta(hours=2))
    for query, expected in (
        ("", [loud, quiet]),
        ("?camera_id=garden", [loud]),
        ("?risk_level=low", [quiet]),
        ("?min_score=11", [loud]),
        ("?search=glass", [loud]),
        ("?object_type=person", [loud, quiet]),
        ("?reviewed=false", [loud, quiet]),
        ("?start_date=2025-12-23T13:00:00Z", [loud]),
        ("?start_date=2025-12-23T14:00:00%2B01:00", [loud]),
        ("?start_date=2025-12-23T13:00:00", [loud]),
        ("?start_date=2025-12-24", []),
        ("?end_date=2025-12-23T12:00:00Z", [quiet]),
    ):
        answer = await api.get(f"/api/events{query}")
        assert [event["id"] for event in answer.json()["events"]] == expected, query


async def test_pages_by_cursor_take_in_every_event_once_while_more_come(api: httpx.AsyncClient, rows: Rows) -> None:
    made = [await rows.event() for _ in range(7)]
    seen: list[int] = []
    query = {"limit": "3"}
    while True:
        page = (await api.get("/api/events", params=query)).json()
        seen += [event["id"] for event in page["events"]]
        await rows.event(started_at=NOON + timedelta(hours=1))
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == made[::-1]


async def test_pages_by_offset_work_too(api: httpx.AsyncClient, rows: Rows) -> None:
    made = [await rows.event() for _ in range(3)]
    page = (await api.get("/api/events", params={"limit": 2, "offset": 2})).json()
    assert [event["id"] for event in page["events"]] == [made[0]]
    assert (page["count"], page["limit"], page["offset"], page["next_cursor"]) == (1, 2, 2, None)


async def test_the_cursor_of_another_list_or_an_edited_one_is_refused(api: httpx.AsyncClient, rows: Rows) -> None:
    for _ in range(2):
        await rows.event()
        await rows.media()
    cursor = (await api.get("/api/events", params={"limit": 1})).json()["next_cursor"]
    other = (await api.get("/api/media", params={"limit": 1})).json()["next_cursor"]
    for tampered in (other, cursor[:-2], cursor + "A", "A" + cursor[1:], "x", "%00", "é", "=", "A" * 2048):
        answer = await api.get("/api/events", params={"cursor": tampered})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor"), tampered


async def test_an_event_is_marked_and_annotated(api: httpx.AsyncClient, rows: Rows, services: Services) -> None:
    event_id = await rows.event()
    answer = await api.patch(f"/api/events/{event_id}", json={"reviewed": True, "notes": "the postman"})
    assert (answer.status_code, answer.json()["reviewed"], answer.json()["notes"]) == (200, True, "the postman")
    answer = await api.patch(f"/api/events/{event_id}", json={"notes": None})
    assert (answer.json()["reviewed"], answer.json()["notes"]) == (True, None)
    await api.patch(f"/api/events/{event_id}", json={"notes": None})
    frames, _ = await services.bus.replay(LiveChannel.EVENTS, 0)
    assert [frame.data["updated_fields"] for frame in frames] == [["notes", "reviewed"], ["notes"]]


@pytest.mark.parametrize(
    "body",
    [{"reviewed": None}, {"reviewed": "perhaps"}, {"risk_score": 1}, {"notes": "a\x00b"}, {"notes": "x" * 10_001}],
)
async def test_a_change_that_cannot_be_is_refused(api: httpx.AsyncClient, rows: Rows, body: object) -> None:
    event_id = await rows.event()
    assert (await api.patch(f"/api/events/{event_id}", json=body)).status_code == 422


async def test_an_events_detections_are_listed(api: httpx.AsyncClient, rows: Rows) -> None:
    batch, media = await rows.batch(), await rows.media()
    made = [await rows.detection(batch, media) for _ in range(3)]
    await rows.detection(await rows.batch("garden"), media)
    event_id = await rows.event(batch_id=batch)
    first = (await api.get(f"/api/events/{event_id}/detections", params={"limit": 2})).json()
    rest = (await api.get(f"/api/events/{event_id}/detections", params={"cursor": first["next_cursor"]})).json()
    assert [d["id"] for d in first["detections"] + rest["detections"]] == made[::-1]
    assert (await api.get("/api/events/99999/detections")).status_code == 404


async def test_a_detection_is_answered_with_every_field(api: httpx.AsyncClient, rows: Rows) -> None:
    batch = await rows.batch()
    detection = await rows.detection(batch, await rows.media())
    event_id = await rows.event(batch_id=batch)
    expected = {
        "id": detection,
        "camera_id": "front_door",
        "file_path": "/srv/cameras/front_door/1.jpg",
        "media_type": "image",
        "detected_at": "2025-12-23T12:00:00Z",
        "object_type": "person",
        "confidence": 0.9,
        "bbox": {"x": 100.0, "y": 200.0, "width": 50.0, "height": 80.0},
        "batch_id": str(batch),
        "event_id": event_id,
        "frame_offset_seconds": 0.0,
        "picture_width": 1280,
        "picture_height": 720,
    }
    assert (await api.get(f"/api/detections/{detection}")).json() == expected
    listed = await api.get("/api/detections", params={"object_type": "person", "min_confidence": 0.9})
    assert listed.json()["detections"] == [expected]
    assert (await api.get("/api/detections", params={"event_id": event_id + 1})).json()["count"] == 0


async def test_a_refused_file_is_found_with_its_reason(api: httpx.AsyncClient, rows: Rows) -> None:
    await rows.media()
    refused = await rows.media(state="dead", reason="a decompression bomb: 10000×10000 pixels")
    page = (await api.get("/api/media", params={"state": "dead", "reason": "bomb"})).json()
    assert [(file["id"], file["reason"]) for file in page["media"]] == [
        (refused, "a decompression bomb: 10000×10000 pixels")
    ]
    assert (await api.get(f"/api/media/{refused}")).json() == page["media"][0]
    assert (await api.get("/api/media/99999")).status_code == 404
