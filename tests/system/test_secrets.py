"""No secret leaves the system: not in an answer, a log, a metric, a live frame or an error."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from pydantic import SecretStr
from websockets.sync.client import connect as connect_socket

from deployments.api.access.table import ROUTES, Access
from launch.down import processes_of
from schemas.frame import LiveChannel
from settings import Settings
from tests.eventually import eventually_sync
from tests.system.guarded import GUARDED, readable_files
from tests.system.house import House, Sinks
from tests.system.model_server import SAYS
from tests.system.pictures import picture, upload
from tests.system.test_main_job import make_camera, make_rule

MADE_BY_THE_SYSTEM = {"database_url", "redis_url"}


def _holds_a_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_holds_a_secret, get_args(annotation)))


def test_every_setting_that_may_hold_a_secret_is_planted_with_one() -> None:
    secret = {name for name, field in Settings.model_fields.items() if _holds_a_secret(field.annotation)}
    assert secret == set(GUARDED.words) | MADE_BY_THE_SYSTEM


@pytest.fixture(scope="module")
def heard(guarded_house: House) -> str:
    """Everything that the system said while an alert went out by every channel, two of which fail."""
    house = guarded_house
    camera = make_camera(house, "Guarded")
    make_rule(house, camera, channels=["webhook", "email", "push"])
    house.api.put("/api/notification-preferences", json={"risk_filters": ["low", "medium", "high", "critical"]})
    upload(house.cameras / "Guarded", "a.jpg", picture(9301))
    eventually_sync(lambda: bool(house.get("/api/alerts", camera_id=camera)["alerts"]), 90)
    alert = house.get("/api/alerts", camera_id=camera)["alerts"][0]["id"]

    def settled() -> bool:
        deliveries = house.get(f"/api/alerts/{alert}/deliveries")["deliveries"]
        return {one["status"] for one in deliveries} <= {"delivered", "dead"}

    eventually_sync(settled, 90)
    event = house.get("/api/events", camera_id=camera)["events"][0]["id"]
    eventually_sync(lambda: SAYS in house.api.get(f"/api/events/{event}/why").text, 90)  # the model's second answer
    said = [house.api.get(f"/api/events/{event}/why").text]
    said += [json.dumps(house.get(f"/api/alerts/{alert}/deliveries"))]
    for channel in ("email", "webhook", "push"):
        said.append(house.api.post("/api/notification/test", json={"channel": channel}).text)
    said += _frames(house)
    said += [_answer(house, method, path) for (method, path), access in ROUTES.items() if method != "WEBSOCKET"]
    said += [house.hsi(command).stdout for command in ("status", "doctor")]
    house.query("SELECT pg_sleep(3)")  # the last log lines are on their way to their table
    said += [str(row) for row in house.query("SELECT to_jsonb(l)::text FROM logs l")]
    said += [str(row) for row in house.query("SELECT to_jsonb(a)::text FROM audit a")]
    said.append(house.output.read_text())
    said += [path.read_text(errors="replace") for path in readable_files(house.data_dir)]
    said += [path.read_text(errors="replace") for path in _ray_logs(house)]
    return "\n".join(said)


def _frames(house: House) -> list[str]:
    """Every live frame that is kept, of all channels."""
    address = house.url.replace("http", "ws") + "/ws/events"
    with connect_socket(address, proxy=None, additional_headers=house.key_header) as socket:
        for channel in LiveChannel:
            socket.send(json.dumps({"type": "resync", "data": {"channel": channel.value, "last_sequence": 0}}))
        frames: list[str] = []
        while sum('"resynced"' in frame for frame in frames) < len(LiveChannel):
            frames.append(str(socket.recv(timeout=30)))
    return frames


def _answer(house: House, method: str, path: str) -> str:
    """An answer to a request that is as wrong as can be where it would change something."""
    filled = re.sub(r"\{\w+\}", "1", path)
    response = house.api.request(method, filled, json={"nonsense": True} if method != "GET" else None)
    assert not (ROUTES[method, path] is Access.OPEN and response.status_code >= 500)
    return response.text + str(response.headers)


def _ray_logs(house: House) -> list[Path]:
    """Of this system's own session, which its processes name in their command lines."""
    lines = " ".join(" ".join(process.cmdline()) for process in processes_of(house.data_dir))
    sessions = set(re.findall(r"/tmp/ray/session_[\w-]+", lines))
    assert sessions
    return [file for session in sessions for file in readable_files(Path(session) / "logs")]


@pytest.mark.parametrize("setting", [*GUARDED.words, *sorted(MADE_BY_THE_SYSTEM), "ray_token"])
def test_this_secret_turns_up_nowhere(guarded_house: House, heard: str, setting: str) -> None:
    secret = GUARDED.found_out(guarded_house)[setting]
    assert secret
    place = heard.find(secret)
    assert place < 0, f"{setting} stands in: …{heard[max(0, place - 300) : place + 100]}…"


def test_the_key_for_the_language_model_was_used_and_repeated_by_its_server(heard: str, sinks: Sinks) -> None:
    shown = {request.headers.get("authorization") for request in sinks.model.received}
    assert shown == {f"Bearer {GUARDED.words['nemotron_api_key']}"}
    assert "answered HTTP 500" in heard
    assert SAYS in heard


def test_without_the_key_only_the_probes_answer(guarded_house: House) -> None:
    with httpx.Client(base_url=guarded_house.url, trust_env=False, timeout=30) as stranger:
        for (method, path), access in ROUTES.items():
            if method == "WEBSOCKET":
                continue
            status = stranger.request(method, re.sub(r"\{\w+\}", "1", path)).status_code
            assert (status != 401) == (access in (Access.OPEN, Access.SIGN_IN)), (method, path, status)
