"""The API's benchmarks: the rows that they make fit together, the client counts right, each runs to its table."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.filling import Fill, fill
from bench.http_load import Answers, Line, as_fast_as_possible, at_a_steady_rate
from bench.retention import Window, _within
from bench.running import SystemFailed
from storage.postgres import Pool
from storage.whys import Whys
from tests.storage.rows import NOON


@asynccontextmanager
async def answering(*answers: bytes) -> AsyncIterator[int]:
    """The port of a server that gives these answers, and the last one for ever."""
    left, writers = list(answers), list[asyncio.StreamWriter]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"


async def test_one_connection_carries_many_answers() -> None:
    async with answering(GOOD) as port:
        line = await Line(port, "/").open()
        assert [await line.ask() for _ in range(3)] == [3, 3, 3]
        line.close()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]
)
async def test_an_answer_that_is_no_answer_ends_the_measurement(answer: bytes) -> None:
    async with answering(answer) as port:
        line = await Line(port, "/api/events").open()
        with pytest.raises(SystemFailed, match="/api/events"):
            await line.ask()
        line.close()


async def test_every_connection_asks_until_the_time_is_over() -> None:
    async with answering(GOOD) as port:
        found = await as_fast_as_possible(port, "/", 4, 0.2)
        enough = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, enough.set)
        steady = await at_a_steady_rate(port, "/", 0.02, enough)
    assert len(found.seconds) >= 4
    assert found.over >= 0.2
    assert found.rate == pytest.approx(len(found.seconds) / found.over)
    assert [round(after - before, 6) for (before, _), (after, _) in pairwise(steady)] == [0.02] * (len(steady) - 1)


def test_an_answer_counts_where_it_was_asked_for_and_not_at_the_edges() -> None:
    windows = [Window(0, 4, True), Window(4, 8, False), Window(8, 12, True)]
    found = [(2.0, 0.1), (3.95, 0.2), (4.05, 0.3), (6.0, 0.4), (10.0, 0.5)]
    assert _within(found, windows, deleting=True).seconds == [0.1, 0.5]
    assert _within(found, windows, deleting=False).seconds == [0.4]


def test_answers_of_two_slices_count_together() -> None:
    both = Answers([0.001], 1.0)
    both.add(Answers([0.003], 1.0))
    assert (both.rate, both.ms(50)) == (1.0, 2.0)


async def test_the_rows_that_are_made_fit_together(database: Pool, database_url: str, tmp_path: Path) -> None:
    part = Fill("old", 20, 200, NOON - timedelta(days=60), 60)
    await asyncio.to_thread(fill, database_url, tmp_path, part, Fill("new", 5, 50, NOON, 60))
    assert await database.fetchval("SELECT count(*) FROM events") == 25
    assert (
        await database.fetchval(
            """
        SELECT count(*) FROM detections d JOIN media m ON m.id = d.media_id JOIN batches b ON b.id = d.batch_id
        JOIN events e ON e.batch_id = b.id
        WHERE m.camera_id = d.camera_id AND b.camera_id = d.camera_id AND e.camera_id = d.camera_id
          AND m.captured_at = d.detected_at AND e.started_at = d.detected_at
        """
        )
        == 250
    )
    assert await database.fetchval("SELECT count(*) FROM media") == 50
    assert [factor.name for factor in (await Whys(database).get(1)).why.factors] == ["class"]
    assert (tmp_path / "camera_3").is_dir()


@pytest.mark.parametrize(
    ("name", "count", "words"),
    [("lists", 2000, "p95 ratio"), ("retention", 20_000, "The API while expired rows are deleted")],
)
def test_a_quick_run_ends_with_a_table_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, count: int, words: str
) -> None:
    figures = tmp_path / "figures.json"
    assert (
        main([name, "--quick", "--rows", str(count), "--json", str(figures), "--cache", str(tmp_path / "cache")]) == 0
    )
    assert words in capsys.readouterr().out
    found = json.loads(figures.read_text())[name]
    if name == "retention":
        assert found["clean_up"]["detections_deleted"] == count
    else:
        assert found["lists"]["/api/events?limit=50"]["many"]["answers"] > 0
