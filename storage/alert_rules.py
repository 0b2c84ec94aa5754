"""Alert rules: made, read, changed, deleted."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from schemas.alert_rule import AlertRule, AlertRuleCreate
from schemas.severity import Severity
from storage.errors import NotFound
from storage.filters import Filters
from storage.postgres import Pool, store_errors, transaction

_FIELDS = (
    "name, description, enabled, severity, risk_threshold, object_types, camera_ids, min_confidence, zones, schedule, "
    "cooldown_seconds, dedup_key_template, channels"
)
_COLUMNS = f"id, {_FIELDS}, created_at, updated_at"


class AlertRules:
    """The table `alert_rules`, oldest first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @store_errors()
    async def list(
        self,
        *,
        enabled: bool | None = None,
        severity: Severity | None = None,
        after: tuple[datetime, UUID] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> Sequence[AlertRule]:
        """At most `limit`, from the one after (created_at, id) = `after` on."""
        filters = Filters().equal("enabled", enabled).equal("severity", severity and severity.value)
        filters.after(["created_at", "id"], after)
        rows = await self._pool.fetch(
            f"SELECT {_COLUMNS} FROM alert_rules {filters.where} ORDER BY created_at, id "
            f"LIMIT {filters.argument(limit)} OFFSET {filters.argument(offset)}",
            *filters.arguments,
        )
        return [rule_of(row) for row in rows]

    @store_errors()
    async def get(self, rule_id: UUID) -> AlertRule:
        """Raises NotFound."""
        row = await self._pool.fetchrow(f"SELECT {_COLUMNS} FROM alert_rules WHERE id = $1", rule_id)
        if row is None:
            raise _no_rule(rule_id)
        return rule_of(row)

    @store_errors()
    async def create(self, rule: AlertRuleCreate) -> AlertRule:
        rows = await self._pool.fetch(
            f"INSERT INTO alert_rules ({_FIELDS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
            f"RETURNING {_COLUMNS}",
            *_values(rule),
        )
        return rule_of(rows[0])

    @store_errors()
    async def update(self, rule_id: UUID, change: Callable[[AlertRule], AlertRuleCreate]) -> AlertRule:
        """Replaces the rule by what `change` makes of it, while nobody else changes it. Raises NotFound."""
        async with transaction(self._pool) as connection:
            row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM alert_rules WHERE id = $1 FOR UPDATE", rule_id)
            if row is None:
                raise _no_rule(rule_id)
            changed = await connection.fetch(
                f"""
                UPDATE alert_rules
                SET ({_FIELDS}) = ROW($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14), updated_at = now()
                WHERE id = $1 RETURNING {_COLUMNS}
                """,
                rule_id,
                *_values(change(rule_of(row))),
            )
        return rule_of(changed[0])

    @store_errors()
    async def delete(self, rule_id: UUID) -> None:
        """Its alerts stay and lose their `rule_id`. Raises NotFound."""
        if await self._pool.fetchval("DELETE FROM alert_rules WHERE id = $1 RETURNING id", rule_id) is None:
            raise _no_rule(rule_id)


def rule_of(row: asyncpg.Record) -> AlertRule:
    return AlertRule.model_validate(dict(row))


def _values(rule: AlertRuleCreate) -> tuple[object, ...]:
    """In the order of `_FIELDS`."""
    plain = rule.model_dump(mode="json")
    return tuple(plain[field.strip()] for field in _FIELDS.split(","))


def _no_rule(rule_id: UUID) -> NotFound:
    return NotFound(f"there is no alert rule {rule_id}")
