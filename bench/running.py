"""`hsi up` in a process of its own, with its own DATA_DIR and port: started, watched and stopped from outside."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Self

import httpx

from bench.pictures import CAMERAS
from domain.clock import SystemClock
from launch.down import end_leftovers, processes_of
from settings import Settings
from storage.system_lock import SystemState, read_system

_READY_SECONDS = 300.0
_STOP_SECONDS = 90.0
_LOOK_EVERY_SECONDS = 0.05
_STEP = re.compile(r"^\[\s*([\d.]+) s\] (.*)$")
_DISTORTS = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONPATH")


class SystemFailed(Exception):
    """The system under measurement did not start, or died; the message ends with what it said last."""


@dataclass(frozen=True)
class StartTimes:
    """Seconds from the start of `hsi up` to the first 200 of the readiness probe, and to `ready` in its answer."""

    answered: float
    ready: float
    steps: tuple[tuple[float, str], ...]
    """What `hsi up` said it was doing, and when, by its own clock (which starts after Python's)."""


@contextmanager
def work_folder() -> Iterator[Path]:
    """An empty folder that goes at the end; others may enter it, since our own PostgreSQL does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="hsi-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class RunningSystem:
    """A context manager that leaves no process behind."""

    def __init__(self, work: Path, weights: Path, settings: Mapping[str, str] | None = None) -> None:
        """`work` may hold the DATA_DIR of an earlier system, which is then started again."""
        self._settings = dict(settings or {})
        self.data_dir = work / "data"
        self.cameras = self.data_dir / "cameras"
        self._log = work / "hsi.log"
        self._weights = weights
        self._process: subprocess.Popen[bytes] | None = None
        self._clock = SystemClock()
        self.left_over = 0
        """How many processes outlived the stops so far."""

    @property
    def pid(self) -> int:
        assert self._process is not None, "the system has not been started"
        return self._process.pid

    @property
    def database_url(self) -> str:
        record = read_system(self.data_dir)
        if record is None or record.database_url is None:
            raise SystemFailed("the system's record tells no database: " + self._said())
        return record.database_url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> StartTimes:
        """Returns when the system is ready, its model loaded. Raises SystemFailed."""
        for camera in CAMERAS:
            (self.cameras / camera).mkdir(parents=True, exist_ok=True)
        port = free_port()
        began = self._clock.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(Path(sys.executable).with_name("hsi")), "up"],
                env=_environment(self.data_dir, port, self._weights) | self._settings,
                cwd=self.data_dir.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C here must reach it through stop() only
            )
        try:
            answered, ready = self._wait_until_ready(port, began)
            self._wait_for_its_record(began)
        except BaseException:
            self.stop()
            raise
        return StartTimes(answered, ready, self._steps())

    def stop(self) -> float:
        """Asks it to end, as `hsi down` does; the seconds that took. Whatever it left behind is counted and ended."""
        began = self._clock.monotonic()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        seconds = self._clock.monotonic() - began
        self.left_over += len(list(processes_of(self.data_dir)))
        end_leftovers(self.data_dir, lambda words: print(f"… {words}", file=sys.stderr))
        return seconds

    def _wait_until_ready(self, port: int, began: float) -> tuple[float, float]:
        answered: float | None = None
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as api:
            while True:
                status = _readiness(api)
                if status is not None:
                    answered = self._clock.monotonic() - began if answered is None else answered
                    if status == "ready":
                        return answered, self._clock.monotonic() - began
                self._wait_a_little(began)

    def _wait_for_its_record(self, began: float) -> None:
        """The API may answer before `hsi up` has heard of it and written down where the stores are."""
        while (record := read_system(self.data_dir)) is None or record.state is not SystemState.RUNNING:
            self._wait_a_little(began)

    def _wait_a_little(self, began: float) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise SystemFailed("the system ended while it was started: " + self._said())
        if self._clock.monotonic() - began > _READY_SECONDS:
            raise SystemFailed(f"the system was not ready after {_READY_SECONDS:.0f} s: " + self._said())
        sleep(_LOOK_EVERY_SECONDS)

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else "it said nothing"

    def _steps(self) -> tuple[tuple[float, str], ...]:
        said = (_STEP.match(line) for line in self._said().splitlines())
        return tuple((float(step[1]), step[2]) for step in said if step)


def _readiness(api: httpx.Client) -> str | None:
    """What a 200 says; None for any other answer, and for none."""
    try:
        answer = api.get("/api/system/health/ready")
        return str(answer.json()["status"]) if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return None


def _environment(data_dir: Path, port: int, weights: Path) -> dict[str, str]:
    """Ours without any setting of the operator's: what is measured is the default, on a processor, with own stores."""
    settings = {name.upper() for name in Settings.model_fields}
    ours = {
        name: value
        for name, value in os.environ.items()
        if name.removesuffix("_FILE") not in settings and name not in _DISTORTS and not name.startswith("RAY_")
    }
    return ours | {
        "DATA_DIR": str(data_dir),
        "API_PORT": str(port),
        "RAY_DASHBOARD": "false",
        "DETECTOR_WEIGHTS": str(weights),
        "DETECTOR_DEVICE": "cpu",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
