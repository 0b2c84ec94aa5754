"""Keys at start and by command: who may come in is settled before anything answers."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from domain.api_keys import KEY_BYTES, OWNER, hashed, key_text
from settings import Settings, SettingsError
from storage.api_keys import ApiKeys
from storage.embedded import EmbeddedPostgres
from storage.migrate import migrate
from storage.postgres import START_CONNECT_SECONDS, connect_pool
from storage.system_lock import SystemRecord, acquire

DEMO = "hsi-demo"
T = TypeVar("T")


def require_keys_where_needed(settings: Settings) -> None:
    """On any address but loopback, everyone in the network could look through the cameras."""
    if settings.api_key_enabled is False and not settings.on_loopback:
        raise SettingsError(
            f"API_KEY_ENABLED=false with API_HOST={settings.api_host} would show the cameras to the whole network: "
            "unset API_KEY_ENABLED, or set API_HOST to 127.0.0.1"
        )


def settle_keys(settings: Settings, tell: Callable[[str], None]) -> None:
    """Takes over API_KEYS; where keys are asked for and there is none, makes one and shows it this once."""
    require_keys_where_needed(settings)
    made = asyncio.run(_with_keys(_database(settings), lambda keys: _settle(keys, settings)))
    if made is not None:
        tell(f"a key is asked for from now on; this one was made for you and is shown only now:\n\n  {made}\n")
        tell("send it as X-API-Key; `hsi key` replaces it, API_KEYS sets keys of your own")


def replace_key(settings: Settings, running: SystemRecord | None, name: str) -> str:
    """A new key under this name, in place of the old one; the system may run or not."""
    _require_made_keys(settings)
    key = _new_key()
    with _reachable(settings, running) as address:
        asyncio.run(_with_keys(address, lambda keys: keys.replace(hashed(name, key))))
    return key


def remove_key(settings: Settings, running: SystemRecord | None, name: str) -> bool:
    """Ends this one key and what was signed in by it; whether there was one."""
    _require_made_keys(settings)
    with _reachable(settings, running) as address:
        return asyncio.run(_with_keys(address, lambda keys: keys.delete(name)))


def _require_made_keys(settings: Settings) -> None:
    if settings.api_keys:
        raise SettingsError("API_KEYS is set, so keys come from there: change it and start again")


@contextmanager
def passing_key(settings: Settings, name: str = DEMO) -> Iterator[dict[str, str]]:
    """Headers for a program of ours that calls its own system; the key ends with the block."""
    if not settings.asks_for_keys:
        yield {}
        return
    key = _new_key()
    asyncio.run(_with_keys(_database(settings), lambda keys: keys.replace(hashed(name, key))))
    try:
        yield {"X-API-Key": key}
    finally:
        asyncio.run(_with_keys(_database(settings), lambda keys: keys.delete(name)))


async def _settle(keys: ApiKeys, settings: Settings) -> str | None:
    await keys.adopt(settings.given_keys())
    await keys.delete(DEMO)  # a demo that was killed left it
    if not settings.asks_for_keys:
        return None
    key = _new_key()
    return key if await keys.create_first(hashed(OWNER, key)) else None


def _new_key() -> str:
    return key_text(secrets.token_bytes(KEY_BYTES))


async def _with_keys(address: str, ask: Callable[[ApiKeys], Awaitable[T]]) -> T:
    async with _keys(address) as keys:
        return await ask(keys)


@asynccontextmanager
async def _keys(address: str) -> AsyncIterator[ApiKeys]:
    pool = await connect_pool(address, 1, 1, "hsi keys", START_CONNECT_SECONDS)
    try:
        yield ApiKeys(pool)
    finally:
        await pool.close()


@contextmanager
def _reachable(settings: Settings, running: SystemRecord | None) -> Iterator[str]:
    """The database's address. Our own PostgreSQL is started for a moment where no system runs."""
    if settings.database_url is not None:
        yield _database(settings)
    elif running is not None:
        if running.database_url is None:
            raise SettingsError("the system is starting: try again when it is ready")
        yield running.database_url
    else:
        with acquire(settings.data_dir):
            store = EmbeddedPostgres(settings.data_dir)
            try:
                address = store.start()
                asyncio.run(migrate(address))
                yield address
            finally:
                store.stop()


def _database(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()
