"""`serve run serve_app:app` starts the same system; without weights it says so and files wait until they come."""

import shutil
from pathlib import Path

from settings import DEMO_WEIGHTS
from tests.eventually import eventually_sync
from tests.stores import data_folder
from tests.system.house import HSI, running_house
from tests.system.pictures import picture, upload

SERVE = str(Path(HSI).with_name("serve"))
REPOSITORY = Path(__file__).parents[2]


def test_serve_run_starts_the_system_and_files_wait_for_missing_weights() -> None:
    with data_folder() as data_dir:
        weights = data_dir / "missing.onnx"
        command = [SERVE, "run", "--app-dir", str(REPOSITORY), "serve_app:app"]
        with running_house(data_dir, command, DETECTOR_WEIGHTS=str(weights)) as house:
            ready = house.get("/api/system/health/ready")
            assert ready["services"]["ai"]["details"]["yolo26"] == "unhealthy", (ready, house.output.read_text())
            assert "missing.onnx" in ready["services"]["ai"]["message"]
            upload(house.cameras / "Porch", "a.jpg", picture(1))
            eventually_sync(lambda: [m["state"] for m in house.get("/api/media")["media"]] == ["queued"], 60)

            shutil.copy(DEMO_WEIGHTS, weights)
            eventually_sync(lambda: [m["state"] for m in house.get("/api/media")["media"]] == ["detected"], 120)
            (media,) = house.get("/api/media")["media"]
            assert media["attempts"] == 1
