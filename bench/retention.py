"""A million expired detections are deleted while a client asks the API: how fast, and what the client notices."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bench.effort import Effort
from bench.figures import Report, Table
from bench.filling import Fill, fill
from bench.http_load import Answers, at_a_steady_rate
from bench.running import SystemFailed, work_folder
from bench.served import environment, stores, under_uvicorn
from domain.clock import SystemClock

PATHS = ("/api/events?limit=50", "/api/system/health/live")
_EVERY_SECONDS = 0.1
_WINDOW_SECONDS = 4.0
_EDGE_SECONDS = 0.1
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
            return asyncio.run(_measure(tell, environment(work, database_url, redis_url), port))


async def _measure(tell: Callable[[str], None], settings: dict[str, str], port: int) -> Report:
    cleaner = await _cleaner(settings)
    done = asyncio.Event()
    asking = [asyncio.create_task(at_a_steady_rate(port, path, _EVERY_SECONDS, done)) for path in PATHS]
    await asyncio.sleep(_WINDOW_SECONDS)  # the first answers of a process are not like the others
    tell(f"the clean-up runs for {_WINDOW_SECONDS:.0f} s, stands still as long, and so on to its end")
    before = os.getloadavg()[0]
    cleaning = asyncio.create_task(_clean_up(cleaner))
    try:
        windows = await _on_and_off(cleaner, cleaning)
        report = await cleaning
    finally:
        done.set()
        answers = dict(zip(PATHS, await asyncio.gather(*asking), strict=True))
    idle = {path: _within(found, windows, deleting=False) for path, found in answers.items()}
    busy = {path: _within(found, windows, deleting=True) for path, found in answers.items()}
    seconds = sum(window.end - window.begin for window in windows if window.deleting)
    return _report(report, seconds, idle, busy, [before, os.getloadavg()[0]])


@dataclass(frozen=True)
class Window:
    begin: float
    end: float
    deleting: bool


async def _on_and_off(cleaner: Process, cleaning: asyncio.Task[Any]) -> list[Window]:
    """Both kinds of windows lie side by side, so that whatever else the machine does meets both alike."""
    clock, windows, deleting = SystemClock(), list[Window](), True
    while not cleaning.done():
        begin = clock.monotonic()
        if deleting:
            await asyncio.wait({cleaning}, timeout=_WINDOW_SECONDS)
        else:
            cleaner.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(_WINDOW_SECONDS)
            finally:
                cleaner.send_signal(signal.SIGCONT)
        windows.append(Window(begin, clock.monotonic(), deleting))
        deleting = not deleting
    begin = clock.monotonic()
    await asyncio.sleep(_WINDOW_SECONDS)
    return [*windows, Window(begin, clock.monotonic(), False)]


def _within(found: Sequence[tuple[float, float]], windows: Sequence[Window], *, deleting: bool) -> Answers:
    """The answers asked for in these windows; the edges, where one kind reaches into the other, are left out."""
    wanted = [window for window in windows if window.deleting is deleting]
    seconds = [
        took
        for moment, took in found
        if any(window.begin + _EDGE_SECONDS <= moment <= window.end - _EDGE_SECONDS for window in wanted)
    ]
    if not seconds:
        raise SystemFailed("the clean-up was over before anything could be measured: give it more rows")
    return Answers(seconds, sum(max(window.end - window.begin - 2 * _EDGE_SECONDS, 0) for window in wanted))


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


async def _clean_up(process: Process) -> dict[str, Any]:
    """What the process says; the files that the rows name do not exist, so their rows go too."""
    said, _ = await process.communicate(b"go\n")
    if process.returncode != 0:
        raise SystemFailed(f"the clean-up ended with {process.returncode}")
    report: dict[str, Any] = json.loads(said)
    return report


def _report(
    report: dict[str, Any], seconds: float, idle: dict[str, Answers], busy: dict[str, Answers], loads: list[float]
) -> Report:
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
    notes = (
        f"deleted in {seconds:.0f} s: {report['events_deleted']} events, {report['detections_deleted']} detections "
        f"({report['detections_deleted'] / seconds:.0f} a second), {report['media_deleted']} files' rows",
        f"each address asked every {_EVERY_SECONDS * 1000:.0f} ms, counted from when it was to be asked; "
        f"idle: every other {_WINDOW_SECONDS:.0f} s the clean-up stood still",
        "load average before and after: " + ", ".join(f"{load:.2f}" for load in loads),
    )
    columns = ("", "p50 idle", "p50 while deleting", "p99 idle", "p99 while deleting", "p99 ratio")
    figures = {
        "clean_up": report | {"seconds": seconds},
        "load_average": loads,
        "idle": {path: answers.figures() for path, answers in idle.items()},
        "deleting": {path: answers.figures() for path, answers in busy.items()},
    }
    return Report([Table("The API while expired rows are deleted: milliseconds", columns, rows, notes)], figures)
