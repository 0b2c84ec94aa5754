"""The doctor's findings on this machine, good and bad."""

import socket
from pathlib import Path

import pytest

from launch.doctor import examine
from launch.finding import Finding
from settings import load_settings


def findings(data_dir: Path, **environment: str) -> dict[str, Finding]:
    settings = load_settings({"DATA_DIR": str(data_dir), **environment})
    return {finding.what: finding for finding in examine(settings)}


def test_every_part_is_examined(tmp_path: Path) -> None:
    found = findings(tmp_path, API_PORT="18437")
    assert {
        "python",
        "disk",
        "memory",
        "postgres",
        "redis",
        "port",
        "cameras",
        "gpu",
        "weights",
        "nemotron",
        "alerts",
    } <= set(found)


def test_missing_weights_are_bad_and_come_with_their_mend(tmp_path: Path) -> None:
    weights = findings(tmp_path, DETECTOR_WEIGHTS=str(tmp_path / "none.onnx"))["weights"]
    assert not weights.good
    assert "DETECTOR_WEIGHTS" in str(weights.mend)


def test_a_taken_port_is_bad(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = findings(tmp_path, API_PORT=str(taken.getsockname()[1]))["port"]
    assert not port.good
    assert "API_PORT" in str(port.mend)


def test_a_store_that_does_not_answer_is_bad_without_its_password(tmp_path: Path) -> None:
    dead = {"DATABASE_URL": "postgresql://me:s3cret@127.0.0.1:9/x", "REDIS_URL": "redis://:s3cret@127.0.0.1:9"}
    found = findings(tmp_path, **dead)
    for store, variable in (("postgres", "DATABASE_URL"), ("redis", "REDIS_URL")):
        assert not found[store].good
        assert variable in str(found[store].mend)
        assert "s3cret" not in found[store].message


def test_stores_that_answer_are_named_with_their_version(
    tmp_path: Path, postgres_server: str, redis_server: str
) -> None:
    found = findings(tmp_path, DATABASE_URL=postgres_server, REDIS_URL=redis_server)
    assert found["postgres"].good
    assert found["redis"].good
    assert "version" in found["postgres"].message


def test_no_channel_is_said_out_loud(tmp_path: Path) -> None:
    assert "sent nowhere" in findings(tmp_path)["alerts"].message


@pytest.mark.parametrize(
    ("environment", "good", "said"),
    [
        ({}, True, "none is asked for"),
        ({"API_HOST": "0.0.0.0"}, True, "`hsi key`"),
        ({"API_KEYS": "front:key-0123456789abcdef"}, True, "1 in API_KEYS"),
        ({"API_HOST": "0.0.0.0", "API_KEY_ENABLED": "false"}, False, "API_KEY_ENABLED=false"),
    ],
)
def test_whether_a_key_is_asked_for_is_said(tmp_path: Path, environment: dict[str, str], good: bool, said: str) -> None:
    keys = findings(tmp_path, **environment)["keys"]
    assert (keys.good, said in keys.message, "key-0123" in keys.message) == (good, True, False)
