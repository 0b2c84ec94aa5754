"""What a system takes that nobody sends anything: memory and processor, by process."""

from collections import defaultdict
from collections.abc import Callable
from time import sleep

from bench.effort import Effort
from bench.figures import Report, Table
from bench.pipeline import wait_until_quiet
from bench.processes import BENCH, CpuMeter, memory_by_name, system_processes
from bench.running import RunningSystem, work_folder


def idle(effort: Effort, tell: Callable[[str], None]) -> Report:
    with work_folder() as work, RunningSystem(work, effort.models[0].weights) as system:
        tell(f"idle for {effort.idle_seconds:.0f} s")
        wait_until_quiet(system)
        meter = CpuMeter(system.pid, system.data_dir)
        sleep(effort.idle_seconds)
        use = meter.read()
        memory = memory_by_name(system_processes(system.pid, system.data_dir))
    percent: dict[str, float] = defaultdict(float)
    for name, seconds in use.by_name.items():
        if name != BENCH:
            percent[name] += 100 * seconds / use.seconds
    total_memory = sum(one.pss_bytes for one in memory)
    rows = [
        (one.name, str(one.processes), f"{one.pss_bytes / 1e6:.0f}", f"{percent.get(one.name, 0.0):.1f}")
        for one in memory
    ]
    everything = ("all", str(sum(one.processes for one in memory)), f"{total_memory / 1e6:.0f}")
    rows.append((*everything, f"{sum(percent.values()):.1f}"))
    table = Table(
        f"Idle system: memory, and CPU over {use.seconds:.0f} s",
        ("", "processes", "PSS, MB", "% of one core"),
        rows,
        (
            f"{effort.models[0].title} loaded, four camera folders, no pictures, no dashboard",
            "PSS: a page that several processes share counts once, in equal parts",
        ),
    )
    figures = {
        "pss_bytes": total_memory,
        "cpu_percent_of_one_core": sum(percent.values()),
        "seconds": use.seconds,
        "by_name": {
            one.name: {
                "processes": one.processes,
                "pss_bytes": one.pss_bytes,
                "cpu_percent": percent.get(one.name, 0.0),
            }
            for one in memory
        },
    }
    return Report([table], figures)
