"""A server program that runs as our child, dies with us, and can be found again if it did not."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import psutil

from domain.clock import SystemClock
from storage.embedded_account import Account

# A child's death signal is bound to the thread that made it, not to the process: so one thread of ours makes all
# children and lives as long as the process, whichever thread calls.
_parent_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-parent")
_clock = SystemClock()
_LAUNCHER = Path(__file__).with_name("launch_child.py")
_LOG_LIMIT = 5_000_000
# Nothing of our environment: it may hold passwords, and PGPORT and its like would change what the servers do.
CHILD_ENVIRONMENT = {"PATH": os.defpath, "HOME": "/", "LC_ALL": "C", "TZ": "UTC"}

StopSteps = Sequence[tuple[signal.Signals, float]]


class ChildProcess:
    """One running program, in a session of its own so that Ctrl-C in the terminal does not reach it."""

    def __init__(self, argv: Sequence[str], account: Account | None, death_signal: signal.Signals, log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        trim_log(log)
        self.log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        uid, gid = (account.uid, account.gid) if account is not None else (-1, -1)
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(int(death_signal))]
        command = [*launcher, str(uid), str(gid), *argv]
        self._process = _parent_thread.submit(_spawn, command, log).result()

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def stop(self, steps: StopSteps) -> None:
        """Send each signal and wait its seconds, until the child is gone."""
        for number, seconds in steps:
            if not self.is_running():
                return
            self._process.send_signal(number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue

    def said(self) -> str:
        """What it has written to its log since it was started, at most the last 2,000 characters."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(self._log_start, self.log.stat().st_size - 2000))
                return file.read().decode(errors="replace").strip()
        except OSError:
            return ""


def _spawn(command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    # Appending, so that several writers and a cut by trim_log never leave a hole.
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640), "wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=CHILD_ENVIRONMENT,
            start_new_session=True,
        )


def trim_log(log: Path) -> None:
    """Move a log that has grown past its limit aside, keeping one old one; whoever writes to it writes on."""
    try:
        if log.stat().st_size <= _LOG_LIMIT:
            return
        with log.open("rb") as file:
            file.seek(-_LOG_LIMIT, os.SEEK_END)
            log.with_name(log.name + ".1").write_bytes(file.read())
        os.truncate(log, 0)
    except OSError:
        return  # a log that cannot be cut is no reason to stop


def end_leftovers(directory: Path, executable: str, steps: StopSteps) -> int:
    """End the servers that an earlier system left running in `directory`; the number found.

    A server is known by its program and its working directory, never by a remembered process id: that may belong
    to someone else by now.
    """
    found = _running_in(directory, executable)
    for number, seconds in steps:
        alive = [process for process in found if _is_alive(process)]
        ids = {process.pid for process in alive}
        for process in alive:
            _signal_unless_child(process, ids, number)
        wait_until(lambda: not any(map(_is_alive, found)), seconds)
    return len(found)


def _is_alive(process: psutil.Process) -> bool:
    """A zombie does nothing any more, and where nobody collects orphans it stays for ever."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _running_in(directory: Path, executable: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            # A program that was upgraded under a running server reads "… (deleted)".
            name = os.path.basename(process.exe()).removesuffix(" (deleted)")
            if name == executable and Path(process.cwd()) == directory:
                found.append(process)
        except (psutil.Error, OSError):
            continue  # gone, or another user's
    return found


def _signal_unless_child(process: psutil.Process, others: set[int], number: signal.Signals) -> None:
    """The head of a server ends its own children in good order; only the last resort goes to each of them."""
    try:
        if number == signal.SIGKILL or process.ppid() not in others:
            process.send_signal(number)
    except psutil.NoSuchProcess:
        return


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.02) -> bool:
    """Look again and again until `condition()` holds or the time is over."""
    end = _clock.monotonic() + seconds
    while not condition():
        if _clock.monotonic() >= end:
            return False
        sleep(every)
    return True
