"""A system's ground: refused before anything is started where it cannot stand."""

import socket
from pathlib import Path

import pytest

from launch.ground import Ground, StartFailed
from settings import SettingsError, load_settings
from storage.errors import AlreadyRunning
from storage.system_lock import acquire, read_system


def ground(data_dir: Path, **environment: str) -> Ground:
    return Ground(load_settings({"DATA_DIR": str(data_dir), **environment}), lambda _: None)


def test_a_second_system_on_one_data_dir_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with acquire(tmp_path):
        second = ground(tmp_path)
        with pytest.raises(AlreadyRunning, match=str(tmp_path)):
            second.prepare()
        second.clear()
        assert read_system(tmp_path) is not None
    assert read_system(tmp_path) is None


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = ground(tmp_path, API_PORT=str(taken.getsockname()[1]))
        with pytest.raises(StartFailed, match="set API_PORT"):
            refused.prepare()
        refused.clear()
    assert read_system(tmp_path) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "cameras.example"])
def test_an_address_beyond_loopback_is_refused_where_keys_are_switched_off(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="unset API_KEY_ENABLED, or set API_HOST"):
        ground(tmp_path, API_HOST=host, API_KEY_ENABLED="false").prepare()
    assert read_system(tmp_path) is None


@pytest.mark.parametrize("host", ["::", "::1"])
def test_an_address_on_which_serve_does_not_come_up_is_refused_at_once(tmp_path: Path, host: str) -> None:
    with pytest.raises(StartFailed, match=r"use 127\.0\.0\.1 or 0\.0\.0\.0"):
        ground(tmp_path, API_HOST=host).prepare()
    assert read_system(tmp_path) is None
