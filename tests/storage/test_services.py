"""What the supervisor writes down."""

from datetime import timedelta

from schemas.audit import AuditAction, Caller, NewAuditEntry
from schemas.service import Service, ServiceCategory, ServiceStatus
from storage.audit import Audit
from storage.postgres import Pool
from storage.services import Services
from tests.storage.rows import NOON


def _service(name: str, **values: object) -> Service:
    given = {"category": "infrastructure", "status": "running", "checked_at": NOON}
    return Service.model_validate({"name": name} | given | values)


async def test_many_services_are_written_at_once_and_read_by_name(database: Pool) -> None:
    services = Services(database)
    due = NOON + timedelta(seconds=20)
    rows = [
        _service("redis", detail={"nested": {"a": [1, None]}}, last_restart=NOON, failure_count=3, restarts=2),
        _service("api", status="stopped", next_restart_at=due),
        _service("gpu_monitor", category="monitoring", status="unhealthy", message="no GPU", enabled=False),
    ]
    await services.upsert_many(rows)
    assert await services.list() == [rows[1], rows[2], rows[0]]
    assert await services.list(ServiceCategory.MONITORING) == [rows[2]]


async def test_the_newer_report_stays(database: Pool) -> None:
    services = Services(database)
    await services.upsert_many([_service("a")])
    await services.upsert_many([_service("a", status="stopped", checked_at=NOON + timedelta(seconds=2))])
    await services.upsert_many([_service("a", status="starting", checked_at=NOON + timedelta(seconds=1))])
    assert [service.status for service in await services.list()] == [ServiceStatus.STOPPED]


async def test_a_message_with_a_null_character_is_written_without_it(database: Pool) -> None:
    services = Services(database)
    await services.upsert_many([_service("a", message="bad\x00byte")])
    assert (await services.list())[0].message == "bad byte"


async def test_services_that_are_no_more_are_forgotten(database: Pool) -> None:
    services = Services(database)
    await services.upsert_many([_service("a"), _service("b"), _service("c")])
    await services.keep_only(["b", "d"])
    assert [service.name for service in await services.list()] == ["b"]


async def test_a_switch_is_stored_with_its_audit_entry_or_changes_nothing(database: Pool) -> None:
    services, audit = Services(database), Audit(database)
    entry = NewAuditEntry(
        action=AuditAction.SERVICE_DISABLE, resource_type="service", caller=Caller(actor="ann", ip_address=None)
    )
    assert await services.switch("gpu_monitor", True, entry) is False
    assert await services.switch("gpu_monitor", False, entry) is True
    assert await services.switch("gpu_monitor", False, entry) is False
    assert await services.disabled() == {"gpu_monitor"}
    assert len(await audit.list()) == 1
    assert await services.switch("gpu_monitor", True, entry) is True
    assert await services.disabled() == set()
    assert len(await audit.list()) == 2
