"""One clean-up in a process of its own, as the actor does it: `python -m bench.cleaning`.

Takes its settings from the environment, begins when it is given a line, and writes what it deleted as one line
of JSON.
"""

import asyncio
import sys
from functools import partial

from actors.cleanup_service import CleanupService
from actors.tools.cleaning import cleanup_policy, cleanup_tools
from schemas.audit import Caller
from settings import load_settings


async def clean() -> None:
    settings = load_settings()
    service = CleanupService(cleanup_policy(settings), 60.0, partial(cleanup_tools, settings))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    report = await service.run(False, Caller(actor="bench", ip_address=None))
    print(report.model_dump_json())


if __name__ == "__main__":
    asyncio.run(clean())
