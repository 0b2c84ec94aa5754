"""Figures of processes as rows: summed, retired, never falling."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from schemas.metric import RETIRED, MetricFamily, MetricKind, MetricSnapshot
from storage.log_writer import LogWriter
from storage.metric_scrape import MetricScrapes
from storage.metric_snapshots import MetricSnapshots
from storage.postgres import Pool
from tests.storage.rows import Rows

NOON = datetime(2025, 12, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def snapshot(process: str, value: float, component: str = "api") -> MetricSnapshot:
    family = MetricFamily(
        name="a_total", kind=MetricKind.COUNTER, help="h", labels=("k",), series=((("x",), (value,)),)
    )
    return MetricSnapshot(process=process, component=component, started_at=NOON, families=(family,))


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[LogWriter]:
    opened = LogWriter(database_url, "tests")
    yield opened
    await opened.close()


async def total(database: Pool) -> float:
    scrape = await MetricScrapes(database).scrape(datetime.now(UTC), HOUR)
    return sum(figures[0] for family in scrape.counted for _, figures in family.series)


async def silence(database: Pool, process: str) -> None:
    await database.execute(
        "UPDATE metric_snapshots SET reported_at = now() - interval '2 hours' WHERE process = $1", process
    )


async def test_a_scrape_sums_what_every_process_last_reported(database: Pool, writer: LogWriter) -> None:
    await writer.report(snapshot("one", 5), known=False)
    await writer.report(snapshot("two", 7), known=False)
    await writer.report(snapshot("one", 6), known=True)
    assert await total(database) == 13


async def test_a_first_report_may_be_sent_twice(database: Pool, writer: LogWriter) -> None:
    for _ in range(2):
        await writer.report(snapshot("one", 5), known=False)
    assert await total(database) == 5


async def test_processes_that_are_gone_become_one_row_and_the_sum_stays(database: Pool, writer: LogWriter) -> None:
    for number in range(5):
        await writer.report(snapshot(f"old {number}", 10), known=False)
        await silence(database, f"old {number}")
    await writer.report(snapshot("live", 1), known=False)
    assert await MetricSnapshots(database).retire() == 5
    assert await total(database) == 51
    assert {row["process"] for row in await database.fetch("SELECT process FROM metric_snapshots")} == {RETIRED, "live"}


async def test_retiring_adds_to_what_was_retired_before(database: Pool, writer: LogWriter) -> None:
    for number in range(3):
        await writer.report(snapshot(f"old {number}", 10), known=False)
        await silence(database, f"old {number}")
        assert await writer.retire_silent() == 1
    assert await total(database) == 30


async def test_a_silent_retired_row_is_not_retired_itself(database: Pool, writer: LogWriter) -> None:
    await writer.report(snapshot("old", 10), known=False)
    await silence(database, "old")
    await writer.retire_silent()
    await silence(database, RETIRED)
    assert await writer.retire_silent() == 0
    assert await total(database) == 10


async def test_a_known_process_learns_that_it_was_retired(database: Pool, writer: LogWriter) -> None:
    await writer.report(snapshot("slept", 10), known=False)
    assert await writer.touch("slept")
    await silence(database, "slept")
    await writer.retire_silent()
    assert not await writer.touch("slept")
    assert not await writer.report(snapshot("slept", 11), known=True)
    assert await total(database) == 10


async def test_figures_that_cannot_be_read_do_not_hide_the_others(database: Pool, writer: LogWriter) -> None:
    await writer.report(snapshot("one", 5), known=False)
    await database.execute(
        "INSERT INTO metric_snapshots VALUES ('odd', 'api', now(), now(), '[{\"of\": \"another version\"}]')"
    )
    assert await total(database) == 5


async def test_processes_are_counted_by_component_while_they_report(database: Pool, writer: LogWriter) -> None:
    for process, component in (("1", "api"), ("2", "api"), ("3", "worker"), ("4", "worker")):
        await writer.report(snapshot(process, 1, component), known=False)
    await silence(database, "4")
    assert (await MetricScrapes(database).scrape(NOON, HOUR)).processes == {"api": 2, "worker": 1}


async def test_gauges_are_those_of_the_rows(database: Pool) -> None:
    rows, now = Rows(database), datetime.now(UTC)
    await rows.camera(status="online")
    await rows.camera("garden", status="error")
    await rows.camera("gone", status="online", deleted_at=now)
    await rows.media(state="queued")
    await rows.media(state="dead")
    await rows.batch(state="open")
    await rows.batch(state="closed")
    active = await rows.event(started_at=now)
    await rows.event(started_at=now, reviewed=True)
    await rows.event(started_at=now - timedelta(days=2))
    alert = await rows.alert(active)
    await rows.delivery(alert)
    await rows.reassessment(active)
    await rows.service("redis", status="stopped")
    await rows.service("postgres", checked_at=now - timedelta(minutes=5))
    scrape = await MetricScrapes(database).scrape(now, HOUR)
    assert scrape.active_events == 1
    assert scrape.queued == {"detection": 1, "analysis": 1, "notification": 1, "reassessment": 1}
    assert scrape.dead == {"detection_queue": 1, "analysis_queue": 0, "notification_queue": 0}
    assert (scrape.open_batches, scrape.cameras, scrape.alerts) == (1, {"online": 1, "error": 1}, {"pending": 1})
    assert scrape.services == {"redis": "stopped"}
    assert scrape.gpus == []


async def test_each_gpus_newest_sample_is_shown_and_an_old_one_is_not(database: Pool) -> None:
    now = datetime.now(UTC)
    for seconds, node, index, used in ((1, "b", 0, 10.0), (2, "a", 0, 75.5), (9, "a", 0, 1.0), (9999, "a", 1, 2.0)):
        await database.execute(
            "INSERT INTO gpu_stats (recorded_at, node, gpu_index, gpu_name, utilization) VALUES ($1, $2, $3, 'x', $4)",
            now - timedelta(seconds=seconds),
            node,
            index,
            used,
        )
    scrape = await MetricScrapes(database).scrape(now, timedelta(minutes=1))
    assert [(gpu.node, gpu.index, gpu.utilization) for gpu in scrape.gpus] == [("a", 0, 75.5), ("b", 0, 10.0)]
