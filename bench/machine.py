"""What the figures were measured on."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from vision.cores import usable_cores

_PACKAGES = ("ray", "onnxruntime", "numpy", "opencv-python-headless", "simplejpeg", "asyncpg")
QUIET_LOAD_A_CORE = 0.25


def describe_machine(work: Path) -> dict[str, Any]:
    """Processor, memory, disk and versions, and how busy the machine is with other things at this moment."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cpu": _processor(),
        "cores": usable_cores(),
        "ram_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "work_folder": f"{work} on {_file_system(work)}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "load_average": round(os.getloadavg()[0], 2),
    }


def machine_text(machine: dict[str, Any]) -> str:
    """One line a fact; a warning where the machine is busy."""
    lines = [f"{name.replace('_', ' '):24} {value}" for name, value in machine.items()]
    if machine["load_average"] > QUIET_LOAD_A_CORE * machine["cores"]:
        lines.append("THE MACHINE IS BUSY: these figures say little; run it again when nothing else runs")
    return "\n".join(lines)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or platform.machine()
    return platform.processor() or platform.machine()


def _file_system(path: Path) -> str:
    mounted = [part for part in psutil.disk_partitions(all=True) if path.is_relative_to(part.mountpoint)]
    return max(mounted, key=lambda part: len(part.mountpoint)).fstype if mounted else "an unknown file system"
