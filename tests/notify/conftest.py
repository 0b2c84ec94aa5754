"""Fixtures of the channels' tests: an authority for TLS, made once; property tests that do not measure speed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.notify.certificates import Authority

settings.register_profile(
    "unhurried",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return Authority(folder)
