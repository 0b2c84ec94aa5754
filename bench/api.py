"""The API through the shipped ingress beside the same app under plain uvicorn, and lists over few and many rows."""

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.effort import Effort
from bench.figures import Report, Table
from bench.filling import Fill, fill
from bench.http_load import Answers, as_fast_as_possible
from bench.running import RunningSystem, SystemFailed, work_folder
from bench.served import UNLIMITED, stores, under_uvicorn
from domain.clock import SystemClock
from storage.migrate import migrate
from storage.postgres import connect_once
from storage.system_lock import read_system

INGRESS_PATHS = ("/api/system/health/live", "/api/events?limit=50", "/api/system/stats")
CONNECTIONS = (1, 16)
LIST_PATHS = (
    "/api/events?limit=50",
    "/api/events?limit=50&camera_id=camera_1",
    "/api/events?limit=50&risk_level=critical",
    "/api/events?limit=50&min_score=90",
    "/api/detections?limit=50",
    "/api/detections?limit=50&camera_id=camera_1",
    "/api/media?limit=50",
    "/api/cameras",
)
FEW = 1000
_DETECTIONS_AN_EVENT = 10
_SLICE_SECONDS = 2.0


@dataclass(frozen=True)
class Side:
    """One of two servers that are measured in turn."""

    name: str
    port: int


def api(effort: Effort, tell: Callable[[str], None]) -> Report:
    ingress, listed = through_the_ingress(effort, tell), lists(effort, tell)
    return Report([*ingress.tables, *listed.tables], {**ingress.figures, **listed.figures})


def through_the_ingress(effort: Effort, tell: Callable[[str], None]) -> Report:
    """One system, one database: HAProxy and two Serve replicas, and one uvicorn beside them."""
    with work_folder() as work, RunningSystem(work, effort.models[0].weights, UNLIMITED) as system:
        record = read_system(system.data_dir)
        if record is None or not (record.api_url and record.database_url and record.redis_url):
            raise SystemFailed("the system's record does not say where it answers")
        _fill(record.database_url, work / "filled", FEW)
        port = urlsplit(record.api_url).port
        assert port is not None, "the API's address names its port"
        with under_uvicorn(work, record.database_url, record.redis_url) as alone:
            sides = (Side("ingress", port), Side("uvicorn", alone))
            loads = [os.getloadavg()[0]]
            found = {
                connections: asyncio.run(_in_turn(effort, tell, sides, INGRESS_PATHS, connections))
                for connections in CONNECTIONS
            }
            loads.append(os.getloadavg()[0])
    return Report(
        [_ingress_table(connections, answers, loads) for connections, answers in found.items()],
        {"ingress": {str(connections): _figures(answers) for connections, answers in found.items()}, "loads": loads},
    )


def lists(effort: Effort, tell: Callable[[str], None]) -> Report:
    """Two databases in one PostgreSQL, an API over each, asked in turn over one connection."""
    many = effort.many_detections
    with work_folder() as work, stores(work) as (few_url, redis_url), ExitStack() as servers:
        many_url = asyncio.run(_another_database(few_url))
        tell(f"{FEW} detections in one database, {many} in another")
        _fill(few_url, work / "cameras", FEW)
        _fill(many_url, work / "cameras", many)
        sides = tuple(
            Side(name, servers.enter_context(under_uvicorn(work, url, redis_url)))
            for name, url in (("few", few_url), ("many", many_url))
        )
        loads = [os.getloadavg()[0]]
        found = asyncio.run(_in_turn(effort, tell, sides, LIST_PATHS, 1))
        loads.append(os.getloadavg()[0])
    return Report([_lists_table(found, many, loads)], {"lists": _figures(found), "loads_of_lists": loads})


def _fill(database_url: str, camera_root: Path, detections: int) -> None:
    """Events of the last 25 days: none of them expires while it is measured."""
    events = detections // _DETECTIONS_AN_EVENT
    first = SystemClock().now() - timedelta(days=25)
    fill(database_url, camera_root, Fill("bench", events, detections, first, 24 * 86_400 / events))


async def _another_database(url: str) -> str:
    connection = await connect_once(url, "bench")
    try:
        await connection.execute("CREATE DATABASE bench_many")
    finally:
        await connection.close()
    another = urlsplit(url)._replace(path="/bench_many").geturl()
    await migrate(another)
    return another


Found = dict[str, dict[str, Answers]]
"""By path, then by side."""


async def _in_turn(
    effort: Effort, tell: Callable[[str], None], sides: Sequence[Side], paths: Sequence[str], connections: int
) -> Found:
    """Each path on one side, then on the other, in slices: what else the machine does meets both alike."""
    found: Found = {path: {side.name: Answers() for side in sides} for path in paths}
    slices = max(1, round(effort.request_seconds / _SLICE_SECONDS))
    seconds = effort.request_seconds / slices
    for path in paths:
        tell(f"{path}, connections: {connections}")
        for side in sides:
            await as_fast_as_possible(side.port, path, connections, min(1.0, seconds))  # warm
        for number in range(slices):
            for side in sides if number % 2 else reversed(sides):
                found[path][side.name].add(await as_fast_as_possible(side.port, path, connections, seconds))
    return found


def _ingress_table(connections: int, found: Found, loads: Sequence[float]) -> Table:
    rows = []
    for path, by_side in found.items():
        ours, plain = by_side["ingress"], by_side["uvicorn"]
        for name, answers in (("ingress", ours), ("uvicorn", plain)):
            rows.append((f"{path}, {name}", f"{answers.rate:.0f}", *(f"{answers.ms(p):.2f}" for p in (50, 95, 99))))
        difference = f"{ours.ms(50) - plain.ms(50):+.2f}"
        rows.append(("  ingress to uvicorn", f"{ours.rate / plain.rate:.2f} ×", difference, "", ""))
    return Table(
        f"Through the ingress and under plain uvicorn, {connections} connection{'s' if connections > 1 else ''}",
        ("", "requests/s", "p50 ms", "p95 ms", "p99 ms"),
        rows,
        ("ingress: HAProxy and two replicas; uvicorn: one process; the client shares their cores", _busy(loads)),
    )


def _lists_table(found: Found, many: int, loads: Sequence[float]) -> Table:
    rows = [
        (
            path,
            f"{by_side['few'].ms(50):.2f}",
            f"{by_side['many'].ms(50):.2f}",
            f"{by_side['few'].ms(95):.2f}",
            f"{by_side['many'].ms(95):.2f}",
            f"{by_side['many'].ms(95) / by_side['few'].ms(95):.2f} ×",
        )
        for path, by_side in found.items()
    ]
    few_words = f"{FEW} detections of {FEW // _DETECTIONS_AN_EVENT} events"
    return Table(
        f"Lists over {few_words} and over {many} of {many // _DETECTIONS_AN_EVENT}: milliseconds",
        ("", "p50 few", "p50 many", "p95 few", "p95 many", "p95 ratio"),
        rows,
        ("one connection, under uvicorn, our own PostgreSQL as it is shipped", _busy(loads)),
    )


def _busy(loads: Sequence[float]) -> str:
    return "load average before and after: " + ", ".join(f"{load:.2f}" for load in loads)


def _figures(found: Found) -> dict[str, Any]:
    return {path: {side: answers.figures() for side, answers in by_side.items()} for path, by_side in found.items()}
