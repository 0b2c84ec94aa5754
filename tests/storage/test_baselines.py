"""Baselines: what is counted with an event is what the domain says, and what is asked for is what was counted."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.baseline import BaselineSlot, after_appearance
from storage.assessments import Assessments
from storage.baselines import Baselines
from storage.batches import Batches
from storage.postgres import Pool
from tests.storage.pieces import LEASE, TRIES
from tests.storage.rows import NOON, Rows

DECAY = 0.1
TUESDAY = NOON.weekday()


@pytest.fixture
async def rows(database: Pool) -> Rows:
    made = Rows(database)
    await made.camera(created_at=NOON - timedelta(days=90))
    await made.camera("garden")
    return made


async def count(
    rows: Rows, types: Sequence[str], at: datetime, camera: str = "front_door", weekday: int = TUESDAY, hour: int = 12
) -> None:
    """One appearance of these classes, counted in a batch's own transaction."""
    await rows.batch(camera, state="closed", closed_at=at)
    (batch,) = await Batches(rows.pool).claim(f"counter-{uuid4()}", 1, LEASE, TRIES)
    async with Assessments(rows.pool).begin(batch) as transaction:
        await transaction.count_appearances(camera, types, weekday, hour, at, DECAY)


async def slots(rows: Rows, camera: str = "front_door") -> dict[str, BaselineSlot]:
    baseline = await Baselines(rows.pool).slot(camera, TUESDAY, 12, NOON)
    return {slot.object_type: slot for slot in baseline.slots}


@pytest.mark.parametrize(
    "days",
    [
        pytest.param([0], id="once"),
        pytest.param([0, 7, 14, 14.01], id="in order"),
        pytest.param([14, 7, 0], id="backwards"),
        pytest.param([0, 20, 10, 10, 3.5], id="mixed"),
        pytest.param([0, 4000], id="so long ago that nothing is left"),
    ],
)
async def test_decay_in_the_database_is_the_domains(rows: Rows, days: list[float]) -> None:
    expected: BaselineSlot | None = None
    for day in days:
        at = NOON + timedelta(days=day)
        await count(rows, ["person"], at)
        expected = after_appearance(expected, at, DECAY) if expected else BaselineSlot("person", 1.0, 1, at)
    assert expected is not None
    slot = (await slots(rows))["person"]
    assert (slot.samples, slot.updated_at) == (expected.samples, expected.updated_at)
    assert slot.weight == pytest.approx(expected.weight, rel=1e-12)


async def test_each_class_hour_weekday_and_camera_is_counted_for_itself(rows: Rows) -> None:
    await count(rows, ["car", "person"], NOON)
    await count(rows, ["person"], NOON)
    await count(rows, ["person"], NOON, hour=13)
    await count(rows, ["person"], NOON, weekday=TUESDAY + 1)
    await count(rows, ["person"], NOON, camera="garden")
    assert {name: slot.samples for name, slot in (await slots(rows)).items()} == {"car": 1, "person": 2}
    assert {name: slot.samples for name, slot in (await slots(rows, "garden")).items()} == {"person": 1}


async def test_the_total_is_of_all_hours_and_classes_of_the_camera(rows: Rows) -> None:
    await count(rows, ["car", "person"], NOON)
    await count(rows, ["dog"], NOON, hour=3)
    await count(rows, ["dog"], NOON, camera="garden")
    baseline = await Baselines(rows.pool).slot("front_door", TUESDAY, 12, NOON)
    assert (baseline.total_samples, baseline.known_since) == (3, NOON - timedelta(days=90))


async def test_a_camera_without_a_record_has_an_empty_one(rows: Rows) -> None:
    baseline = await Baselines(rows.pool).slot("front_door", TUESDAY, 12, NOON)
    assert (baseline.total_samples, baseline.slots, dict(baseline.this_hour)) == (0, (), {})


async def test_this_hour_counts_the_events_of_this_hour_only(rows: Rows) -> None:
    for minutes, types in ((-1, ["dog"]), (0, ["dog", "person"]), (59, ["dog"]), (60, ["dog"])):
        await rows.event(started_at=NOON + timedelta(minutes=minutes), object_types=types)
    await rows.event("garden", object_types=["dog"])
    baseline = await Baselines(rows.pool).slot("front_door", TUESDAY, 12, NOON)
    assert dict(baseline.this_hour) == {"dog": 2, "person": 1}


async def test_appearances_counted_at_once_are_all_counted(rows: Rows) -> None:
    at = datetime(2025, 12, 23, 12, 5, tzinfo=UTC)
    await asyncio.gather(*(count(rows, ["person", "car"] if n % 2 else ["car", "person"], at) for n in range(8)))
    assert {name: slot.samples for name, slot in (await slots(rows)).items()} == {"person": 8, "car": 8}
    assert (await slots(rows))["person"].weight == pytest.approx(8.0)


async def test_an_event_that_is_not_stored_counts_nothing(rows: Rows) -> None:
    await rows.batch(state="closed", closed_at=NOON)
    (batch,) = await Batches(rows.pool).claim("worker", 1, LEASE, TRIES)

    async def count_and_fail() -> None:
        async with Assessments(rows.pool).begin(batch) as transaction:
            await transaction.count_appearances("front_door", ["person"], TUESDAY, 12, NOON, DECAY)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await count_and_fail()
    assert await slots(rows) == {}
