"""What a camera usually sees, against what a patient counter would say."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.baseline import (
    BaselineSlot,
    CameraBaseline,
    HourOfWeek,
    after_appearance,
    decayed,
    hour_of_week,
    is_unusual,
    unusualness,
    watched,
)
from schemas.assessment import Unusualness
from schemas.runtime_config import RuntimeConfig

CONFIG = RuntimeConfig()
TUESDAY_14 = datetime(2025, 6, 3, 14, 0, tzinfo=UTC)
LONG_AGO = TUESDAY_14 - timedelta(days=700)


def slot(
    weight: float, updated_at: datetime = TUESDAY_14, samples: int = 1, object_type: str = "person"
) -> BaselineSlot:
    return BaselineSlot(object_type, weight, samples, updated_at)


def judge(
    now: datetime,
    *slots: BaselineSlot,
    known_since: datetime = LONG_AGO,
    total: int = 1_000,
    this_hour: int = 0,
    config: RuntimeConfig = CONFIG,
) -> Unusualness:
    baseline = CameraBaseline(known_since, total, slots, {"person": this_hour})
    [fact] = unusualness(baseline, ["person"], now, config, "UTC")
    return fact


def poisson(mean: float, random_source: random.Random) -> int:
    """Knuth's method."""
    count, product = 0, random_source.random()
    while product > math.exp(-mean):
        count += 1
        product *= random_source.random()
    return count


def simulated(
    rate: float, weeks: int, minutes_into_hour: float, decay: float, random_source: random.Random
) -> tuple[datetime, BaselineSlot | None]:
    """A camera that for weeks sees people at a constant rate in this one hour; `now` lies in the last occurrence."""
    known: BaselineSlot | None = None
    for week in range(weeks + 1):
        began = LONG_AGO + timedelta(weeks=week)
        minutes = 60.0 if week < weeks else minutes_into_hour
        for at in sorted(random_source.uniform(0, minutes) for _ in range(poisson(rate * minutes / 60, random_source))):
            seen_at = began + timedelta(minutes=at)
            known = after_appearance(known, seen_at, decay) if known else slot(1, seen_at)
    return LONG_AGO + timedelta(weeks=weeks, minutes=minutes_into_hour), known


@pytest.mark.parametrize(
    ("rate", "decay", "weeks"),
    [(2.0, 0.1, 30), (0.3, 0.1, 30), (5.0, 0.02, 40), (2.0, 1.0, 30), (2.0, 0.1, 1), (2.0, 0.001, 2)],
)
@pytest.mark.parametrize("minutes_into_hour", [1, 25, 59])
def test_the_expectation_is_on_average_the_true_rate_whatever_the_decay_and_the_cameras_age(
    rate: float, decay: float, weeks: int, minutes_into_hour: int
) -> None:
    random_source = random.Random(f"{rate} {decay} {weeks} {minutes_into_hour}")
    config = CONFIG.model_copy(update={"anomaly_decay_factor": decay, "anomaly_window_days": 10_000})
    estimates = []
    for _ in range(300):
        now, known = simulated(rate, weeks, minutes_into_hour, decay, random_source)
        fact = judge(now, *([known] if known else []), known_since=LONG_AGO, config=config)
        estimates.append(fact.expected_per_hour)
    mean = sum(estimates) / len(estimates)
    standard_error = math.sqrt(sum((e - mean) ** 2 for e in estimates)) / len(estimates)

    assert abs(mean - rate) < 4 * standard_error
    assert standard_error < 0.15 * rate or decay == 1.0


def test_with_little_decay_one_camera_alone_converges_to_the_true_rate() -> None:
    config = CONFIG.model_copy(update={"anomaly_decay_factor": 0.001, "anomaly_window_days": 10_000})
    now, known = simulated(4.0, 1000, 30, 0.001, random.Random(1))
    assert known is not None

    assert judge(now, known, config=config).expected_per_hour == pytest.approx(4.0, rel=0.1)


def test_a_class_that_comes_once_a_week_is_expected_once_and_not_always() -> None:
    known = slot(1, LONG_AGO)
    for week in range(1, 100):
        known = after_appearance(known, LONG_AGO + timedelta(weeks=week), 0.1)
    fact = judge(LONG_AGO + timedelta(weeks=100), known)

    assert fact.expected_per_hour == pytest.approx(1.0, rel=0.01)
    assert fact.probability == pytest.approx(1 - math.exp(-1), rel=0.01)


def test_a_class_that_comes_every_fourth_week_is_expected_a_quarter_of_the_time() -> None:
    config = CONFIG.model_copy(update={"anomaly_decay_factor": 0.01})
    known = slot(1, LONG_AGO)
    for week in range(4, 100, 4):
        known = after_appearance(known, LONG_AGO + timedelta(weeks=week), 0.01)
    fact = judge(LONG_AGO + timedelta(weeks=98), known, config=config)

    assert fact.expected_per_hour == pytest.approx(0.25, rel=0.1)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize(
    "now",
    [
        datetime(2025, 11, 2, 1, 40, tzinfo=UTC),
        datetime(2025, 11, 2, 6, 20, tzinfo=UTC),
        datetime(2025, 11, 9, 1, 20, tzinfo=UTC),
        datetime(2025, 4, 6, 0, 50, tzinfo=UTC),
        datetime(2025, 4, 13, 0, 50, tzinfo=UTC),
        datetime(2025, 10, 12, 15, 50, tzinfo=UTC),
    ],
)
def test_the_time_watched_is_what_counting_every_ten_minutes_gives(zone: str, now: datetime) -> None:
    decay, known_since, step = 0.05, now - timedelta(days=60, minutes=20), timedelta(minutes=10)
    wanted, counted, middle = hour_of_week(now, zone), 0.0, known_since + step / 2
    while middle < now:
        if hour_of_week(middle, zone) == wanted:
            counted += math.exp(-decay * (now - middle) / timedelta(days=1)) * step / timedelta(hours=1)
        middle += step

    assert watched(known_since, now, zone, decay, 30).decayed_hours == pytest.approx(counted, rel=1e-5)


def test_an_hour_is_told_by_the_houses_clock() -> None:
    late = datetime(2025, 6, 1, 22, 30, tzinfo=UTC)

    assert hour_of_week(late, "UTC") == HourOfWeek(6, 22)
    assert hour_of_week(late, "Europe/Berlin") == HourOfWeek(0, 0)
    assert hour_of_week(datetime(2025, 1, 5, 22, 30, tzinfo=UTC), "Europe/Berlin") == HourOfWeek(6, 23)


def test_only_whole_hours_within_the_window_count_as_watched_before() -> None:
    now = TUESDAY_14 + timedelta(minutes=30)

    def before(known_since: datetime, window_days: int = 30) -> int:
        return watched(known_since, now, "UTC", 0.1, window_days).whole_hours_before

    assert before(now - timedelta(days=1)) == 0
    assert before(TUESDAY_14 - timedelta(weeks=1)) == 1
    assert before(TUESDAY_14 - timedelta(weeks=1) + timedelta(minutes=1)) == 0
    assert before(LONG_AGO) == 4
    assert before(LONG_AGO, window_days=6) == 0


def test_a_camera_known_only_since_later_has_watched_nothing() -> None:
    assert watched(TUESDAY_14 + timedelta(days=1), TUESDAY_14, "UTC", 0.1, 30) == (0.0, 0)


def test_a_decayed_count_halves_in_its_half_life_and_never_grows() -> None:
    assert decayed(8, TUESDAY_14, TUESDAY_14 + timedelta(days=math.log(2) / 0.1), 0.1) == pytest.approx(4)
    assert decayed(8, TUESDAY_14, TUESDAY_14 - timedelta(days=5), 0.1) == 8


@given(st.permutations([0.0, 0.1, 3.0, 7.5, 30.0]))
def test_appearances_may_be_counted_in_any_order(days: list[float]) -> None:
    known = slot(1, TUESDAY_14 + timedelta(days=days[0]))
    for day in days[1:]:
        known = after_appearance(known, TUESDAY_14 + timedelta(days=day), 0.1)

    assert known.weight == pytest.approx(sum(math.exp(-0.1 * (30 - day)) for day in days))
    assert known.updated_at == TUESDAY_14 + timedelta(days=30)
    assert known.samples == 5


def test_a_class_never_seen_at_this_hour_is_unusual_once_there_are_enough_samples() -> None:
    fact = judge(TUESDAY_14, total=100)

    assert (fact.expected_per_hour, fact.probability, fact.slot_count) == (0, 0, 0)
    assert fact.deviation == pytest.approx(1 / math.sqrt(0.1))
    assert is_unusual(fact, CONFIG)


def test_with_too_few_samples_nothing_is_called_unusual() -> None:
    fact = judge(TUESDAY_14, total=99)

    assert not fact.reliable
    assert fact.sample_count == 99
    assert not is_unusual(fact, CONFIG)


def test_an_hour_that_was_never_watched_makes_nothing_unusual_however_many_samples_there_are() -> None:
    fact = judge(TUESDAY_14, total=5_000, known_since=TUESDAY_14 - timedelta(days=6))

    assert not fact.reliable


def test_what_comes_every_week_is_not_unusual() -> None:
    fact = judge(TUESDAY_14, slot(2.0, TUESDAY_14 - timedelta(days=7), samples=40))

    assert fact.reliable
    assert fact.slot_count == 40
    assert abs(fact.deviation) < 1
    assert not is_unusual(fact, CONFIG)


def test_many_more_than_usual_in_one_hour_are_unusual() -> None:
    known = slot(2.0, TUESDAY_14 - timedelta(days=7))

    assert is_unusual(judge(TUESDAY_14 + timedelta(minutes=30), known, this_hour=9), CONFIG)


def test_fewer_than_usual_are_not_unusual_even_without_a_threshold() -> None:
    config = CONFIG.model_copy(update={"anomaly_threshold_stdev": 0.0})
    fact = judge(TUESDAY_14, slot(30.0, TUESDAY_14 - timedelta(days=7)), config=config)

    assert fact.deviation < 0
    assert not is_unusual(fact, config)


def test_a_slot_untouched_for_longer_than_the_window_counts_as_empty() -> None:
    within, beyond = TUESDAY_14 - timedelta(days=28), TUESDAY_14 - timedelta(days=35)

    assert judge(TUESDAY_14, slot(50, within)).expected_per_hour > 0
    assert judge(TUESDAY_14, slot(50, beyond)).expected_per_hour == 0


def test_pictures_older_than_their_camera_do_not_divide_by_nothing() -> None:
    fact = judge(TUESDAY_14, slot(3.0), known_since=TUESDAY_14 + timedelta(days=1))

    assert math.isfinite(fact.expected_per_hour)
    assert math.isfinite(fact.deviation)


def test_every_class_is_judged_once_and_by_its_own_slot() -> None:
    baseline = CameraBaseline(LONG_AGO, 500, (slot(2.0), slot(1.0, object_type="dog")), {"dog": 3})
    facts = unusualness(baseline, ["person", "dog", "person"], TUESDAY_14, CONFIG, "UTC")

    assert [fact.object_type for fact in facts] == ["dog", "person"]
    assert facts[0].expected_per_hour == pytest.approx(facts[1].expected_per_hour / 2)
