"""One clean-up in a process of its own, as the actor does it: `python -m bench.cleaning`.

Takes its settings from the environment, begins when it is given a line, and writes what it deleted and how long that
took as one line of JSON.
"""

import asyncio
import json
import sys
from functools import partial

from actors.cleanup_service import CleanupService
from actors.tools.cleaning import cleanup_policy, cleanup_tools
from domain.clock import SystemClock
from schemas.audit import Caller
from settings import load_settings


async def clean() -> None:
    settings, clock = load_settings(), SystemClock()
    service = CleanupService(cleanup_policy(settings), 60.0, partial(cleanup_tools, settings))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    began = clock.monotonic()
    report = await service.run(False, Caller(actor="bench", ip_address=None))
    print(json.dumps(report.model_dump(mode="json") | {"seconds": clock.monotonic() - began}))


if __name__ == "__main__":
    asyncio.run(clean())
