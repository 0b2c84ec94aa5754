"""/api/system/anomaly-config"""

import httpx
import pytest

ANOMALY = "/api/system/anomaly-config"
FRESH = {"threshold_stdev": 3.0, "min_samples": 100, "decay_factor": 0.1, "window_days": 30}


async def test_a_fresh_system_answers_the_documented_configuration(api: httpx.AsyncClient) -> None:
    answer = await api.get(ANOMALY)
    assert (answer.status_code, answer.json()) == (200, FRESH)


async def test_the_documented_change_holds_and_is_audited(api: httpx.AsyncClient) -> None:
    answer = await api.patch(ANOMALY, json={"threshold_stdev": 2.5, "min_samples": 50})
    assert (answer.status_code, answer.json()) == (200, FRESH | {"threshold_stdev": 2.5, "min_samples": 50})
    assert (await api.get(ANOMALY)).json() == answer.json()
    (entry,) = (await api.get("/api/audit", params={"action": "config_updated"})).json()["logs"]
    assert entry["resource_type"] == "anomaly_config"
    assert entry["details"]["changes"] == {
        "threshold_stdev": {"old": 3.0, "new": 2.5},
        "min_samples": {"old": 100, "new": 50},
    }


async def test_each_field_changes_alone_and_a_whole_number_is_a_threshold_too(api: httpx.AsyncClient) -> None:
    assert (await api.patch(ANOMALY, json={"threshold_stdev": 0})).json() == FRESH | {"threshold_stdev": 0.0}
    assert (await api.patch(ANOMALY, json={"min_samples": 1})).json() == FRESH | {
        "threshold_stdev": 0.0,
        "min_samples": 1,
    }


@pytest.mark.parametrize("threshold", [5e-324, 0.1 + 0.2, 999999.999999, 1e6])
async def test_a_threshold_is_kept_exactly(api: httpx.AsyncClient, threshold: float) -> None:
    assert (await api.patch(ANOMALY, json={"threshold_stdev": threshold})).json()["threshold_stdev"] == threshold
    assert (await api.get(ANOMALY)).json()["threshold_stdev"] == threshold
    (entry,) = (await api.get("/api/audit")).json()["logs"]
    assert entry["details"]["changes"]["threshold_stdev"]["new"] == threshold


@pytest.mark.parametrize("body", [{}, {"threshold_stdev": 3}, {"min_samples": 100}])
async def test_what_changes_nothing_leaves_no_audit_entry(api: httpx.AsyncClient, body: dict[str, float]) -> None:
    assert (await api.patch(ANOMALY, json=body)).json() == FRESH
    assert (await api.get("/api/audit")).json()["logs"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"threshold_stdev": -0.1}', "threshold_stdev"),
        ('{"threshold_stdev": "3"}', "threshold_stdev"),
        ('{"threshold_stdev": true}', "threshold_stdev"),
        ('{"threshold_stdev": null}', "threshold_stdev"),
        ('{"threshold_stdev": NaN}', "threshold_stdev"),
        ('{"threshold_stdev": 1000000.1}', "threshold_stdev"),
        ('{"threshold_stdev": 1e308}', "threshold_stdev"),
        ('{"threshold_stdev": Infinity}', "threshold_stdev"),
        ('{"min_samples": 0}', "min_samples"),
        ('{"min_samples": -5}', "min_samples"),
        ('{"min_samples": 1.5}', "min_samples"),
        ('{"min_samples": false}', "min_samples"),
        ('{"min_samples": 1000000001}', "min_samples"),
        ('{"min_samples": null}', "min_samples"),
        ('{"decay_factor": 0.2}', "decay_factor"),
        ('{"window_days": 60}', "window_days"),
        ('{"anomaly_min_samples": 5}', "anomaly_min_samples"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(api: httpx.AsyncClient, body: str, field: str) -> None:
    answer = await api.patch(ANOMALY, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    assert (await api.get(ANOMALY)).json() == FRESH
