"""The configuration that may change while the system runs: the settings, with the operator's changes over them."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from schemas.audit import AuditAction, Caller, NewAuditEntry, changes
from schemas.runtime_config import ANOMALY_FIELDS, SYSTEM_FIELDS, RuntimeConfig
from storage.audit import write_audit
from storage.postgres import Pool, PooledConnection, store_errors, transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConfigPart:
    """A part of the configuration that is changed by itself, and how the audit trail tells of it."""

    action: AuditAction
    resource_type: str
    shown: Callable[[RuntimeConfig], dict[str, Any]]
    """Its values in the API's own words; only what differs here is a change."""


SYSTEM = ConfigPart(
    AuditAction.SETTINGS_CHANGED,
    "system_config",
    lambda config: {field: getattr(config, field) for field in SYSTEM_FIELDS},
)
SEVERITY = ConfigPart(
    AuditAction.SETTINGS_CHANGED, "severity_thresholds", lambda config: config.severity.model_dump(mode="json")
)
ANOMALY = ConfigPart(
    AuditAction.CONFIG_UPDATED,
    "anomaly_config",
    lambda config: {shown: getattr(config, field) for field, shown in ANOMALY_FIELDS.items()},
)


class RuntimeConfigs:
    """The one row of `runtime_config`: read for each claim, so that a change holds everywhere from the next one on."""

    def __init__(self, pool: Pool, defaults: RuntimeConfig) -> None:
        self._pool = pool
        self._defaults = defaults
        self._left_out: dict[str, str] = {}

    @store_errors()
    async def current(self) -> RuntimeConfig:
        """One primary-key read; callers on a hot path read it once a claim, not once a picture.

        A stored change that makes no sense (a later version wrote it) is left out: it must not stop every worker.
        """
        return self._in_force(await self._pool.fetchval("SELECT value FROM runtime_config WHERE id = 1") or {})

    @store_errors()
    async def change(self, part: ConfigPart, named: Mapping[str, Any], caller: Caller) -> RuntimeConfig:
        """Lays `named` (fields of RuntimeConfig, checked by the caller) over what is in force, and audits it.

        Under the row's lock: of many changes at once each sees the one before it. When every value is in force
        already, nothing is written; a field that was never changed goes on following the settings.
        """
        async with transaction(self._pool) as connection:
            stored = await _locked(connection)
            before = self._in_force(stored)
            after = RuntimeConfig.model_validate({**before.model_dump(), **named})
            changed = changes(part.shown(before), part.shown(after))
            if not changed:
                return before
            plain = after.model_dump(mode="json", include=set(named))
            kept = {field: value for field, value in plain.items() if value != before.model_dump(mode="json")[field]}
            await connection.execute(
                "UPDATE runtime_config SET value = value || $1::jsonb, updated_at = now() WHERE id = 1", kept
            )
            await write_audit(
                connection,
                NewAuditEntry(
                    action=part.action, resource_type=part.resource_type, caller=caller, details={"changes": changed}
                ),
            )
        return after

    def _in_force(self, stored: dict[str, Any]) -> RuntimeConfig:
        try:
            return self._over_defaults(stored)
        except ValidationError as error:
            wrong = {str(one["loc"][0]): one["msg"] for one in error.errors()}
        if wrong != self._left_out:
            self._left_out = wrong
            logger.error("stored settings are left out, mend them: %s", wrong)
        return self._over_defaults({name: value for name, value in stored.items() if name not in wrong})

    def _over_defaults(self, stored: dict[str, Any]) -> RuntimeConfig:
        return RuntimeConfig.model_validate({**self._defaults.model_dump(), **stored})


async def _locked(connection: PooledConnection) -> dict[str, Any]:
    """The stored changes, held until the transaction ends; the row is made by the first change."""
    await connection.execute("INSERT INTO runtime_config (id, value) VALUES (1, '{}') ON CONFLICT (id) DO NOTHING")
    stored: dict[str, Any] = await connection.fetchval("SELECT value FROM runtime_config WHERE id = 1 FOR UPDATE")
    return stored
