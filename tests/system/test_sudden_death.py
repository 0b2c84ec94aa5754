"""Sudden death of any process while pictures flow: nothing is lost and nothing is doubled."""

import signal
from collections import Counter

import asyncpg
import psutil

from tests.eventually import eventually_sync
from tests.system.house import House, Sinks
from tests.system.pictures import clip, picture, upload
from tests.system.test_main_job import make_camera, make_rule

CAMERAS = ("North", "East", "South", "West")
PICTURES = 200


def settled(house: House, cameras: list[str], files: int) -> bool:
    """Every file has its last state, every batch its event, every delivery its receipt."""
    (row,) = house.query(
        """
        SELECT (SELECT count(*) FROM media WHERE camera_id = ANY($1)) AS files,
               (SELECT count(*) FROM media WHERE camera_id = ANY($1) AND state IN ('queued', 'detecting')) AS working,
               (SELECT count(*) FROM batches WHERE camera_id = ANY($1) AND state NOT IN ('assessed', 'dead')) AS open,
               (SELECT count(*) FROM deliveries WHERE status IN ('queued', 'sending')) AS sending
        """,
        cameras,
    )
    return (row["files"], row["working"], row["open"], row["sending"]) == (files, 0, 0, 0)


def test_killing_every_worker_loses_no_file_and_doubles_nothing(house: House, sinks: Sinks) -> None:
    cameras = [make_camera(house, name) for name in CAMERAS]
    for camera in cameras:
        make_rule(house, camera, channels=["webhook"])
    victims = iter(("DetectionWorker", "BatchAggregator", "AnalysisWorker", "AlertDispatcher"))
    for number in range(PICTURES):
        name = CAMERAS[number % len(CAMERAS)]
        upload(house.cameras / name, f"{number:03}.jpg", picture(1000 + number, people=number % 5 != 0))
        if number in (60, 100, 140, 180):
            house.kill(next(victims))
    for number, name in enumerate(CAMERAS[:3]):
        upload(house.cameras / name, f"visit {number}.mp4", clip() + bytes([number]))
    files = PICTURES + 3
    eventually_sync(lambda: settled(house, cameras, files), 240)

    media = [row for camera in cameras for row in house.all("/api/media", "media", camera_id=camera)]
    assert Counter(row["state"] for row in media) == {"detected": files}
    assert len({row["file_path"] for row in media}) == files
    batches = house.query(
        "SELECT b.id, b.state, b.detection_count, (SELECT count(*) FROM events e WHERE e.batch_id = b.id) AS events, "
        "(SELECT count(*) FROM detections d WHERE d.batch_id = b.id) AS detections "
        "FROM batches b WHERE b.camera_id = ANY($1)",
        cameras,
    )
    assert {row["state"] for row in batches} == {"assessed"}
    assert {row["events"] for row in batches} == {1}
    assert all(row["detections"] == row["detection_count"] for row in batches)
    seen = house.query(
        "SELECT m.id, count(d.id) AS found FROM media m LEFT JOIN detections d ON d.media_id = m.id "
        "WHERE m.camera_id = ANY($1) AND m.media_type = 'image' GROUP BY 1",
        cameras,
    )
    # The same drawing under another number holds the same objects: a file counted twice would show here.
    assert len({row["found"] for row in seen if row["found"]}) == 1
    alerts = [row for camera in cameras for row in house.all("/api/alerts", "alerts", camera_id=camera)]
    assert len(alerts) == len(batches)
    keys = Counter(got.headers["idempotency-key"] for got in sinks.http.received)
    for alert in alerts:
        (delivery,) = house.get(f"/api/alerts/{alert['id']}/deliveries")["deliveries"]
        assert delivery["status"] == "delivered"
        assert keys[delivery["id"]] >= 1
    # A dispatcher that died between the receiver's answer and its own note sends again, under the same key.
    repeated = [key for key, count in keys.items() if count > 1]
    assert len(repeated) <= 16


def test_the_database_and_redis_may_die_while_pictures_flow(house: House) -> None:
    camera = make_camera(house, "Harbour")
    for number in range(30):
        upload(house.cameras / "Harbour", f"{number}.jpg", picture(3000 + number))
        if number == 10:
            _kill_store(house, "postgres")
        if number == 20:
            _kill_store(house, "redis-server")
    eventually_sync(lambda: _is_settled(house, camera, 30), 180)
    rows = house.all("/api/media", "media", camera_id=camera)
    assert Counter(row["state"] for row in rows) == {"detected": 30}


def _is_settled(house: House, camera: str, files: int) -> bool:
    try:
        return settled(house, [camera], files)
    except (OSError, asyncpg.PostgresError):
        return False  # the database is on its way back


def _kill_store(house: House, name: str) -> None:
    children = psutil.Process(house.process.pid).children(recursive=True)
    victim = next(child for child in children if child.name() == name)
    victim.send_signal(signal.SIGKILL)
