"""The processes of a running system by name: what CPU time and memory each takes."""

import os
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from domain.clock import SystemClock
from launch.down import processes_of
from vision.cores import usable_cores

_RAY_TITLE = re.compile(r"ray::(ServeReplica:[^.\s]+|[\w-]+)")
_SCRIPTS = (
    ("runtime_env/agent/main.py", "ray runtime_env agent"),
    ("dashboard/agent.py", "ray dashboard agent"),
    ("dashboard/dashboard.py", "ray dashboard"),
    ("log_monitor.py", "ray log monitor"),
    ("autoscaler/_private/monitor.py", "ray autoscaler monitor"),
    ("ray_client_server", "ray client server"),
)
BENCH = "the benchmark's own polling"


def system_processes(pid: int, data_dir: Path) -> list[psutil.Process]:
    """`hsi up`, everything below it, and what carries its token (which may have lost its parent)."""
    found = {process.pid: process for process in processes_of(data_dir)}
    try:
        root = psutil.Process(pid)
        found |= {process.pid: process for process in (root, *root.children(recursive=True))}
    except psutil.NoSuchProcess:
        return list(found.values())
    return list(found.values())


def display_name(command: Sequence[str], program: str) -> str:
    """`DetectionWorker`, `replica yolo_detector`, `postgres`: one name for all processes of one kind."""
    line = " ".join(command)
    if title := _RAY_TITLE.match(line):
        name = title[1]
        return f"replica {name.rpartition(':')[2]}" if name.startswith("ServeReplica:") else f"{name}"
    for part, name in _SCRIPTS:
        if part in line:
            return name
    if any(word.endswith("/hsi") for word in command[:2]):
        return "hsi up"
    return program.partition(":")[0]


@dataclass(frozen=True)
class Memory:
    """PSS counts a page that several processes share in equal parts, so that the sum is what the system takes."""

    name: str
    processes: int
    pss_bytes: int


def memory_by_name(processes: Sequence[psutil.Process]) -> list[Memory]:
    """Largest first."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for process in processes:
        try:
            sizes[_name(process)].append(process.memory_full_info().pss)
        except psutil.Error:
            continue
    found = [Memory(name, len(several), sum(several)) for name, several in sizes.items()]
    return sorted(found, key=lambda memory: -memory.pss_bytes)


@dataclass(frozen=True)
class CpuUse:
    """What all cores did in `seconds` of wall time; each figure in seconds of one core."""

    seconds: float
    by_name: dict[str, float]
    others: float
    """Other programs of the machine, and what its host took."""
    idle: float

    @property
    def total(self) -> float:
        return sum(self.by_name.values())


class CpuMeter:
    """Reads the counters now, and again at `read()`; a process that lived only in between is among the others."""

    def __init__(self, pid: int, data_dir: Path) -> None:
        self._where = (pid, data_dir)
        self._clock = SystemClock()
        self._began = self._clock.monotonic()
        self._machine = psutil.cpu_times()
        self._own = time.process_time()
        self._before = {process: _cpu(process) for process in system_processes(pid, data_dir)}

    def read(self) -> CpuUse:
        machine = psutil.cpu_times()
        seconds = self._clock.monotonic() - self._began
        by_name: dict[str, float] = defaultdict(float)
        by_name[BENCH] = time.process_time() - self._own
        for process in system_processes(*self._where):
            used = _cpu(process) - self._before.get(process, 0.0)
            if used > 0:
                by_name[_name(process)] += used
        idle = (machine.idle + machine.iowait) - (self._machine.idle + self._machine.iowait)
        # A container may use fewer cores than it sees counters of: then its idle time cannot be told from theirs.
        idle = min(idle, seconds * usable_cores()) if usable_cores() == (os.cpu_count() or 1) else 0.0
        others = max(0.0, seconds * usable_cores() - idle - sum(by_name.values()))
        return CpuUse(seconds, dict(by_name), others, idle)


def _name(process: psutil.Process) -> str:
    try:
        return display_name(process.cmdline(), process.name())
    except psutil.Error:
        return "ended"


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
