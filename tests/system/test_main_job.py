"""The main job on the running system: a picture in a folder becomes an event and an alert that arrives."""

import json
import subprocess
import sys
import uuid

from websockets.sync.client import connect as connect_socket

from launch.down import processes_of
from tests.eventually import eventually_sync
from tests.system.house import House, Sinks
from tests.system.pictures import picture, upload


def make_rule(house: House, camera_id: str, **fields: object) -> dict[str, object]:
    rule = {"name": f"rule of {camera_id}", "severity": "high", "cooldown_seconds": 0, "camera_ids": [camera_id]}
    response = house.api.post("/api/alerts/rules", json={**rule, "channels": ["webhook", "email"], **fields})
    assert response.status_code == 201, response.text
    return response.json()


def make_camera(house: House, name: str) -> str:
    response = house.api.post("/api/cameras", json={"name": name})
    assert response.status_code == 201, response.text
    return response.json()["id"]


def test_a_picture_becomes_an_event_and_its_alert_arrives_by_mail_and_webhook(house: House, sinks: Sinks) -> None:
    camera = make_camera(house, "Garden Gate")
    rule = make_rule(house, camera, object_types=["person"])
    path = upload(house.cameras / "Garden Gate", "visitor 1.jpg", picture(1))

    eventually_sync(lambda: bool(house.get("/api/alerts", camera_id=camera)["alerts"]), 90)
    (event,) = house.get("/api/events", camera_id=camera)["events"]
    (alert,) = house.all("/api/alerts", "alerts", camera_id=camera)

    def delivered() -> bool:
        deliveries = house.get(f"/api/alerts/{alert['id']}/deliveries")["deliveries"]
        return {d["channel"]: d["status"] for d in deliveries} == {"webhook": "delivered", "email": "delivered"}

    eventually_sync(delivered, 60)
    assert "person" in event["object_types"]
    assert event["assessed_by"] == "deterministic"
    assert event["summary"]
    assert event["reasoning"]
    detection = house.get("/api/detections", camera_id=camera)["detections"][0]
    assert detection["file_path"] == str(path)
    assert detection["event_id"] == event["id"]
    hooks = [got for got in sinks.http.received if got.json["event"]["id"] == event["id"]]
    assert [got.json["rule"]["id"] for got in hooks] == [rule["id"]]
    assert uuid.UUID(hooks[0].headers["idempotency-key"])
    mails = [mail.message for mail in sinks.smtp.mails if "Garden Gate" in str(mail.message["Subject"])]
    assert len(mails) == 1
    assert any(part.get_content_type() == "image/jpeg" for part in mails[0].walk())
    assert house.get(f"/api/alerts/{alert['id']}")["status"] == "delivered"


def test_a_rule_without_a_configured_channel_says_why_nothing_was_sent(house: House) -> None:
    camera = make_camera(house, "Cellar")
    make_rule(house, camera, channels=["push"])
    upload(house.cameras / "Cellar", "a.jpg", picture(2))

    eventually_sync(lambda: bool(house.get("/api/alerts", camera_id=camera)["alerts"]), 90)
    (alert,) = house.get("/api/alerts", camera_id=camera)["alerts"]
    (delivery,) = house.get(f"/api/alerts/{alert['id']}/deliveries")["deliveries"]
    assert (alert["status"], delivery["status"]) == ("pending", "suppressed")
    assert "PUSH_URLS" in delivery["suppressed_because"]


def test_the_live_socket_tells_of_an_event_with_gapless_numbers(house: House) -> None:
    camera = make_camera(house, "Shed")
    with connect_socket(house.url.replace("http", "ws") + "/ws/events", proxy=None) as socket:
        socket.send(json.dumps({"type": "subscribe", "data": {"events": ["event.*", "detection.*"]}}))
        upload(house.cameras / "Shed", "a.jpg", picture(3))
        frames = []
        while not any(frame["type"] == "event.created" and frame["data"]["camera_id"] == camera for frame in frames):
            frame = json.loads(socket.recv(timeout=60))
            if frame.get("sequence"):
                frames.append(frame)
    for channel in ("detections", "events"):
        numbers = [frame["sequence"] for frame in frames if frame["channel"] == channel]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_bad_files_are_rows_with_reasons_and_stop_nobody(house: House) -> None:
    camera = make_camera(house, "Attic")
    folder = house.cameras / "Attic"
    whole = picture(4)
    bad = {
        "zero.jpg": b"",
        "cut.jpg": whole[: len(whole) // 2],
        "text.jpg": b"no picture at all " * 2000,
        'quote"s and\nnewline.jpg': whole[: len(whole) // 3],
        "bomb.png": b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (60000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0" * 4000,
        "clip.mp4": b"not a clip " * 1000,
    }
    for name, data in bad.items():
        upload(folder, name, data)
    (folder / "link.jpg").symlink_to("/etc/passwd")
    upload(folder, "good Ünïcode 🙂.jpg", whole)

    def states() -> dict[str, str]:
        return {
            row["file_path"].rpartition("Attic/")[2]: row["state"]
            for row in house.all("/api/media", "media", camera_id=camera)
        }

    wanted = {name: "dead" for name in bad if name != "zero.jpg"} | {
        "link.jpg": "dead",
        "good Ünïcode 🙂.jpg": "detected",
    }
    eventually_sync(lambda: wanted.items() <= states().items(), 90)
    reasons = {row["file_path"]: row["reason"] for row in house.all("/api/media", "media", camera_id=camera)}
    assert all(reason for path, reason in reasons.items() if "good" not in path)
    # An empty file may still be growing, so it is given a minute before it is refused.
    eventually_sync(lambda: states().get("zero.jpg") == "dead", 120)


def test_another_process_holds_actor_handles(house: House) -> None:
    path = upload(house.data_dir / "elsewhere", "a.jpg", picture(5))
    script = f"""
import asyncio
from actors import connect
async def main():
    with connect({str(house.data_dir)!r}) as home:
        found = await home.yolo_detector.detect({str(path)!r})
        health = await home.batch_aggregator.health()
        print(sorted({{one.object_type for one in found}}), health.healthy, "file_watcher" in home.actors())
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'person'" in done.stdout
    assert done.stdout.strip().endswith("True True")


def test_up_on_a_running_system_says_so_and_status_is_ready(house: House) -> None:
    again, status = house.hsi("up"), house.hsi("status")
    assert again.returncode == 0
    assert f"is up already: {house.url}" in again.stdout
    assert status.returncode == 0, status.stdout + status.stderr
    assert "file_watcher" in status.stdout


def test_actor_processes_carry_their_class_and_the_systems_environment(house: House) -> None:
    for kind in (
        "FileWatcher",
        "DetectionWorker",
        "BatchAggregator",
        "AnalysisWorker",
        "AlertDispatcher",
        "Supervisor",
    ):
        eventually_sync(lambda kind=kind: len(house.workers(kind)) == 1)
        assert house.workers(kind)[0].environ()["DATA_DIR"] == str(house.data_dir)
    assert any(process.pid for process in processes_of(house.data_dir))
