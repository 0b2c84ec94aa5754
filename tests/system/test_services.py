"""Services by hand on the running system: what is restarted lives anew, what is disabled stays down."""

import signal
import time
from collections import Counter
from typing import Any

import httpx
import psutil

from tests.eventually import eventually_sync
from tests.system.house import House
from tests.system.pictures import picture, upload
from tests.system.test_main_job import make_camera

SERVICES = "/api/system/services"
CONTRACT = {
    "infrastructure": {
        "postgres",
        "redis",
        "api",
        "file_watcher",
        "detection_worker",
        "batch_aggregator",
        "analysis_worker",
        "alert_dispatcher",
        "cleanup_service",
    },
    "ai": {"yolo26", "nemotron", "model_zoo"},
    "monitoring": {"gpu_monitor", "performance_monitor"},
}


def service(house: House, name: str) -> dict[str, Any]:
    services = house.get(SERVICES)["services"]
    return next(one for one in services if one["name"] == name)


def act(house: House, action: str, name: str) -> dict[str, Any]:
    response = house.api.post(f"{SERVICES}/{name}/{action}")
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert answer["success"], answer
    assert (answer["action"], answer["service"]) == (action, name)
    return answer


def becomes(house: House, name: str, status: str, seconds: float = 120) -> None:
    eventually_sync(lambda: bool(service(house, name)["status"] == status), seconds)


def audited(house: House, name: str, after: int = 0) -> list[tuple[str, str]]:
    """What the audit trail says of this service after that entry; other tests may have acted on it before."""
    rows = house.query("SELECT action, status FROM audit WHERE resource_id = $1 AND id > $2 ORDER BY id", name, after)
    return [(row["action"], row["status"]) for row in rows]


def replicas(house: House, deployment: str) -> set[int]:
    return {one.pid for one in house.workers("ServeReplica:") if f":{deployment}" in " ".join(one.cmdline())}


def makes_an_event(house: House, camera: str, number: int) -> None:
    camera_id = make_camera(house, camera)
    upload(house.cameras / camera, "a.jpg", picture(number))
    eventually_sync(lambda: bool(house.get("/api/events", camera_id=camera_id)["events"]), 120)


def test_every_service_of_the_contract_is_listed_and_works(house: House) -> None:
    expected = Counter({(category, name): 1 for category, names in CONTRACT.items() for name in names})
    for _, name in expected:
        becomes(house, name, "not_configured" if name == "nemotron" else "running")
    listed = house.get(SERVICES)
    assert Counter((one["category"], one["name"]) for one in listed["services"]) == expected
    assert listed["summaries"]["ai"]["not_configured"] == 1
    assert all(summary["unhealthy"] == 0 for summary in listed["summaries"].values())


def test_a_restarted_actor_is_a_new_process_that_goes_on_working(house: House) -> None:
    becomes(house, "detection_worker", "running")
    before = {one.pid for one in house.workers("DetectionWorker")}
    answer = act(house, "restart", "detection_worker")
    assert answer["service_info"]["failure_count"] == 0
    assert answer["service_info"]["last_restart"] is not None
    becomes(house, "detection_worker", "running")
    after = {one.pid for one in house.workers("DetectionWorker")}
    assert len(after) == len(before)
    assert not after & before
    makes_an_event(house, "Restarted Worker", 7001)
    assert service(house, "detection_worker")["restarts"] == 0
    assert audited(house, "detection_worker") == [("service_restart", "success")]


def test_a_restarted_detector_finds_people_again(house: House) -> None:
    becomes(house, "yolo26", "running")
    before = replicas(house, "yolo_detector")
    assert before
    act(house, "restart", "yolo26")
    eventually_sync(
        lambda: bool(replicas(house, "yolo_detector")) and not replicas(house, "yolo_detector") & before, 60
    )
    becomes(house, "yolo26", "running")
    makes_an_event(house, "Restarted Detector", 7002)
    eventually_sync(lambda: audited(house, "yolo26") == [("service_restart", "success")], 60)


def test_restarted_stores_keep_everything_and_the_address(house: House) -> None:
    camera = make_camera(house, "Before The Restart")
    for name, executable in (("redis", "redis-server"), ("postgres", "postgres")):
        before = server(house, executable)
        act(house, "restart", name)
        eventually_sync(lambda old=before, program=executable: server(house, program) not in (None, old), 60)
        becomes(house, name, "running")
        eventually_sync(lambda of=name: audited(house, of) == [("service_restart", "success")], 60)
    assert house.get(f"/api/cameras/{camera}")["name"] == "Before The Restart"
    makes_an_event(house, "After The Restart", 7003)


def server(house: House, executable: str) -> int | None:
    """The process id of our own server; its children have other parents."""
    children = psutil.Process(house.process.pid).children()
    return next((child.pid for child in children if child.name() == executable), None)


def test_the_api_answers_all_along_while_its_replicas_are_restarted(house: House) -> None:
    becomes(house, "api", "running")
    before = replicas(house, "api")
    assert act(house, "restart", "api")["message"] == "Service api: the restart is under way"
    again = house.api.post(f"{SERVICES}/api/restart")
    assert again.status_code == 409, again.text
    outcomes: Counter[str] = Counter()

    def asked() -> bool:
        try:
            outcomes[str(httpx.get(f"{house.url}/health", timeout=10, trust_env=False).status_code)] += 1
        except httpx.TransportError as error:
            outcomes[type(error).__name__] += 1
        return audited(house, "api") == [("service_restart", "success")]

    eventually_sync(asked, 180)
    after = replicas(house, "api")
    assert len(after) == len(before)
    assert not after & before
    assert set(outcomes) == {"200"}, outcomes


def test_what_is_disabled_stays_down_though_the_supervisor_is_killed(house: House) -> None:
    newest = house.get("/api/audit", limit=1)["logs"][0]["id"]
    becomes(house, "gpu_monitor", "running")
    answer = act(house, "disable", "gpu_monitor")
    assert (answer["service_info"]["status"], answer["service_info"]["enabled"]) == ("disabled", False)
    assert house.workers("GpuMonitor") == []
    for action in ("restart", "start"):
        refused = house.api.post(f"{SERVICES}/gpu_monitor/{action}")
        assert (refused.status_code, refused.json()["detail"]) == (400, "gpu_monitor is disabled: enable it first")
    looked = service(house, "gpu_monitor")["checked_at"]
    house.kill("Supervisor")
    eventually_sync(lambda: service(house, "gpu_monitor")["checked_at"] > looked, 60)
    assert service(house, "gpu_monitor")["status"] == "disabled"
    assert house.workers("GpuMonitor") == []
    act(house, "enable", "gpu_monitor")
    becomes(house, "gpu_monitor", "running")
    assert len(house.workers("GpuMonitor")) == 1
    assert act(house, "enable", "gpu_monitor")["message"] == "Service gpu_monitor is enabled already"
    trail = audited(house, "gpu_monitor", newest)
    assert trail == [("service_disable", "success"), ("service_enable", "success")]


def test_a_disabled_detector_takes_no_frames_and_files_wait(house: House) -> None:
    becomes(house, "yolo26", "running")
    act(house, "disable", "yolo26")
    camera = make_camera(house, "Detector Off")
    path = upload(house.cameras / "Detector Off", "a.jpg", picture(7004))
    becomes(house, "yolo26", "disabled")
    eventually_sync(lambda: [one["state"] for one in house.get("/api/media", camera_id=camera)["media"]] == ["queued"])
    act(house, "enable", "yolo26")
    eventually_sync(lambda: bool(house.get("/api/events", camera_id=camera)["events"]), 120)
    (media,) = house.get("/api/media", camera_id=camera)["media"]
    assert (media["file_path"], media["state"], media["attempts"]) == (str(path), "detected", 1)


def test_a_supervisor_that_hangs_is_a_503_in_time(house: House) -> None:
    eventually_sync(lambda: len(house.workers("Supervisor")) == 1, 60)
    supervisor = house.workers("Supervisor")[0]
    supervisor.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = house.api.post(f"{SERVICES}/gpu_monitor/restart")
        assert time.monotonic() - began < 20
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert "supervisor is away" in answer.json()["detail"]
        eventually_sync(lambda: service(house, "gpu_monitor")["status"] == "unknown", 60)
        assert house.get("/api/system/circuit-breakers")["circuit_breakers"]["yolo26"]["name"] == "yolo26"
    finally:
        supervisor.send_signal(signal.SIGCONT)
    becomes(house, "gpu_monitor", "running")
