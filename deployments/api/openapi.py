"""Prints the API's description, as it is committed: `python -m deployments.api.openapi > docs/openapi.json`."""

import asyncio
import json
import sys
from typing import Any

from pydantic import SecretStr

from deployments.api.app import create_app
from deployments.api.deps import Services
from settings import Settings


async def described() -> dict[str, Any]:
    """The OpenAPI document; no store is needed for it."""
    settings = Settings.model_construct(
        **Settings.model_construct().model_dump()
        | {
            "database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none"),
            "redis_url": SecretStr("redis://127.0.0.1:1/0"),
        }
    )
    services = await Services.open(settings)
    try:
        return create_app(services).openapi()
    finally:
        await services.close()


def as_text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_text(asyncio.run(described())))
