"""schemathesis over the whole description of the API, with its own checks and stateful links, on a running system."""

import subprocess
import sys
from pathlib import Path

from tests.eventually import eventually_sync
from tests.system.house import House
from tests.system.pictures import picture, upload
from tests.system.test_main_job import make_camera, make_rule

CONFIG = Path(__file__).with_name("schemathesis.toml")
ST = str(Path(sys.executable).with_name("st"))


SERVICE_ACTIONS = "^/api/system/services/"
"""These restart stores and replicas under the feet of every other request, so they are tried by themselves."""


def schemathesis(house: House, folder: Path, *which: str) -> None:
    command = [ST, "--config-file", str(CONFIG), "--no-color", "run", f"{house.url}/openapi.json"]
    key = f"X-API-Key:{house.key_header['X-API-Key']}"
    run = subprocess.run([*command, "--header", key, *which], capture_output=True, text=True, timeout=900, cwd=folder)
    assert run.returncode == 0, run.stdout + run.stderr[-2000:]


def test_no_request_that_the_description_allows_or_forbids_surprises(guarded_house: House, tmp_path: Path) -> None:
    house = guarded_house
    camera = make_camera(house, "Described")
    make_rule(house, camera)
    upload(house.cameras / "Described", "a.jpg", picture(9401))
    eventually_sync(lambda: bool(house.get("/api/alerts", camera_id=camera)["alerts"]), 90)
    schemathesis(house, tmp_path, "--exclude-path-regex", SERVICE_ACTIONS)


def test_no_action_on_a_service_surprises(guarded_house: House, tmp_path: Path) -> None:
    house = guarded_house
    schemathesis(house, tmp_path, "--include-path-regex", SERVICE_ACTIONS, "--max-examples", "3", "--workers", "1")
    for service in house.get("/api/system/services")["services"]:
        house.api.post(f"/api/system/services/{service['name']}/enable")
    eventually_sync(house.is_ready, 120)
