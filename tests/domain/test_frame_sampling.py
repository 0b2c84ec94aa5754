"""Which frames of a clip are looked at."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.frame_sampling import FrameWish, plan_reading, sample_times


def test_one_frame_every_four_seconds() -> None:
    assert sample_times(15.0) == (0.0, 4.0, 8.0, 12.0)


def test_a_moment_at_the_very_end_is_not_wished_for() -> None:
    assert sample_times(8.0) == (0.0, 4.0)


def test_a_clip_shorter_than_the_spacing_gives_its_first_frame() -> None:
    assert sample_times(0.5) == (0.0,)


@pytest.mark.parametrize("duration", [0.0, -3.0])
def test_a_clip_without_length_gives_its_first_frame(duration: float) -> None:
    assert sample_times(duration) == (0.0,)


def test_eighty_seconds_are_the_most_that_one_frame_per_four_seconds_covers() -> None:
    assert sample_times(80.0)[-1] == 76.0
    assert len(sample_times(80.0)) == 20


def test_a_long_clip_is_covered_evenly_by_twenty_frames() -> None:
    times = sample_times(600.0)
    assert len(times) == 20
    assert times[1] - times[0] == pytest.approx(30.0)
    assert times[-1] == pytest.approx(570.0)


@pytest.mark.parametrize("duration", [None, math.nan, math.inf])
def test_a_clip_of_unknown_length_is_taken_to_be_long_enough(duration: float | None) -> None:
    times = sample_times(duration)
    assert (times[0], times[1], len(times)) == (0.0, 4.0, 20)


def test_rounding_of_a_clock_adds_no_frame() -> None:
    assert len(sample_times(12.0000000001)) == 3


@pytest.mark.parametrize(("between", "most"), [(0.0, 20), (-1.0, 20), (4.0, 0)])
def test_a_senseless_policy_is_refused(between: float, most: int) -> None:
    with pytest.raises(ValueError, match="cannot take"):
        sample_times(10.0, between, most)


@given(st.floats(0, 1e6), st.floats(0.1, 60), st.integers(1, 50))
def test_the_first_frame_is_always_taken_and_the_most_is_kept(duration: float, between: float, most: int) -> None:
    times = sample_times(duration, between, most)
    assert times[0] == 0.0
    assert 1 <= len(times) <= most
    assert all(later > earlier for earlier, later in itertools.pairwise(times))
    assert all(time < duration for time in times[1:])


def test_key_frames_near_enough_stand_in_for_the_moments() -> None:
    wishes = plan_reading((0.0, 4.0, 8.0), (0.0, 2.0, 4.2, 6.0, 7.9))
    assert wishes == (FrameWish(0.0, None), FrameWish(4.2, 4.2), FrameWish(7.9, 7.9))


def test_a_moment_between_far_key_frames_is_reached_from_the_one_before() -> None:
    assert plan_reading((0.0, 4.0, 8.0), (0.0, 3.0, 6.0))[1:] == (FrameWish(4.0, 3.0), FrameWish(8.0, 6.0))


def test_a_clip_with_one_key_frame_is_decoded_through() -> None:
    assert plan_reading((0.0, 4.0, 8.0), (0.0,)) == (
        FrameWish(0.0, None),
        FrameWish(4.0, None),
        FrameWish(8.0, None),
    )


def test_a_clip_without_known_key_frames_is_decoded_through() -> None:
    assert all(wish.seek_to_seconds is None for wish in plan_reading((0.0, 4.0), ()))


def test_one_key_frame_does_not_stand_in_for_two_moments() -> None:
    wishes = plan_reading((0.0, 0.2, 0.4), (0.0, 10.0), near_enough_seconds=0.5)
    assert [wish.at_seconds for wish in wishes] == [0.0, 0.2, 0.4]


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=20, unique=True).map(sorted),
    st.lists(st.floats(0, 100), max_size=40, unique=True).map(sorted),
    st.floats(0, 2),
)
def test_wishes_rise_and_stay_near_what_was_asked(times: list[float], keys: list[float], near: float) -> None:
    wishes = plan_reading(times, keys, near)
    moments = [wish.at_seconds for wish in wishes]
    assert moments == sorted(set(moments))
    assert all(any(abs(moment - time) <= near for time in times) for moment in moments)
    assert all(wish.seek_to_seconds is None or wish.seek_to_seconds <= wish.at_seconds for wish in wishes)
