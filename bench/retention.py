"""A million expired detections are deleted while a client asks the API: how fast, and what the client notices."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.effort import Effort
from bench.figures import Report, Table
from bench.filling import Fill, fill
from bench.http_load import Answers, for_a_while, until_set
from bench.running import SystemFailed, work_folder
from bench.served import environment, stores, under_uvicorn
from domain.clock import SystemClock

PATHS = ("/api/events?limit=50", "/api/system/health/live")
_EVERY_SECONDS = 0.1
_KEPT_EVENTS = 2000
_DETECTIONS_AN_EVENT = 10


def retention(effort: Effort, tell: Callable[[str], None]) -> Report:
    with work_folder() as work, stores(work) as (database_url, redis_url):
        events = effort.many_detections // _DETECTIONS_AN_EVENT
        tell(f"{effort.many_detections} expired detections of {events} events, and {_KEPT_EVENTS} events that stay")
        now = SystemClock().now()
        fill(
            database_url,
            work / "cameras",
            Fill("old", events, effort.many_detections, now - timedelta(days=60), 20 * 86_400 / events),
            Fill("new", _KEPT_EVENTS, _KEPT_EVENTS * _DETECTIONS_AN_EVENT, now - timedelta(days=10), 300),
        )
        with under_uvicorn(work, database_url, redis_url) as port:
            return asyncio.run(_measure(effort, tell, work, database_url, redis_url, port))


async def _measure(
    effort: Effort, tell: Callable[[str], None], work: Path, database_url: str, redis_url: str, port: int
) -> Report:
    await for_a_while(port, PATHS, _EVERY_SECONDS, 2)  # the first answers of a process are not like the others
    tell(f"nothing is deleted for {effort.request_seconds:.0f} s")
    loads = [os.getloadavg()[0]]
    idle = await for_a_while(port, PATHS, _EVERY_SECONDS, effort.request_seconds)
    tell("the clean-up runs")
    cleaner = await _cleaner(environment(work, database_url, redis_url))
    done = asyncio.Event()
    cleaning = asyncio.create_task(_clean_up(cleaner, done))
    busy = await until_set(port, PATHS, _EVERY_SECONDS, done)
    report = await cleaning
    loads.append(os.getloadavg()[0])
    tell(f"nothing is deleted for {effort.request_seconds:.0f} s again")
    for path, answers in (await for_a_while(port, PATHS, _EVERY_SECONDS, effort.request_seconds)).items():
        idle[path].add(answers)
    loads.append(os.getloadavg()[0])
    return _report(report, idle, busy, loads)


async def _cleaner(settings: dict[str, str]) -> Process:
    """A process that has loaded everything and waits: the actor of a running system need not start either."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.cleaning", env=settings, stdin=pipe, stdout=pipe
    )
    assert process.stdout is not None, "its output is a pipe"
    if not await process.stdout.readline():
        raise SystemFailed("the clean-up did not come up")
    return process


async def _clean_up(process: Process, done: asyncio.Event) -> dict[str, Any]:
    """What the process says; the files that the rows name do not exist, so their rows go too."""
    try:
        said, _ = await process.communicate(b"go\n")
    finally:
        done.set()
    if process.returncode != 0:
        raise SystemFailed(f"the clean-up ended with {process.returncode}")
    report: dict[str, Any] = json.loads(said)
    return report


def _report(report: dict[str, Any], idle: dict[str, Answers], busy: dict[str, Answers], loads: list[float]) -> Report:
    rows = [
        (
            path,
            f"{idle[path].ms(50):.1f}",
            f"{busy[path].ms(50):.1f}",
            f"{idle[path].ms(99):.1f}",
            f"{busy[path].ms(99):.1f}",
            f"{busy[path].ms(99) / idle[path].ms(99):.2f} ×",
        )
        for path in PATHS
    ]
    seconds = report["seconds"]
    notes = (
        f"deleted in {seconds:.0f} s: {report['events_deleted']} events, {report['detections_deleted']} detections "
        f"({report['detections_deleted'] / seconds:.0f} a second), {report['media_deleted']} files' rows",
        f"each address asked every {_EVERY_SECONDS * 1000:.0f} ms, counted from when it was to be asked; "
        "before and after the clean-up: idle",
        "load average before, after the clean-up, at the end: " + ", ".join(f"{load:.2f}" for load in loads),
    )
    columns = ("", "p50 idle", "p50 while deleting", "p99 idle", "p99 while deleting", "p99 ratio")
    figures = {
        "clean_up": report,
        "load_average": loads,
        "idle": {path: answers.figures() for path, answers in idle.items()},
        "deleting": {path: answers.figures() for path, answers in busy.items()},
    }
    return Report([Table("The API while expired rows are deleted: milliseconds", columns, rows, notes)], figures)
