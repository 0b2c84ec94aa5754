"""Which pictures become one batch."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.batching import BatchPolicy, OpenBatches, Placement
from schemas.batch import CloseReason, OpenBatch
from schemas.runtime_config import RuntimeConfig

START = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
HOURS_AGO = START - timedelta(hours=5)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def make(policy: BatchPolicy | None = None) -> OpenBatches:
    numbers = count(1)
    return OpenBatches(policy or BatchPolicy(), lambda: f"batch-{next(numbers)}")


def place(batches: OpenBatches, seconds: float, detections: int = 1, camera: str = "yard") -> Placement:
    """A picture that arrives the moment it is taken."""
    return batches.place(camera, after(seconds), detections, after(seconds))


def reason_before(placement: Placement) -> CloseReason | None:
    return placement.close_before and placement.close_before.reason


def test_the_first_picture_opens_a_batch() -> None:
    placement = place(make(), 0, 3)

    assert placement.opened
    assert placement.close_before is None
    assert placement.close_after is None
    assert placement.batch == OpenBatch(
        id="batch-1",
        camera_id="yard",
        started_at=START,
        ended_at=START,
        opened_at=START,
        last_activity_at=START,
        detection_count=3,
    )


def test_the_next_picture_joins_it() -> None:
    batches = make()
    place(batches, 0, 3)
    placement = place(batches, 10, 2)

    assert not placement.opened
    assert placement.batch.id == "batch-1"
    assert placement.batch.detection_count == 5
    assert (placement.batch.started_at, placement.batch.ended_at) == (START, after(10))
    assert (placement.batch.opened_at, placement.batch.last_activity_at) == (START, after(10))


def test_every_camera_has_its_own_batch() -> None:
    batches = make()
    place(batches, 0, camera="yard")
    assert place(batches, 1, camera="door").opened
    assert len(batches) == 2


def test_a_batch_is_due_after_its_window_however_busy_the_camera_is() -> None:
    batches = make()
    for seconds in range(0, 90, 10):
        place(batches, seconds)

    assert batches.next_due() == after(90)
    assert batches.take_due(after(89.999)) == []
    [due] = batches.take_due(after(90))
    assert due.reason is CloseReason.WINDOW
    assert due.batch.detection_count == 9


def test_a_batch_is_due_after_the_idle_time() -> None:
    batches = make()
    place(batches, 0)
    place(batches, 20)

    assert batches.next_due() == after(50)
    assert batches.take_due(after(49.999)) == []
    [due] = batches.take_due(after(50))
    assert due.reason is CloseReason.IDLE


def test_a_due_batch_is_taken_once() -> None:
    batches = make()
    place(batches, 0)
    batches.take_due(after(100))

    assert batches.take_due(after(200)) == []
    assert batches.next_due() is None
    assert place(batches, 200).opened


@pytest.mark.parametrize(("seconds", "reason"), [(30, CloseReason.IDLE), (95, CloseReason.IDLE)])
def test_a_picture_that_finds_its_batch_overdue_closes_it_and_opens_another(
    seconds: float, reason: CloseReason
) -> None:
    batches = make()
    place(batches, 0)
    placement = place(batches, seconds)

    assert reason_before(placement) is reason
    assert placement.opened
    assert placement.batch.id == "batch-2"


def test_a_picture_at_the_end_of_the_window_opens_another_batch() -> None:
    batches = make()
    for seconds in range(0, 90, 15):
        place(batches, seconds)

    assert reason_before(place(batches, 90)) is CloseReason.WINDOW


def test_a_batch_that_is_full_closes_with_the_picture_that_fills_it() -> None:
    batches = make()
    place(batches, 0, 499)
    placement = place(batches, 1, 1)

    assert placement.close_after is CloseReason.SIZE
    assert placement.batch.detection_count == 500
    assert len(batches) == 0


def test_a_picture_that_does_not_fit_opens_another_batch() -> None:
    batches = make()
    place(batches, 0, 499)
    placement = place(batches, 1, 2)

    assert placement.close_before is not None
    assert reason_before(placement) is CloseReason.SIZE
    assert placement.close_before.batch.detection_count == 499
    assert placement.opened
    assert placement.batch.detection_count == 2


def test_one_file_with_more_detections_than_a_batch_may_hold_is_a_batch_of_its_own() -> None:
    batches = make()
    place(batches, 0, 10)
    placement = place(batches, 1, 600)

    assert reason_before(placement) is CloseReason.SIZE
    assert placement.batch.detection_count == 600
    assert placement.close_after is CloseReason.SIZE


def test_an_urgent_class_closes_the_batch_at_once() -> None:
    batches = make(BatchPolicy(urgent_classes=frozenset({"knife"})))
    place(batches, 0)
    placement = batches.place("yard", after(1), 2, after(1), ("person", "knife"))

    assert placement.close_after is CloseReason.URGENT
    assert not placement.opened
    assert placement.batch.detection_count == 3
    assert len(batches) == 0


def test_an_urgent_group_stands_for_its_classes_in_any_spelling() -> None:
    batches = make(BatchPolicy.of(RuntimeConfig(urgent_classes=("Vehicle", "traffic-light"))))

    assert batches.place("yard", START, 1, START, ("truck",)).close_after is CloseReason.URGENT
    assert batches.place("yard", START, 1, START, ("Traffic Light",)).close_after is CloseReason.URGENT
    assert batches.place("yard", START, 1, START, ("person",)).close_after is None


def test_an_urgent_first_picture_opens_and_closes_in_one_step() -> None:
    batches = make(BatchPolicy(urgent_classes=frozenset({"knife"})))
    placement = batches.place("yard", after(0), 1, after(0), ("knife",))

    assert placement.opened
    assert placement.close_after is CloseReason.URGENT


@pytest.mark.parametrize(
    ("seconds", "joins"), [(30, True), (30.1, False), (-30, True), (-30.1, False)], ids=["late", "gap", "early", "past"]
)
def test_a_pause_between_capture_times_longer_than_the_idle_time_is_a_gap(seconds: float, joins: bool) -> None:
    batches = make()
    batches.place("yard", HOURS_AGO, 1, START)
    placement = batches.place("yard", HOURS_AGO + timedelta(seconds=seconds), 1, after(0.01))

    assert placement.opened is not joins
    assert reason_before(placement) is (None if joins else CloseReason.GAP)


def test_an_older_picture_that_arrives_late_moves_the_start_back() -> None:
    batches = make()
    place(batches, 20)
    placement = batches.place("yard", START, 1, after(21))

    assert (placement.batch.started_at, placement.batch.ended_at) == (START, after(20))


@pytest.mark.parametrize("order", [1, -1], ids=["oldest first", "newest first"])
def test_capture_times_in_a_batch_span_no_more_than_the_window_in_either_order(order: int) -> None:
    batches = make()
    placements = [
        batches.place("yard", HOURS_AGO + order * timedelta(seconds=10 * n), 1, after(n / 100)) for n in range(100)
    ]

    assert len({placement.batch.id for placement in placements}) == 10
    assert all(p.batch.ended_at - p.batch.started_at <= timedelta(seconds=90) for p in placements)


def test_a_backlog_worked_off_in_a_second_becomes_events_at_their_own_times() -> None:
    batches = make()
    visits = [HOURS_AGO + timedelta(minutes=20 * visit) for visit in range(6)]
    for visit, began in enumerate(visits):
        for picture in range(5):
            batches.place("yard", began + timedelta(seconds=2 * picture), 1, after(visit / 10 + picture / 100))
            assert batches.all()[0].started_at == began

    assert batches.all()[0].id == "batch-6"


def test_a_clip_lasts_until_its_last_frame() -> None:
    batches = make()
    batches.place("yard", START, 4, after(60), captured_until=after(55))
    placement = batches.place("yard", after(80), 1, after(61))

    assert not placement.opened
    assert placement.batch.ended_at == after(80)


def test_a_picture_taken_during_a_clip_of_the_batch_leaves_its_span() -> None:
    batches = make()
    batches.place("yard", START, 4, after(60), captured_until=after(55))
    placement = batches.place("yard", after(10), 1, after(61))

    assert not placement.opened
    assert (placement.batch.started_at, placement.batch.ended_at) == (START, after(55))


def test_a_changed_policy_holds_for_batches_that_are_open() -> None:
    batches = make()
    place(batches, 0)
    batches.policy = BatchPolicy(idle=timedelta(seconds=5))

    assert batches.next_due() == after(5)
    assert batches.take_due(after(5))[0].reason is CloseReason.IDLE


def test_the_policy_follows_the_configuration() -> None:
    config = RuntimeConfig(batch_window_seconds=8, batch_idle_timeout_seconds=3, urgent_classes=("knife",))

    assert BatchPolicy.of(config) == BatchPolicy(
        window=timedelta(seconds=8), idle=timedelta(seconds=3), urgent_classes=frozenset({"knife"})
    )


def test_batches_go_on_after_a_restart_from_their_rows() -> None:
    before = make()
    row = place(before, 0, 3).batch
    batches = OpenBatches(BatchPolicy(), lambda: "new", [row])

    assert place(batches, 10).batch.id == row.id
    assert batches.take_due(after(1000))[0].batch.detection_count == 4


def test_loading_the_rows_takes_back_placements_that_were_not_stored() -> None:
    batches = make()
    row = place(batches, 0, 3).batch
    place(batches, 1, 100)
    place(batches, 1, 100, camera="door")
    batches.load([row])

    assert batches.all() == (row,)


def test_a_batch_from_the_future_is_closed_since_the_clock_was_set_back() -> None:
    batches = make()
    place(batches, 3600)

    assert batches.take_due(after(0))[0].reason is CloseReason.IDLE


def test_a_file_without_detections_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="without detections"):
        place(make(), 0, 0)


arrivals = st.lists(
    st.tuples(st.sampled_from(["yard", "door"]), st.integers(-200, 200), st.integers(1, 300), st.integers(0, 40)),
    max_size=40,
)


@given(arrivals)
def test_no_detection_is_lost_or_counted_twice_and_no_limit_is_passed(
    files: list[tuple[str, int, int, int]],
) -> None:
    batches, now, closed = make(), START, list[OpenBatch]()
    for camera, captured, detections, pause in files:
        now += timedelta(seconds=pause)
        closed += [batch for batch, _ in batches.take_due(now)]
        placement = batches.place(camera, START + timedelta(seconds=captured), detections, now)
        if placement.close_before:
            assert placement.opened
            closed.append(placement.close_before.batch)
        if placement.close_after:
            closed.append(placement.batch)
        else:
            assert placement.batch in batches.all()
    everything = [*closed, *batches.all()]

    assert sum(batch.detection_count for batch in everything) == sum(detections for _, _, detections, _ in files)
    assert len({batch.id for batch in everything}) == len(everything)
    for batch in everything:
        assert batch.detection_count <= 500
        assert batch.ended_at - batch.started_at <= timedelta(seconds=90)
        assert batch.last_activity_at - batch.opened_at <= timedelta(seconds=90)
