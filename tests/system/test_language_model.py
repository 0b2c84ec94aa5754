"""A language model on the running system: real vLLM, in the cluster and as a server, that dies and returns."""

import json
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.sync.client import connect as connect_socket

from bench.random_nemotron import random_llama, random_nemotron_h
from domain.clock import SystemClock
from domain.prompt import render
from launch.down import processes_of
from schemas.why import Why
from tests.eventually import eventually_sync
from tests.language.vllm_server import VllmServer
from tests.stores import data_folder
from tests.system.house import House, Sinks, free_port, running_house
from tests.system.pictures import drawn, upload
from tests.system.test_main_job import make_camera, make_rule

SCENES = {
    "Dog": ("dog",),
    "Car": ("car",),
    "One": ("person",),
    "Two": ("person", "person"),
    "Three": ("person", "person", "person"),
}
"""By camera: what is seen there, so that the provisional scores differ."""
DOWN_SECONDS = 60.0
PATIENCE = 240.0


@pytest.fixture
def own_sinks() -> Iterator[Sinks]:
    """Not those of the other systems: events of two databases have the same numbers."""
    with Sinks() as sinks:
        yield sinks


@contextmanager
def house_with(sinks: Sinks, **settings: str) -> Iterator[House]:
    with data_folder() as data_dir:
        times = {
            "BATCH_WINDOW_SECONDS": "20",
            "BATCH_IDLE_TIMEOUT_SECONDS": "2",
            "DETECTION_CONFIDENCE_THRESHOLD": "0.25",
            "API_REPLICAS": "1",
            "NEMOTRON_TIMEOUT_SECONDS": "120",
            "NEMOTRON_PATIENCE_SECONDS": "300",
        }
        with running_house(data_dir, **(times | sinks.environment | settings)) as house:
            house.query("UPDATE notification_preferences SET risk_filters = '{critical,high,medium,low}' RETURNING id")
            yield house
        assert house.process.returncode == 0, house.output.read_text()[-3000:]
        assert not list(processes_of(data_dir)), "an engine's process is part of the system"


def nemotron(house: House) -> dict[str, Any]:
    return next(one for one in house.get("/api/system/services")["services"] if one["name"] == "nemotron")


def wait_until_it_answers(house: House) -> None:
    eventually_sync(lambda: nemotron(house)["status"] == "running", PATIENCE)


def only_event(house: House, camera: str) -> dict[str, Any] | None:
    events = house.get("/api/events", camera_id=camera)["events"]
    assert len(events) <= 1
    return events[0] if events else None


def is_assessed(house: House, camera: str, how: str) -> bool:
    event = only_event(house, camera)
    return event is not None and event["assessment"] == how


def why_of(house: House, event: dict[str, Any]) -> Why:
    return Why.model_validate(house.get(f"/api/events/{event['id']}/why")["why"])


def prompt_is_in(why: Why) -> bool:
    assert why.model is not None
    return render(why.model.facts, why.model.prompt_version).sha256 == why.model.prompt_sha256


@pytest.mark.timeout(1200)
def test_events_wait_for_nobody_while_the_model_is_away_and_are_assessed_once_when_it_is_back(
    own_sinks: Sinks, tmp_path: Path
) -> None:
    port = free_port()
    server = VllmServer(
        random_llama(tmp_path / "llama"), port, api_key="a-long-key", log=tmp_path / "vllm.log", arguments=()
    )
    server.launch()
    try:
        with house_with(
            own_sinks, NEMOTRON_URL=server.url, NEMOTRON_API_KEY="a-long-key", NEMOTRON_MAX_IN_FLIGHT="2"
        ) as house:
            server.wait()
            wait_until_it_answers(house)
            _assessed_at_once_by_the_model(house)
            server.kill()
            cameras = _provisional_while_it_is_away(house)
            with connect_socket(house.url.replace("http", "ws") + "/ws/events", proxy=None) as socket:
                socket.send(json.dumps({"type": "subscribe", "data": {"events": ["event.*", "alert.*"]}}))
                server.start()
                eventually_sync(lambda: all(is_assessed(house, one, "final") for one in cameras.values()), PATIENCE)
                frames = _frames_until(socket, {event_id(house, one) for one in cameras.values()})
            _each_was_assessed_once(house, cameras, frames)
    finally:
        server.kill()


def event_id(house: House, camera: str) -> int:
    event = only_event(house, camera)
    assert event is not None
    return int(event["id"])


def _assessed_at_once_by_the_model(house: House) -> None:
    camera = make_camera(house, "Before")
    upload(house.cameras / "Before", "a.jpg", drawn(1, "person"))
    eventually_sync(lambda: only_event(house, camera) is not None, PATIENCE)
    event = only_event(house, camera)
    assert event is not None
    why = why_of(house, event)
    assert (event["assessment"], event["assessed_by"]) == ("final", "nemotron"), why.because
    assert prompt_is_in(why)
    assert why.model is not None
    assert why.model.attempts[-1].finish_reason == "stop"
    assert why.earlier == ()


def _provisional_while_it_is_away(house: House) -> dict[str, str]:
    """Pictures over a minute; each is an event with its delivered alert while no model answers."""
    clock = SystemClock()
    began = clock.monotonic()
    cameras = {}
    for number, (name, kinds) in enumerate(SCENES.items()):
        cameras[name] = make_camera(house, name)
        make_rule(house, cameras[name], risk_threshold=None)
        upload(house.cameras / name, "a.jpg", drawn(10 + number, *kinds))
        eventually_sync(lambda name=name: is_assessed(house, cameras[name], "provisional"), PATIENCE)  # type: ignore[misc]

        def delivered(name: str = name) -> bool:
            alerts = house.get("/api/alerts", camera_id=cameras[name])["alerts"]
            return [alert["status"] for alert in alerts] == ["delivered"]

        eventually_sync(delivered, PATIENCE)
    service = nemotron(house)
    eventually_sync(lambda: nemotron(house)["status"] == "unhealthy", PATIENCE)
    assert service["message"] or nemotron(house)["message"], "the service says why"
    ready = house.api.get("/api/system/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    breakers = house.get("/api/system/circuit-breakers")["circuit_breakers"]
    assert breakers["nemotron"]["failure_count"] or breakers["nemotron"]["state"] != "closed"
    for camera in cameras.values():
        event = only_event(house, camera)
        assert event is not None
        assert event["assessed_by"] == "deterministic"
        assert why_of(house, event).because
    scores = [(only_event(house, camera) or {})["risk_score"] for camera in cameras.values()]
    assert len(set(scores)) >= 3, scores
    eventually_sync(lambda: clock.monotonic() - began >= DOWN_SECONDS, 2 * DOWN_SECONDS)
    return cameras


def _frames_until(socket: Any, events: set[int]) -> list[dict[str, Any]]:
    """Every frame up to the last `event.updated` that is waited for."""
    frames: list[dict[str, Any]] = []
    while {one["data"]["id"] for one in frames if one["type"] == "event.updated"} < events:
        frame = json.loads(socket.recv(timeout=60))
        if frame["type"] in ("event.updated", "alert.created"):
            frames.append(frame)
    return frames


def _each_was_assessed_once(house: House, cameras: dict[str, str], frames: list[dict[str, Any]]) -> None:
    updated = [frame["data"]["id"] for frame in frames if frame["type"] == "event.updated"]
    assert len(updated) == len(set(updated)) == len(cameras)
    assert [frame for frame in frames if frame["type"] == "alert.created"] == []
    rows = house.query("SELECT id, risk_score, state, started_at FROM reassessments ORDER BY started_at, id")
    assert {row["state"] for row in rows} == {"done"}
    assert len(rows) == len(cameras)
    scores = [row["risk_score"] for row in sorted(rows, key=lambda row: (row["started_at"], -row["risk_score"]))]
    assert scores == sorted(scores, reverse=True), "the gravest first"
    for camera in cameras.values():
        event = only_event(house, camera)
        assert event is not None
        why = why_of(house, event)
        assert [earlier.assessed_by for earlier in why.earlier] == ["deterministic"]
        assert prompt_is_in(why)
        assert event["assessed_by"] == "nemotron"
        alerts = house.get("/api/alerts", camera_id=camera)["alerts"]
        assert len(alerts) == 1, "no second alert for the same rule and event"


@pytest.mark.timeout(1200)
def test_an_engine_in_the_cluster_dies_comes_back_and_leaves_nothing(own_sinks: Sinks, tmp_path: Path) -> None:
    folder = random_nemotron_h(tmp_path / "Nemotron Tiny")
    there = engine_folders()
    settings = {"NEMOTRON_MODEL": str(folder), "NEMOTRON_DEVICE": "cpu", "VLLM_CPU_KVCACHE_SPACE": "1"}
    with house_with(own_sinks, **settings) as house:
        wait_until_it_answers(house)
        first = make_camera(house, "First")
        upload(house.cameras / "First", "a.jpg", drawn(21, "person"))
        eventually_sync(lambda: is_assessed(house, first, "final"), PATIENCE)
        assert (only_event(house, first) or {})["assessed_by"] == "Nemotron Tiny"
        health = house.get("/api/system/health/full")["ai_services"]["nemotron"]
        assert (health["status"], health["loaded"]) == ("healthy", True)
        assert health["checked_seconds_ago"] is not None

        for engine in _engines(house):
            engine.send_signal(signal.SIGKILL)
        second = make_camera(house, "Second")
        upload(house.cameras / "Second", "a.jpg", drawn(22, "person", "person"))
        eventually_sync(lambda: only_event(house, second) is not None, PATIENCE)
        eventually_sync(lambda: is_assessed(house, second, "final"), PATIENCE)
        assert prompt_is_in(why_of(house, only_event(house, second) or {}))
        assert engine_folders() - there
    assert not engine_folders() - there


def engine_folders() -> set[Path]:
    """Of every system on this machine."""
    return set(Path(tempfile.gettempdir()).glob("hsi-vllm-*"))


def _engines(house: House) -> list[psutil.Process]:
    found = [one for one in processes_of(house.data_dir) if "EngineCore" in " ".join(one.cmdline() or [one.name()])]
    assert found, "vLLM names its engine's process"
    return found
