"""/api/dlq"""

import asyncio
from datetime import timedelta

import httpx
import pytest

from storage.audit import Audit
from storage.doorbells import Doorbells
from storage.postgres import Pool
from tests.eventually import eventually
from tests.storage.rows import NOON, Rows

QUEUES = ("detection_queue", "analysis_queue", "notification_queue")
DEAD = {"state": "dead", "reason": "cut off", "attempts": 5, "died_at": NOON}


@pytest.fixture(autouse=True)
async def camera(rows: Rows) -> None:
    await rows.camera()


async def test_dead_letters_are_counted(api: httpx.AsyncClient, rows: Rows) -> None:
    empty = {"detection_queue_count": 0, "analysis_queue_count": 0, "notification_queue_count": 0, "total_count": 0}
    assert (await api.get("/api/dlq/stats")).json() == empty
    await rows.media(**DEAD)
    await rows.media()
    assert (await api.get("/api/dlq/stats")).json() == empty | {"detection_queue_count": 1, "total_count": 1}


async def test_a_dead_letter_is_shown_with_every_field(api: httpx.AsyncClient, rows: Rows) -> None:
    media = await rows.media(**DEAD, received_at=NOON)
    assert (await api.get("/api/dlq/jobs/detection_queue")).json() == {
        "jobs": [
            {
                "id": str(media),
                "queue": "detection_queue",
                "reason": "cut off",
                "attempts": 5,
                "queued_at": "2025-12-23T12:00:00Z",
                "failed_at": "2025-12-23T12:00:00Z",
                "camera_id": "front_door",
                "file_path": "/srv/cameras/front_door/1.jpg",
                "media_type": "image",
                "started_at": None,
                "detection_count": None,
                "alert_id": None,
                "channel": None,
                "recipient": None,
            }
        ],
        "count": 1,
        "limit": 50,
        "offset": 0,
        "next_cursor": None,
    }


async def test_dead_letters_are_paged_in_every_queue(api: httpx.AsyncClient, rows: Rows) -> None:
    alert = await rows.alert(await rows.event())
    for number in range(3):
        died = {"died_at": NOON + timedelta(minutes=number)}
        await rows.media(**DEAD | died)
        await rows.batch(**DEAD | died)
        await rows.delivery(alert, status="dead", recipient=f"{number}@example.com", **died)
    for queue in QUEUES:
        first = (await api.get(f"/api/dlq/jobs/{queue}", params={"limit": 2})).json()
        assert first["count"] == 2
        rest = (await api.get(f"/api/dlq/jobs/{queue}", params={"cursor": first["next_cursor"]})).json()
        times = [job["failed_at"] for job in first["jobs"] + rest["jobs"]]
        assert times == ["2025-12-23T12:02:00Z", "2025-12-23T12:01:00Z", "2025-12-23T12:00:00Z"]
        assert rest["next_cursor"] is None
    wrong = await api.get("/api/dlq/jobs/analysis_queue", params={"cursor": "bm9wZQ"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "cursor")


async def test_a_requeued_letter_is_tried_again_and_its_worker_is_woken(
    api: httpx.AsyncClient, rows: Rows, services: object, redis_client: object, database: Pool
) -> None:
    listener = Doorbells(redis_client)  # type: ignore[arg-type]
    bell = listener.bell("media")
    await eventually(lambda: listener.connected)
    await bell.wait(0.01)
    first, second = await rows.media(**DEAD), await rows.media(**DEAD)
    answer = await api.post("/api/dlq/requeue/detection_queue", json={"ids": [str(second)]})
    assert answer.json() == {"queue": "detection_queue", "requeued": 1, "duplicates": 0, "ids": [str(second)]}
    assert await bell.wait(10)
    assert (await api.post("/api/dlq/requeue/detection_queue")).json()["ids"] == [str(first)]
    assert (await api.post("/api/dlq/requeue/detection_queue")).json()["requeued"] == 0
    states = await rows.pool.fetch("SELECT state, attempts FROM media")
    assert {tuple(row) for row in states} == {("queued", 0)}
    entries = await Audit(database).list()
    assert [entry.details["ids"] for entry in entries] == [[str(first)], [str(second)]]
    await listener.aclose()


async def test_of_many_requeues_of_one_letter_at_once_one_does_it(api: httpx.AsyncClient, rows: Rows) -> None:
    batch = await rows.batch(**DEAD)
    path, body = "/api/dlq/requeue/analysis_queue", {"ids": [str(batch)]}
    answers = await asyncio.gather(*(api.post(path, json=body) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7


async def test_all_are_requeued_and_all_are_cleared(api: httpx.AsyncClient, rows: Rows, database: Pool) -> None:
    for _ in range(3):
        await rows.batch(**DEAD)
    done = (await api.post("/api/dlq/requeue-all/analysis_queue")).json()
    assert (done["queue"], done["requeued"], len(done["ids"])) == ("analysis_queue", 3, 3)
    assert (await api.post("/api/dlq/requeue-all/analysis_queue")).json()["requeued"] == 0
    await rows.media(**DEAD)
    assert (await api.delete("/api/dlq/detection_queue")).json() == {"queue": "detection_queue", "cleared": 1}
    assert (await api.delete("/api/dlq/detection_queue")).json() == {"queue": "detection_queue", "cleared": 0}
    assert (await api.get("/api/dlq/stats")).json()["total_count"] == 0
    assert [entry.action for entry in await Audit(database).list()] == ["dlq_clear", "dlq_requeue_all"]


@pytest.mark.parametrize(
    ("queue", "ids", "field"),
    [
        ("detection_queue", [], "ids"),
        ("detection_queue", ["one"], "ids.0"),
        ("detection_queue", ["1", "-2"], "ids.1"),
        ("detection_queue", ["1" * 30], "ids.0"),
        ("detection_queue", ["٣"], "ids.0"),
        ("analysis_queue", ["1"], "ids.0"),
        ("notification_queue", ["x" * 36], "ids.0"),
        ("detection_queue", [1], "ids.0"),
        ("detection_queue", ["1"] * 1001, "ids"),
    ],
)
async def test_ids_that_cannot_be_are_refused_by_field(
    api: httpx.AsyncClient, queue: str, ids: list[object], field: str
) -> None:
    answer = await api.post(f"/api/dlq/requeue/{queue}", json={"ids": ids})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_an_unknown_queue_is_422_everywhere(api: httpx.AsyncClient) -> None:
    for method, path in (
        ("GET", "/api/dlq/jobs/dead_queue"),
        ("POST", "/api/dlq/requeue/dead_queue"),
        ("POST", "/api/dlq/requeue-all/dead_queue"),
        ("DELETE", "/api/dlq/dead_queue"),
    ):
        answer = await api.request(method, path)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "queue")
