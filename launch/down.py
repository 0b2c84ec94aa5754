"""Ends a system from outside: asks it to stop, waits, and ends by force whatever of it is left."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from storage.system_lock import read_system

GRACE_SECONDS = 60.0


def bring_down(data_dir: Path, tell: Callable[[str], None]) -> bool:
    """Whether there was anything to end."""
    running = read_system(data_dir)
    left = list(processes_of(data_dir))
    if running is None and not left:
        return False
    if running is not None:
        tell(f"stopping the system of {data_dir} (process {running.pid})")
        keeper = psutil.Process(running.pid)
        _end([keeper], signal.SIGTERM)
        _wait_for([keeper], GRACE_SECONDS)
    end_leftovers(data_dir, tell)
    tell("stopped")
    return True


def end_leftovers(data_dir: Path, tell: Callable[[str], None]) -> None:
    """Ends what a system left behind: one that was killed, or a proxy that outlives its manager."""
    left = list(processes_of(data_dir))
    if not left:
        return
    tell(f"ending {len(left)} processes that were left over")
    for number in (signal.SIGTERM, signal.SIGKILL):
        _end(left, number)
        _wait_for(left, 5)
        left = list(processes_of(data_dir))


def processes_of(data_dir: Path) -> Iterator[psutil.Process]:
    """The processes that carry this system's DATA_DIR and Ray token in their environment, this one excepted."""
    token = str(data_dir / "run" / "ray_token")
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if environment.get("RAY_AUTH_TOKEN_PATH") == token:
            yield process


def _end(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.Error:
            continue


def _wait_for(processes: list[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.1))
        except psutil.Error:
            continue
