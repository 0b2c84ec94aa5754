"""When a failed service is started again."""

from domain.supervision import Nothing, Observation, Restart, Supervision, Wait

HEALTHY, STARTING, FAILING, DEAD = Observation.HEALTHY, Observation.STARTING, Observation.FAILING, Observation.DEAD


def fail_for_good(supervision: Supervision, restarts: int) -> list[float]:
    """Dead again right after each restart, looked at every second: how long it was left each time."""
    waits, now = [], 0.0
    for _ in range(restarts):
        noticed = now
        while not isinstance(supervision.observe(DEAD, now), Restart):
            now += 1
        waits.append(now - noticed)
        now += 1
    return waits


def test_a_healthy_service_is_left_alone() -> None:
    assert Supervision().observe(HEALTHY, 0) == Nothing()


def test_a_dead_service_is_restarted_five_seconds_after_it_was_noticed() -> None:
    supervision = Supervision()

    assert supervision.observe(DEAD, 100) == Wait(until=105)
    assert supervision.next_due() == 105
    assert supervision.observe(DEAD, 104.9) == Wait(until=105)
    assert supervision.observe(DEAD, 105) == Restart(1)


def test_a_restart_is_asked_for_once() -> None:
    supervision = Supervision()
    supervision.observe(DEAD, 100)
    supervision.observe(DEAD, 105)

    assert supervision.next_due() is None
    assert supervision.observe(STARTING, 105.1) == Nothing()


def test_a_living_service_is_restarted_after_the_second_failed_probe() -> None:
    supervision = Supervision()

    assert supervision.observe(FAILING, 100) == Nothing()
    assert supervision.observe(FAILING, 115) == Restart(1)


def test_one_failed_probe_among_good_ones_restarts_nothing() -> None:
    supervision = Supervision()

    decisions = [supervision.observe(FAILING if n % 2 else HEALTHY, 15.0 * n) for n in range(20)]
    assert decisions == [Nothing()] * 20


def test_failing_and_then_dead_needs_no_further_probe() -> None:
    supervision = Supervision()
    supervision.observe(FAILING, 100)

    assert supervision.observe(DEAD, 106) == Restart(1)


def test_the_back_off_doubles_to_five_minutes() -> None:
    assert fail_for_good(Supervision(), 9) == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_service_that_recovers_by_itself_is_not_restarted() -> None:
    supervision = Supervision()
    supervision.observe(DEAD, 100)
    supervision.observe(HEALTHY, 103)

    assert supervision.next_due() is None
    assert supervision.observe(DEAD, 110) == Wait(until=115)


def test_a_service_that_starts_slowly_is_given_its_time() -> None:
    supervision = Supervision()
    supervision.observe(DEAD, 0)
    supervision.observe(DEAD, 5)

    assert [supervision.observe(STARTING, 5 + 15 * n) for n in range(40)] == [Nothing()] * 40


def test_a_short_spell_of_health_does_not_reset_the_back_off() -> None:
    supervision = Supervision()
    fail_for_good(supervision, 3)
    supervision.observe(HEALTHY, 1000)
    supervision.observe(HEALTHY, 1299)

    assert supervision.observe(DEAD, 1300) == Wait(until=1340)


def test_five_minutes_of_health_reset_the_back_off() -> None:
    supervision = Supervision()
    fail_for_good(supervision, 3)
    supervision.observe(HEALTHY, 1000)
    supervision.observe(HEALTHY, 1300)

    assert supervision.restarts == 0
    assert supervision.observe(DEAD, 1301) == Wait(until=1306)


def test_a_disabled_service_is_left_alone_and_forgiven() -> None:
    supervision = Supervision()
    fail_for_good(supervision, 3)

    assert supervision.observe(DEAD, 1000, enabled=False) == Nothing()
    assert supervision.observe(DEAD, 2000) == Wait(until=2005)


def test_a_restart_by_hand_starts_the_back_off_again() -> None:
    supervision = Supervision()
    fail_for_good(supervision, 5)
    supervision.forgive()

    assert supervision.observe(DEAD, 1000) == Wait(until=1005)


def test_failed_probes_in_a_row_are_counted_for_show() -> None:
    supervision = Supervision()
    supervision.observe(FAILING, 0)
    assert supervision.failures == 1

    supervision.observe(HEALTHY, 15)
    assert supervision.failures == 0
