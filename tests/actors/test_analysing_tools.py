"""What the analysis worker is given, by the settings."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from actors.tools.analysing import asked_by, language_tools, slots
from settings import Settings
from storage.postgres import Pool


def _settings(data_dir: Path, **values: Any) -> Settings:
    return Settings(data_dir=data_dir, database_url=SecretStr("postgresql://x"), **values)


def test_without_a_language_model_there_are_no_places_for_its_questions(tmp_path: Path) -> None:
    assert slots(_settings(tmp_path, nemotron_replicas=4)) == 0


def test_there_are_as_many_places_as_all_replicas_take_questions(tmp_path: Path) -> None:
    given = {"nemotron_url": "http://gpu-box:8000/v1", "nemotron_replicas": 2, "nemotron_max_in_flight": 6}
    assert slots(_settings(tmp_path, **given)) == 12


@pytest.mark.parametrize("seconds", [1, 45, 600])
async def test_a_lease_outlives_an_assessment(tmp_path: Path, database: Pool, seconds: float) -> None:
    settings = _settings(tmp_path, nemotron_url="http://gpu-box:8000/v1", nemotron_timeout_seconds=seconds)
    assert language_tools(settings, "app", database).lease_seconds >= seconds + 60


@pytest.mark.parametrize("changed", [{"nemotron_url_model": "super"}, {"nemotron_max_model_len": 16_384}])
def test_another_model_is_told_from_the_one_before_without_its_address(tmp_path: Path, changed: dict[str, Any]) -> None:
    before = asked_by(_settings(tmp_path, nemotron_url="http://gpu-box:8000/v1"))
    assert "gpu-box" not in before
    assert asked_by(_settings(tmp_path, nemotron_url="http://gpu-box:8000/v1", nemotron_timeout_seconds=9)) == before
    assert asked_by(_settings(tmp_path, nemotron_url="http://gpu-box:8000/v1", **changed)) != before
