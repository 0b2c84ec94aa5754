"""Talking to a live socket in tests."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect


@asynccontextmanager
async def client(served: str, path: str, **options: Any) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://{served}{path}", **options) as socket:
        yield socket


async def heard(socket: ClientConnection) -> dict[str, Any]:
    """The next frame."""
    async with asyncio.timeout(30):
        message: dict[str, Any] = json.loads(await socket.recv())
    return message


async def heard_of(socket: ClientConnection, *types: str) -> dict[str, Any]:
    """The next frame of one of these types."""
    while (message := await heard(socket))["type"] not in types:
        pass
    return message


async def say(socket: ClientConnection, **message: Any) -> None:
    await socket.send(json.dumps(message))
