"""What our own PostgreSQL and our own Redis have in common: one server a DATA_DIR, started, watched and stopped by us.

stopped ──start──▶ running ──dies──▶ dead ──restart_if_dead──▶ running      stop: from anywhere to stopped
"""

import errno
import logging
import os
import random
import signal
import socket
import threading
from abc import ABC, abstractmethod
from pathlib import Path

from storage.child_process import ChildProcess, StopSteps, end_leftovers, trim_log, wait_until
from storage.embedded_home import OUTSIDE, StoreHome, disk_full, open_home, require_space, setup_errors
from storage.errors import StoreError, StoreSetupFailed, StoreUnavailable

_log = logging.getLogger(__name__)
_PORTS = range(20_000, 32_000)  # below the ports that outgoing connections take, which would steal a remembered one
_TRIES = 5


class EmbeddedStore(ABC):
    """Blocking, and safe to call from any thread: from a coroutine call it by `asyncio.to_thread`."""

    name: str
    """The folder below DATA_DIR, and the log's name."""
    title: str
    executable: str
    stop_steps: StopSteps
    """The first signal is also the one that the server gets when we die."""
    start_seconds: float
    space_mb: int

    def __init__(self, data_dir: Path, outside: Path = OUTSIDE) -> None:
        """`outside`: where the files go when the user that the server runs as cannot enter `data_dir`."""
        self._data_dir = Path(data_dir).expanduser().resolve()
        self._outside = outside
        self._mutex = threading.RLock()
        self._child: ChildProcess | None = None
        self._lock: int | None = None
        self._port = 0

    @abstractmethod
    def _prepare(self, home: StoreHome) -> None:
        """Make or check what is on disk."""

    @abstractmethod
    def _command(self, home: StoreHome, port: int) -> list[str]: ...

    @abstractmethod
    def _is_ready(self, home: StoreHome, child: ChildProcess, port: int) -> bool:
        """Whether clients are served by now."""

    @abstractmethod
    def _address(self, home: StoreHome, port: int) -> str: ...

    def _mended(self, home: StoreHome, said: str) -> bool:
        """Whether the reason for dying at start has been removed, so that another try makes sense."""
        return False

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        child = self._child
        return child.pid if child is not None and child.is_running() else None

    @property
    def log(self) -> Path:
        return self._data_dir / "log" / f"{self.name}.log"

    def is_running(self) -> bool:
        return self.pid is not None

    def start(self) -> str:
        """Start the server, making it on first use, and return its address (with the password) once it serves."""
        with self._mutex, setup_errors(self._data_dir):
            home = open_home(self._data_dir, self.name, self._outside)
            if self.is_running():
                return self._address(home, self._port)
            if self._lock is None:
                self._lock = home.lock()
            try:
                require_space(home.directory, self.space_mb)
                self._end_leftovers(home)
                self._prepare(home)
                self._launch(home, home.port, may_move=True)
            except BaseException:
                self._release()
                raise
            home.remember_port(self._port)
            return self._address(home, self._port)

    def restart_if_dead(self) -> bool:
        """Call every few seconds: starts a server that died, on the same address, and keeps the log short.

        True when it was started. `StoreUnavailable` when it could not be: call again.
        """
        with self._mutex, setup_errors(self._data_dir):
            trim_log(self.log)
            if self._child is None or self._child.is_running():
                return False
            _log.warning("%s died and is started again; it had said: %s", self.title, self._child.said()[-500:])
            home = open_home(self._data_dir, self.name, self._outside)
            try:
                self._end_leftovers(home)
                self._launch(home, self._port, may_move=False)
            except StoreSetupFailed as error:
                raise StoreUnavailable(str(error)) from error
            return True

    def stop(self) -> None:
        """End the server in good order, and by force if it does not end."""
        with self._mutex:
            if self._child is not None:
                self._child.stop(self.stop_steps)
            self._release()

    def _launch(self, home: StoreHome, port: int | None, *, may_move: bool) -> None:
        said = ""
        for _ in range(_TRIES):
            if port is None or not port_is_free(port):
                if not may_move:
                    raise StoreUnavailable(f"{self.title}: port {port} was taken by another program meanwhile")
                port = choose_port()
            self._child = child = ChildProcess(self._command(home, port), home.account, self.stop_steps[0][0], self.log)
            if self._became_ready(home, child, port):
                self._port = port
                return
            said = child.said()
            if port_is_free(port) and not self._mended(home, said):
                break
        if "No space left on device" in said:
            raise disk_full(home.directory)
        raise StoreSetupFailed(f"{self.title} ends as soon as it is started; see {self.log}: {said[-600:]}")

    def _became_ready(self, home: StoreHome, child: ChildProcess, port: int) -> bool:
        """False when it died; a server that is alive but serves nobody in time is ended, and an error."""
        wait_until(lambda: not child.is_running() or self._is_ready(home, child, port), self.start_seconds)
        if child.is_running() and not self._is_ready(home, child, port):
            child.stop(self.stop_steps)
            raise StoreSetupFailed(
                f"{self.title} did not begin to serve within {self.start_seconds:.0f} s; see {self.log}: "
                f"{child.said()[-600:]}"
            )
        return child.is_running()

    def _end_leftovers(self, home: StoreHome) -> None:
        """Only called while the folder's lock is ours, so what runs there belongs to a system that was killed."""
        steps = (*self.stop_steps, (signal.SIGKILL, 5.0))
        if count := end_leftovers(home.data, self.executable, steps):
            _log.warning("%s: ended %d process(es) that an earlier run had left behind", self.title, count)

    def _release(self) -> None:
        self._child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: old connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def choose_port() -> int:
    for port in random.sample(_PORTS, 200):
        if port_is_free(port):
            return port
    raise StoreError("no free port between 20000 and 32000 on 127.0.0.1")
