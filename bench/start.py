"""Seconds from `hsi up` (what `make run` comes to once everything is installed) to readiness."""

import os
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from bench.effort import Effort
from bench.figures import Report, Table, median
from bench.running import RunningSystem, StartTimes, work_folder


def start(effort: Effort, tell: Callable[[str], None]) -> Report:
    with work_folder() as work:
        system = RunningSystem(work, effort.models[0].weights)
        if effort.cold_start:
            tell("first start: empty DATA_DIR, the program's files not in memory")
            forget_files(Path(sysconfig.get_path("purelib")))
        else:
            tell("first start: empty DATA_DIR")
        first, first_stop = system.start(), system.stop()
        again: list[StartTimes] = []
        stops = [first_stop]
        for number in range(effort.starts):
            tell(f"start {number + 1} of {effort.starts} on the same DATA_DIR")
            again.append(system.start())
            stops.append(system.stop())
    words = "first start, empty DATA_DIR" + (", nothing in the page cache" if effort.cold_start else "")
    rows = [(words, f"{first.answered:.1f}", f"{first.ready:.1f}")]
    if again:
        ready = [one.ready for one in again]
        answered = [one.answered for one in again]
        rows.append((f"started again, median of {len(again)}", f"{median(answered):.1f}", f"{median(ready):.1f}"))
        rows.append(("started again, slowest", f"{max(answered):.1f}", f"{max(ready):.1f}"))
    last = again[-1] if again else first
    return Report(
        [
            Table(
                "Start: seconds from `hsi up` to readiness",
                ("", "first 200 of the probe", "ready, model loaded"),
                rows,
                (f"stopping took {median(stops):.1f} s (median); {system.left_over} processes outlived it",),
            ),
            Table("Start: what the last one said", ("", "at, seconds"), [(s, f"{t:.1f}") for t, s in last.steps]),
        ],
        {
            "first": {"answered_s": first.answered, "ready_s": first.ready, "cold": effort.cold_start},
            "again": [{"answered_s": one.answered, "ready_s": one.ready} for one in again],
            "stop_s": stops,
            "processes_left_over": system.left_over,
        },
    )


def forget_files(folder: Path) -> None:
    """Asks the kernel to drop these files' contents from memory, as they are after the machine was booted.

    What another process has mapped at this moment stays.
    """
    for path in folder.rglob("*"):
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
