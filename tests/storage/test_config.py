"""The configuration in force: the settings, with the operator's changes over them."""

from typing import Any

import pytest

from schemas.runtime_config import RuntimeConfig
from storage.config import RuntimeConfigs
from storage.postgres import Pool

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
