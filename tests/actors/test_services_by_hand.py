"""A person's wishes: refused with a reason, or carried out once, told live, and recorded."""

import asyncio

import pytest
import redis.asyncio

from actors import services_by_hand
from actors.ports import ServiceRefused
from actors.supervised_service import Gone
from domain.service_actions import Limits
from schemas.audit import AuditStatus
from schemas.service import Health, ServiceStatus
from storage.errors import Conflict, NotFound, StoreUnavailable
from storage.postgres import Pool, connect_pool
from tests.actors.supervising import CALLER, House, Subject
from tests.storage.wire import Wire


@pytest.fixture
def subject() -> Subject:
    return Subject()


@pytest.fixture
async def house(database: Pool, redis_client: redis.asyncio.Redis, subject: Subject) -> House:
    """One that has looked at its services once."""
    made = House(database, redis_client, subject)
    await made.look()
    return made


async def test_a_restart_is_done_told_and_recorded_once(house: House, subject: Subject) -> None:
    done = await house.act("restart")
    assert subject.by_hand == ["restart"]
    assert (done.success, done.message) == (True, "Service file_watcher restarted successfully")
    assert (done.service_info.status, done.service_info.last_restart) == (ServiceStatus.RUNNING, house.clock.now())
    (entry,) = await house.audited()
    assert (entry.action, entry.status, entry.resource_id) == ("service_restart", "success", "file_watcher")
    assert (entry.actor, entry.ip_address) == (CALLER.actor, CALLER.ip_address)
    state = {"status": "running", "enabled": True, "failure_count": 0}
    assert entry.details == {"old": state, "new": state, "message": done.message}
    assert (await house.row()).last_restart == house.clock.now()


async def test_a_restart_by_hand_is_no_failure_and_ends_the_back_off(house: House, subject: Subject) -> None:
    subject.state = Gone("dead")
    await house.look(6)
    assert (await house.row()).restarts == 1
    await house.act("restart")
    await house.look(2)
    row = await house.row()
    assert (row.restarts, row.failure_count, row.next_restart_at) == (0, 0, None)


async def test_the_back_off_is_shown(house: House, subject: Subject) -> None:
    subject.state = Gone("dead")
    await house.look()
    row = await house.row()
    assert row.next_restart_at is not None
    assert (row.next_restart_at - house.clock.now()).total_seconds() == 5
    assert (row.failure_count, row.restarts, row.status) == (1, 0, ServiceStatus.STOPPED)


async def test_what_does_not_come_up_at_once_is_starting(
    house: House, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_by_hand, "COMING_UP_SECONDS", 0.05)

    async def slow() -> None:
        subject.state = Health(healthy=False, message="loading")

    object.__setattr__(subject.service.by_hand, "restart", slow)
    done = await house.act("restart")
    assert (done.success, done.message) == (True, "Service file_watcher was restarted and is starting")
    assert (await house.row()).status is ServiceStatus.STARTING


async def test_a_restart_that_fails_says_so_and_is_recorded_as_a_failure(house: House, subject: Subject) -> None:
    subject.by_hand_raises = OSError("/srv/secret is full")
    done = await house.act("restart")
    assert not done.success
    assert done.message == "Service file_watcher could not be restarted: OSError; the log says more"
    (entry,) = await house.audited()
    assert entry.status is AuditStatus.FAILURE
    await house.act("restart")
    assert len(await house.audited()) == 2


async def test_what_takes_long_is_answered_in_time_and_recorded_at_its_end(
    house: House, subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_by_hand, "ANSWER_SECONDS", 0.05)
    subject.takes = asyncio.Event()
    done = await house.act("restart")
    assert (done.success, done.message) == (True, "Service file_watcher: the restart is under way")
    assert await house.audited() == []
    with pytest.raises(Conflict, match="at this moment"):
        await house.act("disable")
    subject.state = Gone("between two lives")
    await house.look(60)
    assert subject.restarts == 0
    assert (await house.row()).status is ServiceStatus.STARTING
    subject.takes.set()
    await _recorded(house, 1)
    assert (await house.act("restart")).success is True


async def _recorded(house: House, count: int) -> None:
    while len(await house.audited()) < count:
        await asyncio.sleep(0.01)


async def test_of_many_wishes_at_once_one_is_carried_out(house: House, subject: Subject) -> None:
    answers = await asyncio.gather(*(house.act("restart") for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, Conflict) for answer in answers) == 19
    assert subject.by_hand == ["restart"]
    assert len(await house.audited()) == 1


async def test_a_stopped_service_is_started_without_waiting_and_a_running_one_is_refused(
    house: House, subject: Subject
) -> None:
    with pytest.raises(ServiceRefused, match="file_watcher is running already"):
        await house.act("start")
    subject.state = Gone("dead")
    await house.look()
    done = await house.act("start")
    assert (done.message, subject.by_hand) == ("Service file_watcher started successfully", ["restart"])
    assert [entry.action for entry in await house.audited()] == ["service_start"]


async def test_a_disabled_service_is_ended_and_nobody_starts_it(house: House, subject: Subject) -> None:
    done = await house.act("disable")
    assert (done.service_info.status, done.service_info.enabled) == (ServiceStatus.DISABLED, False)
    await house.look(400)
    assert (subject.by_hand, subject.restarts) == (["disable"], 0)
    row = await house.row()
    assert (row.status, row.enabled, row.failure_count, row.next_restart_at) == ("disabled", False, 0, None)
    (entry,) = await house.audited()
    assert entry.action == "service_disable"
    assert entry.details["changes"] == {"enabled": {"old": True, "new": False}}
    with pytest.raises(ServiceRefused, match="enable it first"):
        await house.act("restart")


async def test_what_was_disabled_stays_so_for_the_supervisors_successor(house: House, subject: Subject) -> None:
    await house.act("disable")
    house.succeeded()
    await house.look(120)
    assert ((await house.row()).status, subject.restarts) == (ServiceStatus.DISABLED, 0)


async def test_one_that_runs_although_it_is_disabled_is_ended(house: House, subject: Subject) -> None:
    """The wish was broken off, or somebody else started it."""
    await house.act("disable")
    subject.state = Health(healthy=True)
    await house.look()
    assert subject.by_hand == ["disable", "disable"]
    assert (await house.row()).status is ServiceStatus.DISABLED


async def test_an_enabled_service_is_started_and_its_back_off_begins_anew(house: House, subject: Subject) -> None:
    subject.state = Gone("dead")
    await house.look(80)
    assert (await house.row()).restarts == 2
    await house.act("disable")
    done = await house.act("enable")
    assert (done.message, done.service_info.enabled) == ("Service file_watcher enabled successfully", True)
    assert done.service_info.restarts == 0
    await house.look()
    subject.state = Gone("dead again")
    await house.look(6)
    assert (await house.row()).restarts == 1


async def test_what_changes_nothing_is_no_failure_and_not_recorded(house: House, subject: Subject) -> None:
    done = await house.act("enable")
    assert (done.success, done.message, subject.by_hand) == (True, "Service file_watcher is enabled already", [])
    await house.act("disable")
    assert (await house.act("disable")).message == "Service file_watcher is disabled already"
    assert len(await house.audited()) == 1


async def test_a_service_that_nobody_knows_is_not_found(house: House) -> None:
    for name in ("backend", "supervisor", ""):
        with pytest.raises(NotFound, match="there is no service"):
            await house.act("restart", name)


async def test_limits_refuse_with_their_reason(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    limits = Limits("postgres runs elsewhere (DATABASE_URL is set)", "nobody could enable it again")
    house = House(database, redis_client, Subject("postgres", limits), Subject("internal", shown=False))
    with pytest.raises(ServiceRefused, match="DATABASE_URL"):
        await house.act("restart", "postgres")
    with pytest.raises(ServiceRefused, match="enable it again"):
        await house.act("disable", "postgres")
    with pytest.raises(NotFound):
        await house.act("restart", "internal")
    assert await house.audited() == []


async def test_several_workers_are_one_service(database: Pool, redis_client: redis.asyncio.Redis) -> None:
    workers = [Subject("detection_worker", service="detection_worker")]
    workers.append(Subject("detection_worker_2", service="detection_worker"))
    for number, worker in enumerate(workers, 1):
        worker.state = Health(healthy=True, detail={"files_done": number})
    house = House(database, redis_client, *workers)
    await house.look()
    workers[1].state = Gone("dead")
    await house.look()
    row = await house.row("detection_worker")
    assert (row.status, row.message) == (ServiceStatus.STOPPED, "detection_worker_2: dead")
    assert [row.name for row in await house.rows.list()] == ["detection_worker", "supervisor"]
    await house.act("restart", "detection_worker")
    assert [worker.by_hand for worker in workers] == [["restart"], ["restart"]]
    await house.act("disable", "detection_worker")
    assert (await house.row("detection_worker")).status is ServiceStatus.DISABLED


async def test_every_change_of_status_is_told_live_and_the_first_look_is_not(house: House, subject: Subject) -> None:
    assert await house.frames() == []
    subject.state = Health(healthy=False, message="three failures in a row")
    await house.look(2)
    told = {"service": "file_watcher", "status": "unhealthy", "message": "three failures in a row"}
    changed, legacy = await house.frames()
    assert (changed.type, changed.data) == ("service.status_changed", told | {"previous_status": "running"})
    assert (legacy.type, legacy.data) == ("service_status", told)
    await house.act("disable")
    statuses = [frame.data["status"] for frame in await house.frames() if frame.type == "service.status_changed"]
    assert statuses == ["unhealthy", "disabled"]


async def test_a_disabled_service_is_not_missed_in_the_mode(house: House) -> None:
    await house.act("disable")
    await house.look(120)
    detail = (await house.row("supervisor")).detail["degradation"]
    assert detail["mode"] == "normal"
    assert "file_watcher" not in [one["name"] for one in detail["services"]]


async def test_a_wish_that_cannot_be_stored_is_not_carried_out(
    database_url: str, database: Pool, redis_client: redis.asyncio.Redis, subject: Subject
) -> None:
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 2, "tests")
        house = House(pool, redis_client, subject)
        await house.look()
        await wire.cut()
        with pytest.raises(StoreUnavailable):
            await house.act("disable")
        assert subject.by_hand == []
        await wire.mend()
        assert (await house.act("disable")).success
        pool.terminate()


async def test_a_restart_while_the_database_is_away_is_recorded_when_it_is_back(
    database_url: str, database: Pool, redis_client: redis.asyncio.Redis, subject: Subject
) -> None:
    async with Wire(database_url) as wire:
        pool = await connect_pool(wire.address, 1, 2, "tests")
        house = House(pool, redis_client, subject)
        await house.look()
        await wire.cut()
        assert (await house.act("restart")).success
        await wire.mend()
        await house.look()
        assert [entry.action for entry in await house.audited()] == ["service_restart"]
        await house.look()
        assert len(await house.audited()) == 1
        pool.terminate()
