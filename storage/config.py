"""The configuration that may change while the system runs: the settings, with the operator's changes over them."""

import logging
from typing import Any

from pydantic import ValidationError

from schemas.runtime_config import RuntimeConfig
from storage.postgres import Pool, store_errors

logger = logging.getLogger(__name__)


class RuntimeConfigs:
    """The one row of `runtime_config`."""

    def __init__(self, pool: Pool, defaults: RuntimeConfig) -> None:
        self._pool = pool
        self._defaults = defaults
        self._left_out: dict[str, str] = {}

    @store_errors()
    async def current(self) -> RuntimeConfig:
        """One primary-key read; callers on a hot path read it once a claim, not once a picture.

        A stored change that makes no sense (a later version wrote it) is left out: it must not stop every worker.
        """
        changes = await self._pool.fetchval("SELECT value FROM runtime_config WHERE id = 1")
        try:
            return self._over_defaults(changes or {})
        except ValidationError as error:
            wrong = {str(one["loc"][0]): one["msg"] for one in error.errors()}
        if wrong != self._left_out:
            self._left_out = wrong
            logger.error("stored settings are left out, mend them: %s", wrong)
        return self._over_defaults({name: value for name, value in changes.items() if name not in wrong})

    def _over_defaults(self, changes: dict[str, Any]) -> RuntimeConfig:
        return RuntimeConfig.model_validate({**self._defaults.model_dump(), **changes})
