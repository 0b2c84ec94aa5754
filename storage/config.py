"""The configuration that may change while the system runs: the settings, with the operator's changes over them."""

from schemas.runtime_config import RuntimeConfig
from storage.postgres import Pool, store_errors


class RuntimeConfigs:
    """The one row of `runtime_config`."""

    def __init__(self, pool: Pool, defaults: RuntimeConfig) -> None:
        self._pool = pool
        self._defaults = defaults

    @store_errors()
    async def current(self) -> RuntimeConfig:
        """One primary-key read; callers on a hot path read it once a claim, not once a picture."""
        changes = await self._pool.fetchval("SELECT value FROM runtime_config WHERE id = 1")
        return RuntimeConfig.model_validate({**self._defaults.model_dump(), **(changes or {})})
