"""The audit trail: written with the change, read newest first, never without it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.audit import AuditAction, AuditStatus, Caller, NewAuditEntry, changes
from storage.audit import Audit, AuditFilter, write_audit
from storage.errors import NotFound
from storage.postgres import Pool, transaction

CALLER = Caller(actor="kitchen tablet", ip_address="192.168.1.7")


def entry(**values: Any) -> NewAuditEntry:
    given = {"action": AuditAction.SETTINGS_CHANGED, "resource_type": "system_config", "caller": CALLER}
    return NewAuditEntry.model_validate(given | values)


@pytest.fixture
def audit(database: Pool) -> Audit:
    return Audit(database)


async def test_an_entry_is_read_back_as_it_was_written(audit: Audit) -> None:
    details = {"changes": {"low_max": {"old": 29, "new": 20}}}
    await audit.record(entry(resource_id="7", details=details, status=AuditStatus.FAILURE))
    (found,) = await audit.list()
    assert found == await audit.get(found.id)
    assert (found.action, found.resource_type, found.resource_id) == ("settings_changed", "system_config", "7")
    assert (found.actor, found.ip_address, found.status) == ("kitchen tablet", "192.168.1.7", AuditStatus.FAILURE)
    assert found.details == details
    assert abs(found.timestamp - datetime.now(UTC)) < timedelta(minutes=1)


async def test_an_entry_that_does_not_exist_is_not_found(audit: Audit) -> None:
    with pytest.raises(NotFound, match="no audit entry 4711"):
        await audit.get(4711)


async def test_a_change_that_is_rolled_back_leaves_no_entry(database: Pool, audit: Audit) -> None:
    async def fails() -> None:
        async with transaction(database) as connection:
            await write_audit(connection, entry())
            raise RuntimeError("the change failed")

    with pytest.raises(RuntimeError):
        await fails()
    assert await audit.list() == []


async def test_of_two_transactions_the_one_that_wrote_later_is_the_newer_one(database: Pool, audit: Audit) -> None:
    async with transaction(database) as began_first, transaction(database) as began_second:
        await began_first.execute("SELECT 1")
        await write_audit(began_second, entry(resource_id="written first"))
        await write_audit(began_first, entry(resource_id="written last"))
    assert [found.resource_id for found in await audit.list()] == ["written last", "written first"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AuditFilter(action=AuditAction.BREAKER_RESET), ["2"]),
        (AuditFilter(resource_type="breaker"), ["2"]),
        (AuditFilter(resource_id="1"), ["1"]),
        (AuditFilter(actor="local"), ["3"]),
        (AuditFilter(status=AuditStatus.FAILURE), ["3", "2"]),
        (AuditFilter(status=AuditStatus.FAILURE, actor="local"), ["3"]),
        (AuditFilter(actor="nobody"), []),
    ],
)
async def test_conditions_that_are_set_must_all_hold(audit: Audit, wanted: AuditFilter, found: list[str]) -> None:
    await audit.record(entry(resource_id="1"))
    await audit.record(
        entry(resource_id="2", action="breaker_reset", resource_type="breaker", status=AuditStatus.FAILURE)
    )
    await audit.record(
        entry(resource_id="3", caller=Caller(actor="local", ip_address=None), status=AuditStatus.FAILURE)
    )
    assert [one.resource_id for one in await audit.list(wanted)] == found


async def test_a_span_of_time_includes_both_of_its_ends(audit: Audit) -> None:
    for number in range(3):
        await audit.record(entry(resource_id=str(number)))
    newest, middle, oldest = await audit.list()
    span = AuditFilter(start_date=oldest.timestamp, end_date=middle.timestamp)
    assert await audit.list(span) == [middle, oldest]
    assert await audit.list(AuditFilter(start_date=newest.timestamp)) == [newest]


async def test_pages_go_on_after_the_last_entry_of_the_one_before(audit: Audit) -> None:
    for number in range(5):
        await audit.record(entry(resource_id=str(number)))
    first = await audit.list(limit=2)
    await audit.record(entry(resource_id="came meanwhile"))
    second = await audit.list(before=(first[-1].timestamp, first[-1].id), limit=2)
    assert [one.resource_id for one in (*first, *second)] == ["4", "3", "2", "1"]
    assert [one.resource_id for one in await audit.list(limit=1, offset=1)] == ["4"]


def test_changes_are_the_fields_that_differ_with_both_values() -> None:
    assert changes({"a": 1, "b": 2}, {"a": 1, "b": 3}) == {"b": {"old": 2, "new": 3}}
    assert changes({"a": 1}, {"a": 1}) == {}
    assert changes({}, {"a": False}) == {"a": {"old": None, "new": False}}
    assert changes({"a": "x"}, {}) == {"a": {"old": "x", "new": None}}
