"""Ending what a system left behind: its own processes, and no others."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.down import bring_down, processes_of
from tests.eventually import eventually_sync

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@contextmanager
def sleeper(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that carries this DATA_DIR's token path, as every process of its Ray does."""
    environment = {**os.environ, "RAY_AUTH_TOKEN_PATH": str(data_dir / "run" / "ray_token")}
    process = subprocess.Popen(SLEEPER, env=environment)
    try:
        eventually_sync(lambda: process.pid in {found.pid for found in processes_of(data_dir)})
        yield process
    finally:
        process.kill()
        process.wait()


def test_leftovers_are_ended_and_the_neighbours_live(tmp_path: Path) -> None:
    with sleeper(tmp_path / "mine") as mine, sleeper(tmp_path / "neighbour") as neighbour:
        assert bring_down(tmp_path / "mine", lambda _: None)
        assert mine.wait(10) is not None
        assert neighbour.poll() is None


def test_nothing_to_end_is_told_apart(tmp_path: Path) -> None:
    assert not bring_down(tmp_path, lambda _: None)
