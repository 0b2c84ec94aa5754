"""What the analysis worker is given, by the settings."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from actors.tools.analysing import asked_at_once, asked_by, language_tools, slots
from settings import Settings
from storage.postgres import Pool


def _settings(data_dir: Path, **values: Any) -> Settings:
    return Settings(data_dir=data_dir, database_url=SecretStr("postgresql://x"), **values)


def test_without_a_language_model_there_are_no_places_for_its_questions(tmp_path: Path) -> None:
    assert slots(_settings(tmp_path, nemotron_replicas=4)) == 0


@pytest.mark.parametrize(("replicas", "in_flight", "asked", "in_work"), [(1, 1, 1, 3), (1, 8, 8, 10), (2, 6, 12, 16)])
def test_a_few_more_are_in_work_than_all_replicas_are_asked_at_once(
    tmp_path: Path, replicas: int, in_flight: int, asked: int, in_work: int
) -> None:
    given = {"nemotron_replicas": replicas, "nemotron_max_in_flight": in_flight}
    settings = _settings(tmp_path, nemotron_url="http://gpu-box:8000/v1", **given)
    assert (asked_at_once(settings), slots(settings)) == (asked, in_work)


@pytest.mark.parametrize("seconds", [1, 45, 600])
async def test_a_lease_outlives_the_wait_for_a_turn_and_the_assessment(
    tmp_path: Path, database: Pool, seconds: float
) -> None:
    settings = _settings(tmp_path, nemotron_url="http://gpu-box:8000/v1", nemotron_timeout_seconds=seconds)
    longest = max(seconds, settings.nemotron_patience_seconds) + seconds
    assert language_tools(settings, "app", database).lease_seconds >= longest + 60


@pytest.mark.parametrize("changed", [{"nemotron_url_model": "super"}, {"nemotron_max_model_len": 16_384}])
def test_another_model_is_told_from_the_one_before_without_its_address(tmp_path: Path, changed: dict[str, Any]) -> None:
    before = asked_by(_settings(tmp_path, nemotron_url="http://gpu-box:8000/v1"))
    assert "gpu-box" not in before
    assert asked_by(_settings(tmp_path, nemotron_url="http://gpu-box:8000/v1", nemotron_timeout_seconds=9)) == before
    assert asked_by(_settings(tmp_path, nemotron_url="http://gpu-box:8000/v1", **changed)) != before
