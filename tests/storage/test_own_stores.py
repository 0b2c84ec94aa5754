"""The stores of a system: ours where none is configured, started, kept alive and stopped."""

import os
import signal

import psutil
import pytest
import redis
from pydantic import SecretStr

from settings import Settings
from storage.errors import StoreUnavailable
from storage.own_stores import OwnStores, end_own_server, runs_own_store
from storage.system_lock import acquire
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


def test_a_server_that_is_ended_by_hand_comes_back_where_it_was_with_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("storage.own_stores.LOOK_EVERY_SECONDS", 0.05)
    with data_folder() as folder:
        stores = OwnStores(Settings(data_dir=folder))
        settings = stores.start()
        assert settings.database_url is not None
        assert settings.redis_url is not None
        postgres, known = (
            settings.database_url.get_secret_value(),
            redis.Redis.from_url(settings.redis_url.get_secret_value()),
        )
        try:
            assert stores.postgres is not None
            assert stores.redis is not None
            ask(postgres, "CREATE TABLE kept AS SELECT 1 AS one")
            known.set("kept", "1")
            before = (stores.postgres.pid, stores.redis.pid)
            end_own_server(folder, "postgres")
            end_own_server(folder, "redis")
            eventually_sync(lambda: _answers(postgres))
            eventually_sync(lambda: _pings(known))
            assert ask(postgres, "SELECT one FROM kept") == 1
            assert known.get("kept") == b"1"
            after = (stores.postgres.pid, stores.redis.pid)
            assert None not in after
            assert not set(before) & set(after)
        finally:
            known.close()
            stores.stop()


def _pings(client: "redis.Redis") -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


def test_only_a_running_system_has_stores_of_its_own() -> None:
    with data_folder() as folder:
        assert not runs_own_store(folder, "postgres")
        with acquire(folder) as lock:
            assert not runs_own_store(folder, "postgres")
            lock.update(database_url="postgresql://ours")
            assert runs_own_store(folder, "postgres")
            assert not runs_own_store(folder, "redis")
        assert not runs_own_store(folder, "postgres")


def test_ending_a_server_that_is_dead_is_harmless() -> None:
    with data_folder() as folder:
        end_own_server(folder, "redis")
