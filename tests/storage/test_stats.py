"""Counts are those of the rows."""

from datetime import timedelta

from storage.postgres import Pool
from storage.stats import REPORT_IS_OLD, QueueDepths, RowCounts, Stats, Totals
from tests.storage.rows import NOON, Rows


async def test_an_empty_system_has_nothing(database: Pool) -> None:
    stats = Stats(database)
    assert await stats.totals() == Totals(0, 0, 0)
    assert await stats.row_counts() == RowCounts(0, 0, 0, 0)
    assert await stats.queues() == QueueDepths(0, 0, 0, 0)


async def test_totals_count_rows_and_leave_out_deleted_cameras(database: Pool) -> None:
    rows, stats = Rows(database), Stats(database)
    await rows.camera()
    await rows.camera("old", deleted_at=NOON)
    batch = await rows.batch()
    for _ in range(3):
        await rows.detection(batch, await rows.media())
    await rows.event(batch_id=batch)
    await database.execute(
        "INSERT INTO logs (timestamp, level, component, message, extra, source)"
        " VALUES (now(), 'INFO', 'api', 'up', '{}', 'backend')"
    )
    assert await stats.totals() == Totals(cameras=1, events=1, detections=3)
    assert await stats.row_counts() == RowCounts(events=1, detections=3, gpu_stats=0, logs=1)


async def test_queues_hold_what_waits_or_is_in_work(database: Pool) -> None:
    rows = Rows(database)
    await rows.camera()
    for state in ("queued", "detecting", "detected", "dead", "duplicate"):
        await rows.media(state=state)
    for state in ("closed", "assessing", "assessed", "dead"):
        await rows.batch(state=state)
    alert = await rows.alert(await rows.event())
    for number, status in enumerate(("queued", "sending", "delivered", "suppressed", "dead")):
        await rows.delivery(alert, recipient=f"{number}@example.com", status=status)
    for state in ("waiting", "assessing", "done", "dead"):
        await rows.reassessment(await rows.event(), state=state)
    assert await Stats(database).queues() == QueueDepths(detection=2, analysis=2, notification=2, reassessment=2)


async def test_a_start_counts_while_it_is_confirmed(database: Pool) -> None:
    stats = Stats(database)
    assert await stats.started_at(NOON) is None
    await stats.report_start(NOON - timedelta(hours=5), NOON)
    assert await stats.started_at(NOON + timedelta(seconds=5)) == NOON - timedelta(hours=5)
    assert await stats.started_at(NOON + REPORT_IS_OLD) is None
    await stats.report_start(NOON, NOON + timedelta(hours=1))
    assert await stats.started_at(NOON + timedelta(hours=1)) == NOON
