"""Keys over WebSockets, on a real server: in the address, as a subprotocol, in the header, by the page's cookie."""

import json
import logging
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.api.access.conftest import ALICE, BOB

SOCKETS = ["/ws/events", "/ws/system"]


async def _answers(socket: ClientConnection) -> bool:
    await socket.send(json.dumps({"type": "ping"}))
    async for text in socket:
        if json.loads(text)["type"] == "pong":
            return True
    return False


async def _closed(served: str, path: str, **options: Any) -> tuple[int | None, str]:
    async with connect(f"ws://{served}{path}", **options) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    return socket.close_code, socket.close_reason or ""


@pytest.mark.parametrize("path", SOCKETS)
async def test_each_way_of_showing_a_key_opens(served: str, path: str) -> None:
    protocols = [Subprotocol("hsi"), Subprotocol(f"api-key.{ALICE}")]
    for query, options in (
        (f"?api_key={ALICE}", {}),
        ("", {"subprotocols": protocols}),
        ("", {"subprotocols": protocols[1:]}),
        ("", {"additional_headers": {"X-API-Key": BOB}}),
    ):
        async with connect(f"ws://{served}{path}{query}", **options) as socket:
            assert await _answers(socket)


async def test_the_key_is_repeated_only_to_a_client_that_would_hang_up_otherwise(served: str) -> None:
    key = Subprotocol(f"api-key.{ALICE}")
    for offered, agreed in (([Subprotocol("hsi"), key], "hsi"), ([key, Subprotocol("hsi")], "hsi"), ([key], key)):
        async with connect(f"ws://{served}/ws/events", subprotocols=offered) as socket:
            assert socket.subprotocol == agreed
    async with connect(f"ws://{served}/ws/events?api_key={ALICE}") as socket:
        assert socket.subprotocol is None


async def test_a_page_that_has_signed_in_needs_no_key(served: str) -> None:
    async with httpx.AsyncClient(base_url=f"http://{served}") as page:
        await page.post("/api/session", json={"api_key": ALICE})
        cookie = {"Cookie": f"hsi_session={page.cookies['hsi_session']}", "Origin": f"http://{served}"}
    async with connect(f"ws://{served}/ws/events", additional_headers=cookie) as socket:
        assert await _answers(socket)


@pytest.mark.parametrize("path", SOCKETS)
async def test_no_key_and_a_wrong_one_are_closed_with_1008(served: str, path: str) -> None:
    wrong = [Subprotocol(f"api-key.{ALICE}x")]
    assert (await _closed(served, path))[0] == 1008
    assert (await _closed(served, f"{path}?api_key="))[0] == 1008
    assert (await _closed(served, f"{path}?api_key={ALICE}x"))[0] == 1008
    assert (await _closed(served, f"{path}?api_key={ALICE}&api_key={BOB}"))[0] == 1008
    assert (await _closed(served, path, subprotocols=wrong))[0] == 1008
    assert (await _closed(served, path, subprotocols=[Subprotocol("api-key."), Subprotocol("hsi")]))[0] == 1008
    assert (await _closed(served, path, additional_headers={"Cookie": f"hsi_session={ALICE}"}))[0] == 1008


async def test_a_socket_that_does_not_exist_is_closed_to_strangers_like_any_other(served: str) -> None:
    assert (await _closed(served, "/ws/nothing"))[0] == 1008
    assert (await _closed(served, "/health"))[0] == 1008
    with pytest.raises(InvalidStatus):
        async with connect(f"ws://{served}/ws/nothing?api_key={ALICE}"):
            pass


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:5173", "null"])
async def test_a_page_from_elsewhere_gets_no_socket_whatever_it_shows(served: str, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://{served}/ws/events?api_key={ALICE}", additional_headers={"Origin": origin}):
            pass
    assert refused.value.response.status_code == 403


async def test_a_key_in_the_address_is_in_no_log_and_no_reason(served: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="deployments")
    planted = "planted-0123456789-secret"
    reason = (await _closed(served, f"/ws/events?api_key={planted}"))[1]
    async with connect(f"ws://{served}/ws/events?api_key={ALICE}") as socket:
        assert await _answers(socket)
    ours = "".join(record.getMessage() for record in caplog.records if record.name.startswith("deployments"))
    assert reason == "This key is not known."
    assert planted not in ours + reason
    assert ALICE not in ours
