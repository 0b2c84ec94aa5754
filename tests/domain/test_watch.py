"""One service between looks: patience, forgiveness, and a person's hand on it."""

from datetime import UTC, datetime, timedelta

from domain.supervision import Nothing, Observation, Restart, Wait
from domain.watch import Watch

START = datetime(2025, 3, 1, tzinfo=UTC)
DEAD, FAILING, HEALTHY, STARTING = Observation.DEAD, Observation.FAILING, Observation.HEALTHY, Observation.STARTING


def proven() -> Watch:
    watch = Watch()
    watch.see(HEALTHY, 0.0)
    return watch


def test_the_next_restart_is_told_by_the_clock_on_the_wall() -> None:
    watch = proven()
    assert watch.next_restart_at(0.0, START) is None
    assert watch.see(DEAD, 10.0) == (DEAD, Wait(15.0))
    assert watch.next_restart_at(11.0, START) == START + timedelta(seconds=4)
    assert watch.see(DEAD, 15.0) == (DEAD, Restart(1))
    assert (watch.restarts, watch.failure_count) == (1, 1)


def test_what_is_in_a_persons_hand_neither_fails_nor_is_restarted() -> None:
    watch = proven()
    watch.take_in_hand()
    for second in range(100):
        assert watch.see(DEAD, float(second)) == (STARTING, Nothing())
    assert watch.see(HEALTHY, 100.0) == (HEALTHY, Nothing())
    watch.let_go()
    assert (watch.failure_count, watch.restarts) == (0, 0)


def test_a_probe_that_began_before_the_wish_was_carried_out_says_nothing() -> None:
    watch = proven()
    turn = watch.turn
    watch.take_in_hand()
    watch.let_go()
    assert watch.see(DEAD, 50.0, turn=turn) == (STARTING, Nothing())
    assert watch.failure_count == 0


def test_after_a_wish_the_back_off_begins_anew_and_the_service_has_its_minute() -> None:
    watch = proven()
    watch.see(DEAD, 10.0)
    watch.see(DEAD, 15.0)
    watch.take_in_hand()
    watch.let_go()
    assert watch.restarts == 0
    assert watch.see(FAILING, 20.0) == (STARTING, Nothing())
    assert watch.comes_up(FAILING)
    watch.see(HEALTHY, 30.0)
    assert not watch.comes_up(FAILING)
    assert watch.see(DEAD, 40.0) == (DEAD, Wait(45.0))


def test_a_disabled_service_is_seen_as_it_is_and_left_alone() -> None:
    watch = proven()
    assert watch.see(DEAD, 10.0, enabled=False) == (DEAD, Nothing())
    assert watch.next_restart_at(10.0, START) is None
