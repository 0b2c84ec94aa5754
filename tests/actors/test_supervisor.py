"""Every service is looked at, restarted when it failed, and written down."""

from itertools import pairwise
from typing import Any

import pytest
import redis.asyncio

from actors.supervised_service import Gone, Starting, SupervisorTools
from actors.supervisor import Supervisor
from schemas.service import Health, ServiceStatus
from storage.postgres import Pool, connect_pool
from tests.actors.fakes import START
from tests.actors.supervising import House, Subject
from tests.eventually import eventually
from tests.storage.wire import Wire


async def test_what_was_seen_is_written_down(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    subject = Subject()
    subject.state = Health(healthy=True, message="all well", detail={"pending_tasks": 3})
    house = House(database, redis_client, subject)
    await house.look()
    row = await house.row()
    assert (row.category, row.status, row.failure_count) == ("infrastructure", ServiceStatus.RUNNING, 0)
    assert (row.message, row.detail, row.checked_at) == ("all well", {"pending_tasks": 3}, START)
    assert row.last_restart is None


async def test_a_service_that_was_healthy_and_dies_is_restarted_after_five_seconds(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject()
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = Gone("no actor of this name")
    await house.look(4)
    assert subject.restarts == 0
    assert ((await house.row()).status, (await house.row()).message) == ("stopped", "no actor of this name")
    await house.look(2)
    assert subject.restarts == 1
    assert (await house.row()).last_restart == house.clock.now()


async def test_restarts_come_ever_later_when_they_do_not_help(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    """Each restarted service is given its minute; then 10, 20, 40 s are waited from its failure on."""
    subject = Subject()
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = Gone("dead")
    at: list[float] = []
    while len(at) < 4:
        before = subject.restarts
        await house.look(2)
        if subject.restarts > before:
            at.append(house.clock.monotonic())
    gaps = [later - earlier for earlier, later in pairwise(at)]
    assert gaps == sorted(gaps)
    assert gaps[0] >= 70
    assert gaps[2] >= gaps[0] + 30


async def test_one_failing_probe_is_forgiven(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    subject = Subject()
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = Health(healthy=False, message="three failures in a row")
    await house.look()
    assert ((await house.row()).status, (await house.row()).message) == ("unhealthy", "three failures in a row")
    subject.state = Health(healthy=True)
    await house.look(60)
    assert subject.restarts == 0
    assert (await house.row()).status is ServiceStatus.RUNNING


async def test_a_service_that_keeps_failing_is_restarted(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    subject = Subject()
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = ZeroDivisionError("in its probe")
    await house.look(8)
    assert subject.restarts == 1


async def test_a_service_that_has_never_been_healthy_is_given_a_minute(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject()
    subject.state = Health(healthy=False, message="loading")
    house = House(database, redis_client, subject)
    await house.look(58)
    assert subject.restarts == 0
    assert (await house.row()).status is ServiceStatus.STARTING
    await house.look(12)
    assert subject.restarts == 1


async def test_a_restarted_service_is_given_its_minute_again(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    subject = Subject()
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = Gone("dead")
    await house.look(6)
    await house.look(50)
    assert subject.restarts == 1
    assert (await house.row()).status is ServiceStatus.STARTING


async def test_a_service_that_somebody_else_starts_is_left_to_it_but_not_for_ever(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject()
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = Starting("it is being started")
    await house.look(50)
    assert subject.restarts == 0
    assert (await house.row()).status is ServiceStatus.STARTING
    await house.look(20)
    assert subject.restarts == 1


async def test_a_probe_that_never_answers_is_a_failing_service_and_holds_up_no_other(
    database: Pool, redis_client: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.supervised_service.PROBE_SECONDS", 0.05)
    hanging, well = Subject("redis"), Subject("postgres")
    house = House(database, redis_client, hanging, well)
    await house.look()
    hanging.hangs = True
    await house.look()
    assert ((await house.row("redis")).status, (await house.row("postgres")).status) == ("unhealthy", "running")
    assert "no answer within" in ((await house.row("redis")).message or "")


async def test_what_nobody_here_restarts_is_shown_and_left_alone(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject("postgres", restart=None)
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = ConnectionRefusedError("refused")
    await house.look(60)
    row = await house.row("postgres")
    assert (row.status, row.message) == (ServiceStatus.UNHEALTHY, "ConnectionRefusedError: refused")


async def test_a_restart_that_fails_is_tried_again_later_and_ends_nothing(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject()
    house = House(database, redis_client, subject)
    await house.look()
    subject.state, subject.restart_raises = Gone("dead"), OSError("no memory")
    await house.look(6)
    assert subject.restarts == 1
    await house.look(90)
    assert subject.restarts == 2


async def test_a_service_that_is_a_choice_and_was_not_made_is_shown_as_such(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject("nemotron", restart=None, status_when_idle=ServiceStatus.NOT_CONFIGURED)
    subject.state = Gone("no language model is configured")
    house = House(database, redis_client, subject)
    await house.look(120)
    row = await house.row("nemotron")
    assert (row.status, row.failure_count) == (ServiceStatus.NOT_CONFIGURED, 0)


async def test_an_actor_that_is_no_service_of_its_own_is_restarted_and_not_shown(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject("circuit_breakers", shown=False)
    house = House(database, redis_client, subject)
    await house.look()
    subject.state = Gone("dead")
    await house.look(6)
    assert subject.restarts == 1
    assert [row.name for row in await house.rows.list()] == ["supervisor"]


async def degradation(house: House) -> dict[str, Any]:
    detail: dict[str, Any] = (await house.row("supervisor")).detail["degradation"]
    return detail


async def test_its_own_row_tells_how_much_works(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    subjects = [Subject(name) for name in ("postgres", "redis", "yolo26", "file_watcher")]
    house = House(database, redis_client, *subjects)
    await house.look()
    assert (await degradation(house))["mode"] == "normal"
    subjects[1].state = ConnectionRefusedError("refused")
    await house.look(60)
    told = await degradation(house)
    assert (told["mode"], told["is_degraded"], told["redis_healthy"]) == ("minimal", True, False)
    assert {one["name"]: one["status"] for one in told["services"]}["redis"] == "unhealthy"
    assert (await house.row("supervisor")).checked_at == house.clock.now()


async def test_a_database_that_is_away_stops_neither_looking_nor_restarting(
    database_url: str, database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    subject = Subject()
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 2, "tests")
        house = House(pool, redis_client, subject)
        await house.look()
        await wire.cut()
        subject.state = Gone("dead")
        await house.look(6)
        assert subject.restarts == 1
        subject.state = Health(healthy=True)
        await wire.mend()
        await house.look()
        assert (await house.row()).status is ServiceStatus.RUNNING
        assert (await house.row()).last_restart is not None
        pool.terminate()


async def test_its_loop_begins_to_look_and_connects_until_it_can(
    database: Pool, redis_client: redis.asyncio.Redis
) -> None:
    house = House(database, redis_client, Subject())
    tries = 0

    async def connect() -> SupervisorTools:
        nonlocal tries
        tries += 1
        if tries < 2:
            raise ConnectionRefusedError("refused")
        return await house.connect()

    supervisor = Supervisor("app", connect)
    assert not (await supervisor.health()).healthy
    await supervisor.start()
    await eventually(lambda: _written(house))
    assert (await supervisor.health()).healthy
    await supervisor.stop()


async def _written(house: House) -> bool:
    return len(await house.rows.list()) == 2
