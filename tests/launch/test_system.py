"""Being asked to end."""

import pytest

from launch.system import ASK_AGAIN_SECONDS, Interrupt
from tests.actors.fakes import FakeClock


def test_a_second_signal_does_not_break_off_the_ending() -> None:
    clock = FakeClock()
    interrupt = Interrupt(clock)
    with pytest.raises(KeyboardInterrupt):
        interrupt(15, None)
    interrupt(15, None)


def test_a_signal_long_after_one_that_was_swallowed_counts() -> None:
    clock = FakeClock()
    interrupt = Interrupt(clock)
    with pytest.raises(KeyboardInterrupt):
        interrupt(2, None)
    clock.advance(ASK_AGAIN_SECONDS)
    with pytest.raises(KeyboardInterrupt):
        interrupt(2, None)
