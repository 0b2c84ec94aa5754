"""Many at once on the running system, through all of its API replicas: one consistent outcome each."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.eventually import eventually_sync
from tests.system.house import House
from tests.system.pictures import picture, upload
from tests.system.test_main_job import make_camera, make_rule

AT_ONCE = 50


def at_once(house: House, ask: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
    """Each over a connection of its own, so that the replicas share them."""

    def one(number: int) -> httpx.Response:
        with httpx.Client(base_url=house.url, timeout=60, trust_env=False) as client:
            return ask(client, number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, range(AT_ONCE)))


def one_alert(house: House, camera_name: str, number: int) -> str:
    camera = make_camera(house, camera_name)
    make_rule(house, camera, channels=[])
    upload(house.cameras / camera_name, "a.jpg", picture(number))
    eventually_sync(lambda: bool(house.get("/api/alerts", camera_id=camera)["alerts"]), 90)
    return str(house.get("/api/alerts", camera_id=camera)["alerts"][0]["id"])


def test_fifty_people_acknowledge_and_dismiss_one_alert(house: House) -> None:
    alert = one_alert(house, "Race Alert", 9101)
    steps = ("acknowledge", "dismiss")
    answers = at_once(house, lambda client, n: client.post(f"/api/alerts/{alert}/{steps[n % 2]}"))
    outcome = Counter((steps[n % 2], answer.status_code) for n, answer in enumerate(answers))
    assert outcome["dismiss", 200] == 1
    assert outcome["acknowledge", 200] <= 1
    assert {status for _, status in outcome} <= {200, 409}
    now = house.get(f"/api/alerts/{alert}")
    assert now["status"] == "dismissed"
    assert (now["acknowledged_at"] is not None) == (outcome["acknowledge", 200] == 1)


def test_fifty_patches_of_the_configuration_leave_one_of_them_and_a_trail_without_a_gap(house: House) -> None:
    before = house.get("/api/system/config")
    newest = max((entry["id"] for entry in house.get("/api/audit")["logs"]), default=0)
    answers = at_once(
        house,
        lambda client, n: client.patch(
            "/api/system/config", json={"retention_days": 100 + n, "batch_window_seconds": 1000 + n}
        ),
    )
    assert {answer.status_code for answer in answers} == {200}
    try:
        now = house.get("/api/system/config")
        assert now["batch_window_seconds"] - now["retention_days"] == 900
        trail = [entry for entry in house.all("/api/audit", "logs") if entry["id"] > newest]
        trail = [entry for entry in sorted(trail, key=lambda e: e["id"]) if entry["action"] == "settings_changed"]
        assert len(trail) == AT_ONCE
        value: Any = before["retention_days"]
        for entry in trail:
            change = entry["details"]["changes"]["retention_days"]
            assert change["old"] == value
            value = change["new"]
        assert value == now["retention_days"]
    finally:
        fields = ("retention_days", "batch_window_seconds")
        house.api.patch("/api/system/config", json={field: before[field] for field in fields}).raise_for_status()


def test_ten_matching_events_inside_one_cooldown_make_one_alert(house: House) -> None:
    cameras = [make_camera(house, f"Race {number}") for number in range(10)]
    rule = {"name": "one for all", "camera_ids": cameras, "cooldown_seconds": 600, "channels": []}
    made = house.api.post("/api/alerts/rules", json={**rule, "dedup_key_template": "race:{rule_id}"})
    assert made.status_code == 201, made.text
    for number in range(10):
        upload(house.cameras / f"Race {number}", "a.jpg", picture(9200 + number))
    eventually_sync(lambda: all(house.get("/api/events", camera_id=c)["count"] for c in cameras), 120)
    alerts = house.get("/api/alerts", rule_id=made.json()["id"])["alerts"]
    assert len(alerts) == 1
