"""Counting frames over the last sixty seconds."""

import pytest

from vision.frame_counter import FrameCounter


def test_nothing_finished_is_no_rate_and_no_time() -> None:
    counter = FrameCounter()
    assert counter.frames_per_second(1000.0) == 0
    assert counter.milliseconds_per_frame(1000.0) is None


def test_the_rate_is_the_frames_of_the_last_minute_over_sixty() -> None:
    counter = FrameCounter()
    for second in range(30):
        counter.add(4, 0.1, 1000.0 + second)
    assert counter.last_minute(1030.0) == 120
    assert counter.frames_per_second(1030.0) == 2.0


def test_frames_older_than_a_minute_are_forgotten_but_stay_finished() -> None:
    counter = FrameCounter()
    counter.add(10, 0.2, 1000.0)
    counter.add(5, 0.2, 1059.0)
    assert counter.last_minute(1059.5) == 15
    assert counter.last_minute(1061.0) == 5
    assert counter.finished == 15


def test_the_time_a_frame_is_the_mean_over_frames_not_calls() -> None:
    counter = FrameCounter()
    counter.add(9, 0.09, 1000.0)
    counter.add(1, 0.11, 1001.0)
    assert counter.milliseconds_per_frame(1002.0) == pytest.approx(20.0)


def test_many_calls_in_a_second_are_kept_together() -> None:
    counter = FrameCounter()
    for _ in range(1000):
        counter.add(1, 0.001, 1000.5)
    assert counter.last_minute(1000.9) == 1000
    assert len(counter._seconds) == 1
