"""The configuration in force: the settings, with the operator's changes over them."""

import asyncio
from typing import Any

import pytest

from schemas.audit import AuditEntry, Caller
from schemas.runtime_config import RuntimeConfig
from schemas.severity import SeverityBands
from storage.audit import Audit
from storage.config import ANOMALY, SEVERITY, SYSTEM, RuntimeConfigs
from storage.errors import Conflict
from storage.postgres import Pool

CALLER = Caller(actor="local", ip_address=None)
DEFAULTS = RuntimeConfig(detection_confidence_threshold=0.6, detection_classes=("person",))


async def change(pool: Pool, **values: Any) -> None:
    await pool.execute(
        "INSERT INTO runtime_config (id, value) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET value = $1", values
    )


async def test_what_nobody_changed_follows_the_settings(database: Pool) -> None:
    assert await RuntimeConfigs(database, DEFAULTS).current() == DEFAULTS


async def test_a_change_lies_over_the_settings(database: Pool) -> None:
    await change(database, batch_window_seconds=20, detection_classes=["car", "dog"])
    config = await RuntimeConfigs(database, DEFAULTS).current()
    assert (config.batch_window_seconds, config.detection_classes) == (20, ("car", "dog"))
    assert config.detection_confidence_threshold == 0.6


async def test_a_change_holds_from_the_next_reading_on(database: Pool) -> None:
    configs = RuntimeConfigs(database, DEFAULTS)
    await configs.current()
    await change(database, detection_confidence_threshold=0.25)
    assert (await configs.current()).detection_confidence_threshold == 0.25


async def test_severity_bands_may_be_changed(database: Pool) -> None:
    await change(database, severity={"low_max": 10, "medium_max": 20, "high_max": 30})
    assert (await RuntimeConfigs(database, DEFAULTS).current()).severity.high_max == 30


@pytest.mark.parametrize(
    "broken",
    [
        {"a_setting_of_a_later_version": 1},
        {"batch_window_seconds": 0},
        {"severity": {"low_max": 90, "medium_max": 20, "high_max": 30}},
        {"detection_confidence_threshold": "high"},
    ],
)
async def test_a_stored_change_that_makes_no_sense_is_left_out_and_the_others_hold(
    database: Pool, broken: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    await change(database, retention_days=7, **broken)
    assert await RuntimeConfigs(database, DEFAULTS).current() == DEFAULTS.model_copy(update={"retention_days": 7})
    assert next(iter(broken)) in caplog.text


async def entries(pool: Pool) -> list[AuditEntry]:
    """Oldest first."""
    return list(reversed(await Audit(pool).list(limit=1000)))


async def stored(pool: Pool) -> Any:
    return await pool.fetchval("SELECT value FROM runtime_config WHERE id = 1")


async def test_a_change_is_stored_told_and_audited(database: Pool) -> None:
    configs = RuntimeConfigs(database, DEFAULTS)
    told = await configs.change(SYSTEM, {"retention_days": 14, "detection_confidence_threshold": 0.7}, CALLER)
    assert told == await configs.current()
    assert await stored(database) == {"retention_days": 14, "detection_confidence_threshold": 0.7}
    (entry,) = await entries(database)
    assert (entry.action, entry.resource_type, entry.resource_id) == ("settings_changed", "system_config", None)
    assert entry.details == {
        "changes": {
            "retention_days": {"old": 30, "new": 14},
            "detection_confidence_threshold": {"old": 0.6, "new": 0.7},
        }
    }


async def test_what_is_in_force_already_is_neither_stored_nor_audited(database: Pool) -> None:
    configs = RuntimeConfigs(database, DEFAULTS)
    assert await configs.change(SYSTEM, {"retention_days": 30}, CALLER) == DEFAULTS
    assert await configs.change(SYSTEM, {}, CALLER) == DEFAULTS
    assert await configs.change(SEVERITY, {"severity": DEFAULTS.severity}, CALLER) == DEFAULTS
    assert await stored(database) is None or await stored(database) == {}
    assert await entries(database) == []


async def test_only_what_differs_is_stored_so_that_the_rest_goes_on_following_the_settings(database: Pool) -> None:
    configs = RuntimeConfigs(database, DEFAULTS)
    await configs.change(SYSTEM, {"retention_days": 30, "batch_window_seconds": 20}, CALLER)
    assert await stored(database) == {"batch_window_seconds": 20}
    (entry,) = await entries(database)
    assert entry.details["changes"] == {"batch_window_seconds": {"old": 90, "new": 20}}


async def test_a_change_back_to_the_settings_value_is_kept_and_audited(database: Pool) -> None:
    configs = RuntimeConfigs(database, DEFAULTS)
    await configs.change(SYSTEM, {"retention_days": 14}, CALLER)
    await configs.change(SYSTEM, {"retention_days": 30}, CALLER)
    assert await stored(database) == {"retention_days": 30}
    assert [entry.details["changes"]["retention_days"]["new"] for entry in await entries(database)] == [14, 30]


async def test_each_part_is_audited_in_its_own_words(database: Pool) -> None:
    configs = RuntimeConfigs(database, DEFAULTS)
    bands = SeverityBands(low_max=20, medium_max=45, high_max=84)
    assert (await configs.change(SEVERITY, {"severity": bands}, CALLER)).severity == bands
    await configs.change(ANOMALY, {"anomaly_threshold_stdev": 2.5}, CALLER)
    severity, anomaly = await entries(database)
    assert (severity.action, severity.resource_type) == ("settings_changed", "severity_thresholds")
    assert severity.details["changes"] == {"low_max": {"old": 29, "new": 20}, "medium_max": {"old": 59, "new": 45}}
    assert (anomaly.action, anomaly.resource_type) == ("config_updated", "anomaly_config")
    assert anomaly.details["changes"] == {"threshold_stdev": {"old": 3.0, "new": 2.5}}


async def test_another_replica_and_a_later_life_read_the_change(database: Pool) -> None:
    await RuntimeConfigs(database, DEFAULTS).change(SYSTEM, {"batch_window_seconds": 20}, CALLER)
    assert (await RuntimeConfigs(database, DEFAULTS).current()).batch_window_seconds == 20


async def test_fifty_changes_of_one_field_at_once_follow_one_another(database: Pool) -> None:
    configs = [RuntimeConfigs(database, DEFAULTS) for _ in range(2)]
    values = range(100, 150)
    await asyncio.gather(*(configs[value % 2].change(SYSTEM, {"retention_days": value}, CALLER) for value in values))
    steps = [entry.details["changes"]["retention_days"] for entry in await entries(database)]
    assert [step["old"] for step in steps] == [30, *(step["new"] for step in steps[:-1])]
    assert {step["new"] for step in steps} == set(values)
    assert (await configs[0].current()).retention_days == steps[-1]["new"]


async def test_fifty_changes_of_different_fields_at_once_lose_none(database: Pool) -> None:
    configs = RuntimeConfigs(database, DEFAULTS)
    await asyncio.gather(
        *(configs.change(SYSTEM, {"retention_days": 100 + n}, CALLER) for n in range(20)),
        *(configs.change(SYSTEM, {"batch_window_seconds": 100 + n}, CALLER) for n in range(20)),
        *(configs.change(ANOMALY, {"anomaly_min_samples": 200 + n}, CALLER) for n in range(10)),
    )
    found = await entries(database)
    assert len(found) == 50
    last = {field: change["new"] for entry in found for field, change in entry.details["changes"].items()}
    now = await configs.current()
    assert last == {
        "retention_days": now.retention_days,
        "batch_window_seconds": now.batch_window_seconds,
        "min_samples": now.anomaly_min_samples,
    }


async def test_a_change_whose_audit_entry_cannot_be_written_does_not_happen(database: Pool) -> None:
    await database.execute("ALTER TABLE audit ADD CONSTRAINT not_today CHECK (action <> 'settings_changed')")
    configs = RuntimeConfigs(database, DEFAULTS)
    with pytest.raises(Conflict):
        await configs.change(SYSTEM, {"retention_days": 14}, CALLER)
    assert await configs.current() == DEFAULTS


async def test_a_stored_change_that_makes_no_sense_is_mended_by_a_new_one(database: Pool) -> None:
    await change(database, batch_window_seconds=0, retention_days=7)
    configs = RuntimeConfigs(database, DEFAULTS)
    await configs.change(SYSTEM, {"batch_window_seconds": 45}, CALLER)
    assert await stored(database) == {"batch_window_seconds": 45, "retention_days": 7}
    assert (await entries(database))[0].details["changes"] == {"batch_window_seconds": {"old": 90, "new": 45}}
