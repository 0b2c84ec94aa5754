"""schemathesis over the whole description of the API, with its own checks and stateful links, on a running system."""

import json
import subprocess
import sys
from pathlib import Path

from tests.eventually import eventually_sync
from tests.system.house import House
from tests.system.pictures import picture, upload
from tests.system.test_main_job import make_camera, make_rule

CONFIG = Path(__file__).with_name("schemathesis.toml")
ST = str(Path(sys.executable).with_name("st"))


def test_no_request_that_the_description_allows_or_forbids_surprises(guarded_house: House, tmp_path: Path) -> None:
    house = guarded_house
    camera = make_camera(house, "Described")
    make_rule(house, camera)
    upload(house.cameras / "Described", "a.jpg", picture(9401))
    eventually_sync(lambda: bool(house.get("/api/alerts", camera_id=camera)["alerts"]), 90)
    report = tmp_path / "report.json"
    run = subprocess.run(
        [
            *(ST, "--config-file", str(CONFIG), "--no-color", "run", f"{house.url}/openapi.json"),
            *("--header", f"X-API-Key:{house.key_header['X-API-Key']}"),
            *("--report-json-path", str(report)),
        ],
        capture_output=True,
        text=True,
        timeout=900,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stdout[-12000:] + run.stderr[-2000:]
    assert json.loads(report.read_text())
    eventually_sync(house.is_ready, 60)
