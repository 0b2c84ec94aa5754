"""The connection to Redis: bounded waits, and errors of ours."""

import asyncio
import socket

import pytest
import redis.asyncio

from storage.embedded import EmbeddedRedis
from storage.errors import StoreError, StoreUnavailable
from storage.redis import CONNECT_SECONDS, REPLY_SECONDS, connect_redis, redis_errors
from tests.storage.embedded_stores import kill
from tests.stores import data_folder


async def test_text_goes_in_and_comes_out(redis_client: redis.asyncio.Redis) -> None:
    await redis_client.set("name", "Tür")
    assert await redis_client.get("name") == "Tür"


async def test_every_test_begins_with_an_empty_redis(redis_client: redis.asyncio.Redis) -> None:
    assert await redis_client.dbsize() == 0


async def test_no_server_at_the_address_is_an_outage() -> None:
    client = connect_redis("redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnavailable), redis_errors():
        await client.ping()
    await client.aclose()


async def test_a_server_that_never_answers_is_an_outage_and_no_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, by the kernel's queue, and says nothing
        client = connect_redis(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        with pytest.raises(StoreUnavailable), redis_errors():
            await client.ping()
        await client.aclose()


async def test_a_wrong_password_is_an_outage_that_does_not_tell_it(redis_url: str) -> None:
    client = connect_redis(redis_url.replace(":", ":wrong", 2).replace(":wrong", ":", 1))
    with pytest.raises(StoreUnavailable) as refused, redis_errors():
        await client.ping()
    assert "wrong" not in str(refused.value)
    await client.aclose()


async def test_a_command_that_redis_refuses_is_a_defect_and_not_an_outage(redis_client: redis.asyncio.Redis) -> None:
    await redis_client.set("name", "text")
    with pytest.raises(StoreError) as refused, redis_errors():
        await redis_client.lpush("name", "x")
    assert type(refused.value) is StoreError


def test_an_address_that_makes_no_sense_is_explained_without_quoting_it() -> None:
    with pytest.raises(StoreUnavailable, match="redis://:password@host") as refused:
        connect_redis("http://:pa55word@host/0")
    assert "pa55word" not in str(refused.value)


async def test_the_first_call_after_a_restart_of_redis_works() -> None:
    with data_folder() as folder:
        server = EmbeddedRedis(folder)
        client = connect_redis(server.start())
        await client.set("kept", "1")
        kill(server)
        await asyncio.to_thread(server.restart_if_dead)  # meanwhile the client's loop sees its connection end
        assert await client.get("kept") == "1"
        await client.aclose()
        server.stop()


def test_the_waits_add_up_to_seconds() -> None:
    assert CONNECT_SECONDS + REPLY_SECONDS < 10
