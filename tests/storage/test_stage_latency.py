"""The stages' latencies are those of the rows' own timestamps, whenever and however often they are computed."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from schemas.latency import LatencyFigures, Stage
from storage.latency import LatencySamples
from storage.postgres import Pool
from storage.stage_latency import StageLatencies
from tests.storage.rows import NOON, Rows

HOUR = timedelta(hours=1)


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    await made.camera()
    return made


async def _picture(rows: Rows, **values: Any) -> int:
    given = {"settled_at": _at(0), "received_at": _at(0.01), "started_at": _at(0.05), "found_at": _at(0.25)}
    return await rows.media(**(given | {"detected_at": _at(0.3), "attempts": 1} | values))


async def _batch(rows: Rows, **values: Any) -> UUID:
    given = {"opened_at": _at(0.3), "closed_at": _at(30.3), "analysis_started_at": _at(31.3), "attempts": 1}
    return await rows.batch(**(given | values))


async def _figures(pool: Pool, *stages: Stage) -> dict[str, float | None]:
    """The average of each stage, after a roll-up of the hour around noon."""
    await StageLatencies(pool).roll_up(NOON - HOUR, NOON + HOUR)
    found = await LatencySamples(pool).figures([*Stage], NOON - HOUR)
    return {stage.value: _average(found[stage]) for stage in stages or Stage}


def _average(figures: LatencyFigures | None) -> float | None:
    return figures.avg_ms if figures else None


async def test_without_rows_no_stage_has_a_figure(database: Pool) -> None:
    assert set((await _figures(database)).values()) == {None}


async def test_every_stage_is_the_time_between_its_two_timestamps(database: Pool, rows: Rows) -> None:
    media, batch = await _picture(rows), await _batch(rows)
    await rows.detection(batch, media)
    event = await rows.event(batch_id=batch, created_at=_at(31.35))
    alert = await rows.alert(event)
    await rows.delivery(alert, status="delivered", delivered_at=_at(32.35))
    await rows.delivery(alert, recipient="you@example.com", status="delivered", delivered_at=_at(40))
    assert await _figures(database) == {
        "watch": 10.0,
        "watch_to_detect": 40.0,
        "detect": 200.0,
        "detect_to_batch": 50.0,
        "batch": 30_000.0,
        "batch_to_analyze": 1_000.0,
        "analyze": 50.0,
        "total_pipeline": 31_340.0,
        "event_to_delivery": 1_000.0,
    }


async def test_what_died_or_took_a_second_try_has_no_sample(database: Pool, rows: Rows) -> None:
    await _picture(rows, attempts=2)
    await _picture(rows, state="dead", detected_at=None)
    batch = await _batch(rows, attempts=2)
    event = await rows.event(batch_id=batch, created_at=_at(31.35))
    await rows.delivery(await rows.alert(event), status="dead")
    assert set((await _figures(database)).values()) == {None}


async def test_a_picture_of_the_version_before_has_only_the_samples_it_can_have(database: Pool, rows: Rows) -> None:
    await _picture(rows, settled_at=None, found_at=None)
    found = await _figures(database)
    assert {name: value for name, value in found.items() if value is not None} == {"watch_to_detect": 40.0}


async def test_computed_again_it_is_the_same_and_late_commits_join(database: Pool, rows: Rows) -> None:
    await _picture(rows)
    await _figures(database)
    before = await database.fetch("SELECT * FROM latency_minutes ORDER BY series, minute")
    await _figures(database)
    assert await database.fetch("SELECT * FROM latency_minutes ORDER BY series, minute") == before
    await _picture(rows, started_at=_at(0.07))
    assert (await _figures(database, Stage.WATCH_TO_DETECT)) == {"watch_to_detect": 50.0}


async def test_the_first_delivery_counts_though_a_later_one_is_looked_at_alone(database: Pool, rows: Rows) -> None:
    batch = await _batch(rows)
    event = await rows.event(batch_id=batch, created_at=_at(31))
    alert = await rows.alert(event)
    await rows.delivery(alert, status="delivered", delivered_at=_at(32))
    await StageLatencies(database).roll_up(NOON, NOON + timedelta(minutes=1))
    await rows.delivery(alert, recipient="late@example.com", status="delivered", delivered_at=_at(300))
    await StageLatencies(database).roll_up(_at(290), NOON + HOUR)
    found = (await LatencySamples(database).figures([Stage.EVENT_TO_DELIVERY], NOON - HOUR))[Stage.EVENT_TO_DELIVERY]
    assert found is not None
    assert (found.sample_count, found.avg_ms) == (1, 1_000.0)


async def test_clocks_that_differ_a_little_make_nothing_negative(database: Pool, rows: Rows) -> None:
    await _picture(rows, found_at=_at(0.4), settled_at=_at(5))
    found = await _figures(database, Stage.DETECT_TO_BATCH, Stage.WATCH)
    assert found == {"detect_to_batch": 0.0, "watch": None}


async def test_minutes_that_were_not_asked_for_stay_as_they_are(database: Pool, rows: Rows) -> None:
    await _picture(rows)
    await StageLatencies(database).roll_up(NOON + timedelta(minutes=1), NOON + HOUR)
    assert await database.fetchval("SELECT count(*) FROM latency_minutes") == 0
    assert await StageLatencies(database).newest() is None
    await StageLatencies(database).roll_up(_at(59), NOON + HOUR)  # its whole minute
    assert await StageLatencies(database).newest() == NOON


async def test_other_series_are_not_touched(database: Pool, rows: Rows) -> None:
    await LatencySamples(database).add("model:x", [(NOON, 7.0)])
    await _picture(rows)
    await _figures(database)
    found = (await LatencySamples(database).figures(["model:x"], NOON - HOUR))["model:x"]
    assert found is not None
    assert found.sample_count == 1
