"""How many cores this process may use: its affinity, and a container's quota where that is less."""

import os
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota_file: Path = _CGROUP_QUOTA) -> int:
    """At least 1; a quota of 1.5 cores counts as 2, since a thread that waits a little beats an idle half core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text().split()[:2]
        cores = min(cores, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        return max(1, cores)  # no cgroup v2, or its quota is "max"
    return max(1, cores)
