"""Alert rules as a person may leave them: every camera that a rule names exists."""

from collections.abc import Sequence
from uuid import UUID

from deployments.api.bodies import NewRule, RuleChange
from deployments.api.errors import InvalidField
from schemas.alert_rule import AlertRule, Zone
from storage.alert_rules import AlertRules
from storage.cameras import Cameras


class RuleBook:
    """A rule for a camera that does not exist would look right and never match."""

    def __init__(self, rules: AlertRules, cameras: Cameras) -> None:
        self._rules = rules
        self._cameras = cameras

    async def create(self, rule: NewRule) -> AlertRule:
        """Raises InvalidField."""
        await self._check(rule.camera_ids, rule.zones)
        return await self._rules.create(rule)

    async def change(self, rule_id: UUID, change: RuleChange) -> AlertRule:
        """Raises NotFound or InvalidField; a camera that was deleted since may stay in what is not changed."""
        await self._check(change.camera_ids, change.zones)
        return await self._rules.update(rule_id, change.applied_to)

    async def _check(self, camera_ids: Sequence[str] | None, zones: Sequence[Zone] | None) -> None:
        named = {"camera_ids": camera_ids or (), "zones": [zone.camera_id for zone in zones or ()]}
        unknown = set(await self._cameras.unknown([camera for cameras in named.values() for camera in cameras]))
        for field, cameras in named.items():
            missing = sorted(unknown & set(cameras))
            if missing:
                raise InvalidField(field, f"there is no camera {', '.join(missing)}")
