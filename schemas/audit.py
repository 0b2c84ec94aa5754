"""The audit trail: who changed what, when, from where, with the values before and after."""

from enum import StrEnum
from typing import Any

from pydantic import Field

from schemas.frozen import Frozen, UtcTime


class AuditAction(StrEnum):
    SETTINGS_CHANGED = "settings_changed"
    """Configuration or severity thresholds."""
    CONFIG_UPDATED = "config_updated"
    """The anomaly configuration."""
    CLEANUP_RUN = "cleanup_run"
    SERVICE_RESTART = "service_restart"
    SERVICE_START = "service_start"
    SERVICE_ENABLE = "service_enable"
    SERVICE_DISABLE = "service_disable"
    BREAKER_RESET = "breaker_reset"
    DLQ_REQUEUE = "dlq_requeue"
    DLQ_REQUEUE_ALL = "dlq_requeue_all"
    DLQ_CLEAR = "dlq_clear"
    NOTIFICATION_TEST = "notification_test"


class AuditStatus(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"


class Caller(Frozen):
    """Who asks: what the audit trail keeps of a request."""

    actor: str
    """The key's name; `local` where no key is asked for."""
    ip_address: str | None
    """The peer's address, from X-Forwarded-For where a trusted proxy says so; null where it is not known."""


class NewAuditEntry(Frozen):
    action: AuditAction
    resource_type: str
    resource_id: str | None = None
    caller: Caller
    details: dict[str, Any] = Field(default_factory=dict)
    status: AuditStatus = AuditStatus.SUCCESS


class AuditEntry(Frozen):
    id: int
    timestamp: UtcTime
    action: AuditAction
    resource_type: str
    resource_id: str | None
    actor: str
    ip_address: str | None
    details: dict[str, Any]
    """For a change `{"changes": {field: {"old": ..., "new": ...}}}`, else what the action did."""
    status: AuditStatus


def changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each field whose value differs, with both values; {} when nothing changed: then there is nothing to audit."""
    fields = [*old, *(field for field in new if field not in old)]
    return {
        field: {"old": old.get(field), "new": new.get(field)} for field in fields if old.get(field) != new.get(field)
    }
