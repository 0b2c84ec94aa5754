"""The breakers' actor, and a worker that asks it though it may be away."""

import pickle

import pytest

from actors.circuit_breakers import CircuitBreakers, UnstoppedByBreakers
from domain.circuit_breaker import Admitted, Rejected
from schemas.breaker import BreakerState
from storage.errors import NotFound
from tests.actors.fakes import AwayBreakers, FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breakers(clock: FakeClock) -> CircuitBreakers:
    return CircuitBreakers(clock, ("yolo26",))


async def fail(breakers: CircuitBreakers, times: int, name: str = "yolo26") -> None:
    for _ in range(times):
        admitted = await breakers.admit(name)
        assert isinstance(admitted, Admitted)
        await breakers.failed(name, admitted)


async def test_five_failures_in_a_row_open_a_breaker_for_thirty_seconds(
    breakers: CircuitBreakers, clock: FakeClock
) -> None:
    await fail(breakers, 5)
    assert await breakers.admit("yolo26") == Rejected(30.0)
    clock.advance(30.0)
    assert isinstance(await breakers.admit("yolo26"), Admitted)


async def test_two_successes_close_it_again(breakers: CircuitBreakers, clock: FakeClock) -> None:
    await fail(breakers, 5)
    clock.advance(30.0)
    for _ in range(2):
        admitted = await breakers.admit("yolo26")
        assert isinstance(admitted, Admitted)
        await breakers.succeeded("yolo26", admitted)
    (status,) = await breakers.status()
    assert status.state is BreakerState.CLOSED


async def test_a_trial_that_says_nothing_frees_its_place(breakers: CircuitBreakers, clock: FakeClock) -> None:
    await fail(breakers, 5)
    clock.advance(30.0)
    for _ in range(10):
        admitted = await breakers.admit("yolo26")
        assert isinstance(admitted, Admitted)
        await breakers.released("yolo26", admitted)
    (status,) = await breakers.status()
    assert status.state is BreakerState.HALF_OPEN


async def test_breakers_do_not_touch_each_other(breakers: CircuitBreakers) -> None:
    await fail(breakers, 5)
    assert isinstance(await breakers.admit("nemotron"), Admitted)
    assert [(one.name, one.state.value) for one in await breakers.status()] == [
        ("yolo26", "open"),
        ("nemotron", "closed"),
    ]


async def test_the_pipelines_own_breaker_is_there_from_the_start(breakers: CircuitBreakers) -> None:
    assert [one.name for one in await breakers.status()] == ["yolo26"]


async def test_a_reset_closes_it_at_once(breakers: CircuitBreakers) -> None:
    await fail(breakers, 5)
    done = await breakers.reset("yolo26")
    assert (done.before.state, done.before.failure_count) == (BreakerState.OPEN, 5)
    assert (done.after.state, done.after.failure_count) == (BreakerState.CLOSED, 0)
    assert isinstance(await breakers.admit("yolo26"), Admitted)


async def test_an_unknown_breaker_cannot_be_reset_and_the_error_travels(breakers: CircuitBreakers) -> None:
    with pytest.raises(NotFound) as refused:
        await breakers.reset("nothing")
    assert str(pickle.loads(pickle.dumps(refused.value))) == "there is no circuit breaker nothing"
    assert len(await breakers.status()) == 1


async def test_results_for_a_breaker_that_was_forgotten_in_a_restart_are_harmless(breakers: CircuitBreakers) -> None:
    await breakers.succeeded("forgotten", Admitted(7, 3))
    await breakers.failed("forgotten", Admitted(7, 3))
    await breakers.released("forgotten", Admitted(7, 3))
    assert len(await breakers.status()) == 1


async def test_its_health_names_what_is_not_closed(breakers: CircuitBreakers) -> None:
    assert (await breakers.health()).message is None
    await fail(breakers, 5)
    health = await breakers.health()
    assert (health.healthy, health.message) == (True, "not closed: yolo26")


async def test_a_dead_breaker_actor_never_stops_a_call() -> None:
    breakers = UnstoppedByBreakers(AwayBreakers())
    admitted = await breakers.admit("yolo26")
    assert isinstance(admitted, Admitted)
    await breakers.succeeded("yolo26", admitted)
    await breakers.failed("yolo26", admitted)
    await breakers.released("yolo26", admitted)


async def test_an_admission_given_without_the_actor_counts_for_nothing_when_it_is_back(
    breakers: CircuitBreakers,
) -> None:
    admitted = await UnstoppedByBreakers(AwayBreakers()).admit("yolo26")
    assert isinstance(admitted, Admitted)
    for _ in range(10):
        await UnstoppedByBreakers(breakers).failed("yolo26", admitted)
    (status,) = await breakers.status()
    assert (status.state, status.failure_count) == (BreakerState.CLOSED, 0)


async def test_through_the_unstopped_the_breakers_are_what_they_are(breakers: CircuitBreakers) -> None:
    unstopped = UnstoppedByBreakers(breakers)
    for _ in range(5):
        admitted = await unstopped.admit("yolo26")
        assert isinstance(admitted, Admitted)
        await unstopped.failed("yolo26", admitted)
    assert isinstance(await unstopped.admit("yolo26"), Rejected)
    assert (await unstopped.status())[0].state is BreakerState.OPEN
    assert (await unstopped.reset("yolo26")).after.state is BreakerState.CLOSED


async def test_starting_and_stopping_it_changes_nothing(breakers: CircuitBreakers) -> None:
    await fail(breakers, 5)
    await breakers.start()
    await breakers.stop()
    assert isinstance(await breakers.admit("yolo26"), Rejected)
