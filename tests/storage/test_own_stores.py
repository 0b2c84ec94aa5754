"""The stores of a system: ours where none is configured, started, kept alive and stopped."""

import os
import signal

import psutil
import pytest
from pydantic import SecretStr

from settings import Settings
from storage.errors import StoreUnavailable
from storage.own_stores import OwnStores
from tests.eventually import eventually_sync
from tests.storage.embedded_stores import ask
from tests.stores import data_folder


def test_what_is_configured_is_neither_started_nor_stopped() -> None:
    settings = Settings(database_url=SecretStr("postgresql://elsewhere/db"), redis_url=SecretStr("redis://elsewhere"))
    stores = OwnStores(settings)
    assert (stores.postgres, stores.redis) == (None, None)
    assert stores.start() == settings
    stores.stop()


def test_what_is_not_configured_is_started_kept_alive_and_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.own_stores.LOOK_EVERY_SECONDS", 0.05)
    told: list[str] = []
    with data_folder() as folder:
        stores = OwnStores(Settings(data_dir=folder, redis_url=SecretStr("redis://elsewhere")))
        settings = stores.start(told.append)
        try:
            assert told == ["starting our own PostgreSQL"]
            assert settings.redis_url == SecretStr("redis://elsewhere")
            assert settings.database_url is not None
            address = settings.database_url.get_secret_value()
            assert ask(address, "SELECT 1") == 1
            assert stores.postgres is not None
            killed = stores.postgres.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            eventually_sync(lambda: stores.postgres is not None and stores.postgres.pid != killed)
            eventually_sync(lambda: _answers(address))
            last = stores.postgres.pid
            assert last != killed
        finally:
            stores.stop()
        assert last is not None
        assert not psutil.pid_exists(last)


def _answers(address: str) -> bool:
    try:
        return bool(ask(address, "SELECT 1") == 1)
    except StoreUnavailable:
        return False


def test_stopping_what_was_never_started_is_harmless() -> None:
    with data_folder() as folder:
        OwnStores(Settings(data_dir=folder)).stop()
